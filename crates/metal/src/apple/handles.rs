//! Objects of Metal's given out and taken in: devices, command queues, shared events.

use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::ProtocolObject;
use objc2_metal::{MTLCommandQueue, MTLDevice, MTLSharedEvent};
use syncpoint_core::{Device, Error, Event, Reason, Result, Stream, Timeline};

use super::calls::{Metal, RawQueue, SharedEvent};
use super::devices;
use crate::context::Limits;
use crate::device::{context_of, device_over};
use crate::event::signal_of;
use crate::handles;

/// Takes in a device that others made. Its streams are queues of their own. From any thread; blocks on nothing.
///
/// # Errors
/// `Unavailable`: Metal was in use as this process was forked.
pub fn open_device(device: Retained<ProtocolObject<dyn MTLDevice>>) -> Result<Device> {
    devices::begin()?;
    let name = format!("metal device {:#x}", registry_id(&device));
    Ok(device_over(name, Metal::new(device), Limits::default()))
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

/// Takes in a queue to which others commit too. Its mode is `Borrowed`: a record comes behind what they have committed,
/// and what the stream waits for holds back what they commit later.
///
/// `room`: so many command buffers of the queue are ours at a time, also where it was taken in several times: then those of
/// all these streams, and each begins nothing where there are more than its own number leaves room for. The queue counts
/// theirs and ours, and Metal cannot be asked how many it has room for: 64 where it was made by `newCommandQueue`, and 320
/// where a stream of ours was [given out](expose), which has up to 256 of them itself. One without room stops whoever asks
/// it for a command buffer, for as long as the device stands still: leave to the others as many as they need, 32 of 64, say.
/// Behind what has not come, a gate for example, an operation that finds none of ours waits for room, in turn and up to thirty
/// seconds after the last end, and is then refused. One may take two, and begins where four are left; where `room` is three,
/// once nothing of ours is on its way. A function of `submit` has one until it returns, and begins where it leaves two for what it
/// may wait for. Where several streams have rooms of their own over a queue, functions of one with more may fill all
/// that another has: that one begins nothing before they return. Take a stream of the device's own where you would wait for
/// much.
///
/// A queue that is only lent, to a function of `submit`, is not to be taken in: [give it out](expose) first, or what is on its
/// way there is counted twice over, and it is more than there is room for.
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
/// There is room for 64 command buffers of others in the queue; one more stops whoever asks for it.
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
