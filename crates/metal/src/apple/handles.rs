//! Objects of Metal's given out and taken in: devices, command queues, shared events.

use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::ProtocolObject;
use objc2_metal::{MTLCommandQueue, MTLDevice, MTLSharedEvent};
use syncpoint_core::{Device, Error, Event, Reason, Result, Stream, Timeline};

use super::calls::{Metal, RawQueue, SharedEvent};
use super::devices;
use crate::context::Limits;
use crate::device::{context_of, open_over};
use crate::event::signal_of;
use crate::handles;

/// Takes in a device that others made. Its streams are queues of their own. From any thread; makes one object of Metal's, and
/// blocks no longer than that takes.
///
/// # Errors
/// `Unavailable`: Metal was in use as this process was forked, or makes no shared events here.
pub fn open_device(device: Retained<ProtocolObject<dyn MTLDevice>>) -> Result<Device> {
    devices::begin()?;
    let name = format!("metal device {:#x}", registry_id(&device));
    open_over(name, Metal::new(device), Limits::default())
}

fn registry_id(device: &ProtocolObject<dyn MTLDevice>) -> u64 {
    autoreleasepool(|_| device.registryID())
}

/// The device of Metal behind a device. From any thread; blocks on nothing, and calls nothing of Metal's.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is of another backend.
pub fn device_handle(device: &Device) -> Result<Retained<ProtocolObject<dyn MTLDevice>>> {
    Ok(context_of::<Metal>(device)?.calls().device.clone())
}

/// Takes in a queue to which other code commits too. Its mode is `Borrowed`: a record comes behind what that code has
/// committed, and what the stream waits for holds back what that code commits later.
///
/// `room` (at least 3) is how many command buffers of this queue the library may have in flight, over all streams that were
/// taken in from the queue. Metal blocks whoever exceeds the queue's own limit, and cannot be asked how many are free: 64
/// for `newCommandQueue`; 320 for the queue of a stream that was [given out](expose), which takes up to 256 itself. So leave
/// the other code what it needs: 32 of 64, say. While `room` is used up, behind a gate for example, a call that adds work
/// waits, first come first served, up to 30 s after the last completion, and is then refused as `Exhausted`. An operation may
/// take two and begins where four are left (with a `room` of 3, when nothing is in flight); a function of `submit` has one
/// until it returns. Where several streams of one queue have different rooms, functions of the one with more may fill the
/// room of the other. Do not put long waits or long `submit` functions on such a queue: use a stream of the device's own.
///
/// Do not take in a queue that is only lent to a function of `submit`: [give it out](expose) first, else its command buffers
/// are counted twice.
///
/// A device waits for some seconds at most: what the stream waits for while others may commit behind it, such as a gate or a
/// host function, fails it with `MTLCommandBufferErrorTimeout` where it takes longer. What others have enqueued and not committed
/// holds up what the stream puts behind it.
///
/// May be called from any thread; makes one object of Metal's, and blocks no longer than that takes.
///
/// # Errors
/// `Misuse(WrongDevice)`: the queue is of another device than `device`, or `device` of another backend.
/// `Misuse(OutOfRange)`: `room` is less than 3. `DeviceLost`; `Exhausted`: there is no room for a shared event.
/// `Unavailable`: the device is the parent's, from which this process was forked, or the process exits.
pub fn borrow(
    device: &Device,
    queue: Retained<ProtocolObject<dyn MTLCommandQueue>>,
    room: usize,
) -> Result<Stream> {
    let ours = device_handle(device)?;
    if autoreleasepool(|_| queue.device().registryID()) != registry_id(&ours) {
        let message =
            format!("the queue is of another device than {device}; take it in with its own");
        return Err(Error::misuse(Reason::WrongDevice, message));
    }
    handles::borrow::<Metal>(device, RawQueue { queue }, room)
}

/// Gives out the command queue of a stream that was made here. From now on, for ever, others may commit to it: its mode is
/// `Exposed`, each record of it is a command buffer, and nothing of it is held on the host any more. From any thread; waits
/// for whoever submits to the stream at the time.
///
/// There is room for 64 command buffers of others in the queue; one more stops whoever asks for it. What others have enqueued and
/// not committed holds up what the stream puts behind it, and a device waits for some seconds at most, as with [`borrow`].
///
/// # Errors
/// `Misuse(Held)`: the stream holds work on the host, which what others commit would overtake; synchronize it.
/// `Misuse(WrongDevice)`: it is a stream of another backend.
pub fn expose(stream: &Stream) -> Result<Retained<ProtocolObject<dyn MTLCommandQueue>>> {
    handles::expose::<Metal, _>(stream, |raw| raw.queue.clone())
}

/// The shared event that an event owns, and the value that its latest record signals which was committed: what a managed
/// stream still holds is not among them. The event was made with
/// [`native_handle`](syncpoint_core::EventOptionsBuilder::native_handle). A record on another stream, while the one before
/// is pending, goes on with another shared event: so ask after each record.
///
/// # Errors
/// `Unsupported`: it has none. `Misuse(NotRecorded)`: it belongs to no device yet. `Misuse(WrongDevice)`: it is not of
/// Metal. `Exhausted`, where it is made by this call.
pub fn event_handle(event: &Event) -> Result<(Retained<ProtocolObject<dyn MTLSharedEvent>>, u64)> {
    let (shared, value) = signal_of::<Metal>(event)?;
    Ok((shared.0.clone(), value))
}

/// The values of a shared event that others raise: points of them are waited for, awaited, timed out and traced like any
/// other, by streams of any backend. We never signal it. From any thread; blocks on nothing.
///
/// # Errors
/// `Unavailable`: Metal was in use as this process was forked.
pub fn timeline(event: Retained<ProtocolObject<dyn MTLSharedEvent>>) -> Result<Timeline> {
    devices::begin()?;
    Ok(handles::timeline::<Metal>(SharedEvent(event)))
}
