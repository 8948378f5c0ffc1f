//! Handles given out and taken in: streams that others launch on too.

#![expect(unsafe_code, reason = "that a handle lives only its owner can say")]

use std::any::Any;
use std::ffi::c_void;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use syncpoint_core::contract::Owner;
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Device, Error, Mode, Reason, Result, Stream};

use crate::context::{Context, domain};
use crate::device::{Builder, context_of, device_over};
use crate::driver;
use crate::known::{self, Key};
use crate::stream::{CudaStream, RawStream};
use crate::sys::{self, Library, Meaning};

impl Builder {
    /// Takes in a context that others made, as a device of its own: streams of it, green ones too, are taken in with this
    /// device, and streams of our own are made in it. `owner` is kept until nothing of ours is left in the context, and
    /// dropped on a thread of ours, also where the call is refused.
    ///
    /// # Safety
    /// - `context` is a `CUcontext` of the driver's, and lives for as long as `owner` does.
    ///
    /// # Errors
    /// `Misuse(StaleHandle)`: the handle is null. `Unavailable`: there is no driver. The driver's.
    pub unsafe fn open_context<O>(self, context: *mut c_void, owner: O) -> Result<Device>
    where
        O: Any + Send + Sync,
    {
        let (owner, address) = (Owner::new(owner), context.expose_provenance());
        if address == 0 {
            let message = "a null handle is no context; give the handle of one";
            return Err(Error::misuse(Reason::StaleHandle, message));
        }
        let driver = driver::found()?;
        driver.begin()?;
        // SAFETY: the caller's duty is the same, and the owner is kept with the context.
        let primary = unsafe { taken_in(driver.library(), address) }?;
        device_of_others(primary, self.gates, owner)
    }
}

/// A context that others made.
///
/// # Safety
/// - `address` is a context of the driver's, and lives for as long as what is given.
unsafe fn taken_in(library: &'static Library, address: usize) -> Result<sys::Primary> {
    // SAFETY: the caller's duty is the same.
    let borrowed = unsafe { sys::Primary::borrow(library, address) };
    borrowed.map_err(|refusal| refused_of_others(library, &refusal))
}

#[cold]
fn refused_of_others(library: &Library, refusal: &sys::Refusal) -> Error {
    let name = refusal.code().and_then(|code| library.name_of(code));
    refusal.error(&"a context of others", name)
}

fn device_of_others(
    primary: sys::Primary,
    gates: Option<Duration>,
    owner: Owner,
) -> Result<Device> {
    let identity = primary.identity();
    let identity = identity.map_err(|refusal| refused_of_others(primary.library(), &refusal))?;
    let name = format!("cuda:{} context {identity}", primary.ordinal());
    device_over(Context::over(primary, name, gates, Some(owner))?)
}

/// Gives out the raw handle of a stream that was made here. From now on, for ever, other code may launch on it: its mode is
/// `Exposed`, each record of it is a driver call, and its work can no longer be held on the host. Without
/// [`device_gates`](Builder::device_gates) that makes `enqueue`, and waits for gates or other backends, `Unsupported`.
///
/// The handle is good for as long as the stream lives.
///
/// # Errors
/// `Misuse(Held)`: the stream holds work on the host, which what others launch would overtake; synchronize it.
/// `Misuse(WrongDevice)`: it is a stream of another backend. The driver's, where it does not say which stream it is.
#[doc(alias("as_raw", "into_raw"))]
pub fn expose(stream: &Stream) -> Result<RawStream> {
    let held = HeldStream::<CudaStream>::of_stream(stream, "CUDA")?;
    // Before the handle is out: who captures the stream would have the driver asked in the middle of that.
    let key = match stream.mode() {
        Mode::Managed => Some(key_of(held.driver())?),
        _ => None,
    };
    held.expose()?;
    if let Some(key) = key {
        held.driver().give(stream);
        known::give(key, &held);
    }
    Ok(held.driver().raw())
}

fn key_of(driver: &CudaStream) -> Result<Key> {
    driver.context().check()?;
    let identified = identify(driver.context(), driver.handle(), None);
    identified.map_err(|refusal| driver.context().refused(&refusal))
}

/// What tells a stream of a context from every other.
fn identify(
    context: &Context,
    native: &sys::Stream,
    thread: Option<ThreadId>,
) -> Result<Key, sys::Refusal> {
    let context = context.primary().identity()?;
    native.identity().map(|stream| Key { context, stream, thread })
}

/// Takes in a stream that another library made (an *external stream*, in PyTorch's word): records on it are behind what
/// that library has launched on it so far, and what it launches later comes behind waits that were enqueued here.
///
/// `owner` keeps the stream alive, an `Arc` of the other library's object say. It is kept until nothing of this library is
/// on its way on the stream, then dropped on a thread of this library; also where the call is refused.
///
/// # Contexts
/// A stream of the device's own context is a stream of the device. That context is the primary one, as with the runtime
/// API, unless the device was opened with [`Builder::open_context`]. A stream of any other context, a green one too, brings
/// a device of its own, which [`Stream::device`] gives and which keeps `owner` for as long as anything of it is used: one
/// for all streams of that context, with gates if `device` has them. Two threads that take in its first two streams at once
/// may bring two.
///
/// # Taking it in twice
/// The same stream taken in again, while it is held here, is the same [`Stream`], and the second `owner` is dropped at
/// once. That holds through another device over the same context too (each call of [`open`](crate::open) gives one): the
/// stream stays with the device with which it came first, uses that one's buffers and gates, and ends when that is shut
/// down. A stream that [`expose`] gave out is the same when it is taken in, with the same id, points and failures; only
/// [`Statistics::elided`](syncpoint_core::Statistics::elided) is counted for each of the two.
///
/// # Safety
/// - `stream` is a stream of the driver's, none of its default streams, and lives for as long as `owner` does, and with it
///   the context that it is of.
///
/// # Errors
/// `Misuse(WrongDevice)`: `device` is of another backend. `Misuse(StaleHandle)`: the handle is null or stands for a default
/// stream, which has a call of its own. `Misuse(Capturing)`: the stream is captured into a graph, which taking it in would
/// break. `Unsupported`: its context has no gates, and `device` does. The driver's.
///
/// # Examples
/// What another library launches on its own stream is timed and awaited here (`examples/borrowed.rs` does it with cudarc):
/// ```no_run
/// # fn main() -> syncpoint::Result<()> {
/// # use std::{sync::Arc, time::Duration};
/// # let theirs = Arc::new(0x1000_usize);
/// # let handle = std::ptr::with_exposed_provenance_mut(*theirs);
/// let device = syncpoint::open("cuda:0")?;
/// // SAFETY: the stream of this handle lives for as long as its owner, which is given along.
/// let stream = unsafe { syncpoint::cuda::borrow(&device, handle, Arc::clone(&theirs)) }?;
/// let start = stream.record_timed()?;
/// // the other library launches
/// let end = stream.record_timed()?;
/// end.synchronize_timeout(Duration::from_secs(10))?;
/// println!("{:?}", end.elapsed_since(&start)?);
/// # Ok(())
/// # }
/// ```
#[doc(alias("external stream", "from_raw"))]
pub unsafe fn borrow<O>(device: &Device, stream: *mut c_void, owner: O) -> Result<Arc<Stream>>
where
    O: Any + Send + Sync,
{
    let owner = Owner::new(owner);
    let context = context_of(device)?;
    let address = stream.expose_provenance();
    if address <= HIGHEST_SENTINEL {
        let message = format!(
            "{address:#x} is no handle of a stream that somebody made; ask for legacy_stream or per_thread_stream"
        );
        return Err(Error::misuse(Reason::StaleHandle, message));
    }
    // SAFETY: the caller's duty is the same, and the owner is kept with the stream.
    let native = unsafe { sys::Stream::borrow(context.primary(), address) };
    context.check()?;
    let refused = |refusal: &sys::Refusal| refused_of_either(&context, refusal);
    refuse_capture(&native, refused)?;
    let its = native.context_address().map_err(|refusal| refused(&refusal))?;
    if context.primary().is_at(its) {
        return known(device, &context, native, (Some(owner), None));
    }
    // SAFETY: the context lives for as long as its stream does, and the owner is kept with both.
    let primary = unsafe { taken_in(context.primary().library(), its) }?;
    let (device, owner) = device_beside(&context, primary, owner)?;
    let context = context_of(&device)?;
    // SAFETY: as above; where it is not given back, the context keeps the owner, and the stream the context.
    let native = unsafe { sys::Stream::borrow(context.primary(), address) };
    known(&device, &context, native, (owner, None))
}

/// Until a stream is known to be of our context, what is refused says nothing of that: theirs may be broken, or ours.
#[cold]
fn refused_of_either(context: &Arc<Context>, refusal: &sys::Refusal) -> Error {
    if refusal.meaning() == Meaning::Lost && context.is_broken_too() {
        return context.refused(refusal);
    }
    refused_of_others(context.primary().library(), refusal)
}

/// The device over another context that is known already, or else a new one, which then keeps the owner.
fn device_beside(
    context: &Arc<Context>,
    primary: sys::Primary,
    owner: Owner,
) -> Result<(Device, Option<Owner>)> {
    let identity = primary.identity();
    let identity = identity.map_err(|refusal| refused_of_others(primary.library(), &refusal))?;
    if let Some(device) = known::device_over(identity) {
        return Ok((device, Some(owner)));
    }
    Ok((device_of_others(primary, context.gates(), owner)?, None))
}

/// To ask a stream which one it is breaks its capture: NVIDIA's own libraries ask none that captures.
fn refuse_capture(
    native: &sys::Stream,
    refused: impl FnOnce(&sys::Refusal) -> Error,
) -> Result<()> {
    if !native.is_capturing().map_err(|refusal| refused(&refusal))? {
        return Ok(());
    }
    let message = format!(
        "the stream {:#x} is captured, and asking which one it is would break that; take it in before or after",
        native.address()
    );
    Err(Error::misuse(Reason::Capturing, message))
}

/// Null, and the numbers that stand for default streams.
const HIGHEST_SENTINEL: usize = 2;

/// The legacy default stream of a device's context, which all streams that are not non-blocking wait for, and which waits for
/// them: so two laws do not hold on it, that a wait holds back later work only, and that a blocked stream holds back no other.
/// It is one for all devices over the same context of the driver's, as with [`borrow`], and ends with the one that asked
/// first, where that is shut down; asked for again, it is another device's.
///
/// # Errors
/// `Misuse(WrongDevice)`: the device is of another backend. `Misuse(Capturing)`: another stream is captured so that the driver
/// does not say which one this is. The driver's.
pub fn legacy_stream(device: &Device) -> Result<Arc<Stream>> {
    let context = context_of(device)?;
    let native = sys::Stream::legacy(context.primary());
    known(device, &context, native, (None, None))
}

/// The default stream of this thread on a device. Other threads cannot use it (`Misuse(WrongThread)`); its points go
/// anywhere.
///
/// # Errors
/// As [`legacy_stream`]; `Misuse(Capturing)` while the stream is captured into a graph.
pub fn per_thread_stream(device: &Device) -> Result<Arc<Stream>> {
    let context = context_of(device)?;
    let native = sys::Stream::per_thread(context.primary());
    context.check()?;
    refuse_capture(&native, |refusal| context.refused(refusal))?;
    known(device, &context, native, (None, Some(thread::current().id())))
}

/// The stream that somebody has of it already, or else a new one, with what keeps it alive and the thread that alone may use
/// it.
fn known(
    device: &Device,
    context: &Arc<Context>,
    native: sys::Stream,
    (owner, thread): (Option<Owner>, Option<ThreadId>),
) -> Result<Arc<Stream>> {
    context.check()?;
    let identified = identify(context, &native, thread);
    let key = identified.map_err(|refusal| context.refused(&refusal))?;
    if let Some(stream) = known::find(&key) {
        return Ok(stream);
    }
    let priority = native.priority().map_err(|refusal| context.refused(&refusal))?;
    let driver = CudaStream::over(context, native, owner, thread);
    let made = device.stream_of(None, priority, |timeline| {
        Ok(HeldStream::borrowed(timeline, domain(), driver, 0))
    })?;
    Ok(known::add(key, Arc::new(made)))
}
