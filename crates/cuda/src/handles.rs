//! Handles given out and taken in: streams that others launch on too.

#![expect(unsafe_code, reason = "that a handle lives only its owner can say")]

use std::any::Any;
use std::ffi::c_void;
use std::sync::{Arc, Weak};
use std::thread::{self, ThreadId};

use syncpoint_core::contract;
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Device, Error, Reason, Result, Stream};

use crate::context::{Context, domain};
use crate::device::{Builder, context_of, device_over};
use crate::driver;
use crate::owner::Owner;
use crate::stream::{CudaStream, RawStream};
use crate::sync::lock;
use crate::sys;

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
        let borrowed = unsafe { sys::Primary::borrow(driver.library(), address) };
        let refused = |refusal: sys::Refusal| {
            let name = refusal.code().and_then(|code| driver.library().name_of(code));
            refusal.error(&"a context of others", name)
        };
        let primary = borrowed.map_err(refused)?;
        let name = match primary.number() {
            (device, Some(id)) => format!("cuda:{device} context {id}"),
            (device, None) => format!("cuda:{device} context {address:#x}"),
        };
        device_over(Context::over(primary, name, self.gates, Some(owner))?)
    }
}

/// Gives out the raw handle of a stream that was made here. From now on, for ever, others may launch on it: its mode is
/// `Exposed`, each record of it is an operation of the driver's, and nothing of it can be held on the host any more.
///
/// The handle is good for as long as the stream lives.
///
/// # Errors
/// `Misuse(Held)`: the stream holds work on the host, which what others launch would overtake; synchronize it.
/// `Misuse(WrongDevice)`: it is a stream of another backend.
pub fn expose(stream: &Stream) -> Result<RawStream> {
    stream.device().check_process()?;
    let raw: Arc<dyn contract::RawStream> = Arc::clone(stream.raw());
    let raw: Arc<dyn Any + Send + Sync> = raw;
    let Ok(held) = raw.downcast::<HeldStream<CudaStream>>() else {
        let message =
            format!("{stream} is no stream of CUDA, and has no handle; use one of cuda:0");
        return Err(Error::misuse(Reason::WrongDevice, message));
    };
    held.expose()?;
    Ok(held.driver().raw())
}

/// Takes in a stream that others made: a `CUstream` of the device's context, which is the primary one, as with the runtime
/// API, unless the device was opened with [`Builder::open_context`].
/// `owner` is kept until nothing of ours is on its way on the stream, and dropped on a thread of ours, also where the call
/// is refused.
///
/// The same stream taken in again while somebody has it is the same: the second `owner` is let go at once.
///
/// A stream that [`expose`] gave out is better used as it is: taken in, it would be a second stream here over the same one
/// of the driver's.
///
/// # Safety
/// - `stream` is a stream of the driver's, none of its default streams, and lives for as long as `owner` does.
///
/// # Errors
/// `Misuse(WrongDevice)`: the stream is of another context, or `device` of another backend. `Misuse(StaleHandle)`: the
/// handle is null or stands for a default stream, which has a call of its own. `Misuse(Capturing)`: the stream is captured
/// into a graph, which taking it in would break. The driver's.
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
    refuse_capture(&context, &native)?;
    if !native.is_of_its_context().map_err(|refusal| context.refused(&refusal))? {
        let message = format!(
            "the stream {address:#x} is of another context than {device}; open that with open_context"
        );
        return Err(Error::misuse(Reason::WrongDevice, message));
    }
    known(device, &context, native, Some(owner), None)
}

/// To ask a stream which one it is breaks its capture: NVIDIA's own libraries ask none that captures.
fn refuse_capture(context: &Arc<Context>, native: &sys::Stream) -> Result<()> {
    if !native.is_capturing().map_err(|refusal| context.refused(&refusal))? {
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

/// The legacy default stream of a device, which all streams that are not non-blocking wait for, and which waits for
/// them: so two laws do not hold on it, that a wait holds back later work only, and that a blocked stream holds back no other.
///
/// # Errors
/// `Misuse(WrongDevice)`: the device is of another backend. The driver's.
pub fn legacy_stream(device: &Device) -> Result<Arc<Stream>> {
    let context = context_of(device)?;
    let native = sys::Stream::legacy(context.primary());
    known(device, &context, native, None, None)
}

/// The default stream of this thread on a device. Other threads cannot use it (`Misuse(WrongThread)`); its points go
/// anywhere.
///
/// # Errors
/// As [`legacy_stream`]; `Misuse(Capturing)` while the stream is captured into a graph.
pub fn per_thread_stream(device: &Device) -> Result<Arc<Stream>> {
    let context = context_of(device)?;
    let native = sys::Stream::per_thread(context.primary());
    refuse_capture(&context, &native)?;
    known(device, &context, native, None, Some(thread::current().id()))
}

/// The stream that somebody has of it already, or else a new one.
fn known(
    device: &Device,
    context: &Arc<Context>,
    native: sys::Stream,
    owner: Option<Owner>,
    thread: Option<ThreadId>,
) -> Result<Arc<Stream>> {
    context.check()?;
    let identity = (native.id(), thread);
    let find = || lock(context.known()).get(&identity).and_then(Weak::upgrade);
    if let Some(stream) = find() {
        return Ok(stream);
    }
    let priority = native.priority().unwrap_or(0);
    let driver = CudaStream::over(context, native, owner, thread);
    let made = device.stream_of(None, priority, |timeline| {
        Ok(HeldStream::borrowed(timeline, domain(), driver, 0))
    })?;
    let made = Arc::new(made);
    let mut table = lock(context.known());
    table.retain(|_, stream| stream.strong_count() > 0);
    let first = table.get(&identity).and_then(Weak::upgrade);
    if first.is_none() {
        table.insert(identity, Arc::downgrade(&made));
    }
    drop(table);
    Ok(first.unwrap_or(made))
}
