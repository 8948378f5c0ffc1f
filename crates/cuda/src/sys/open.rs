//! Opening: the door through which streams wait on the device for events of other processes.

use syncpoint_core::{Device, Event, IpcHandle, Result};

use super::event::Event as NativeEvent;
use crate::device::context_of;
use crate::import::imported;

/// Imports an event that another process exported from a CUDA device, so that streams of this driver wait for it on the
/// device, without the host. [`Device::import_event`] gives the same event without this: then they wait through the host,
/// or, between devices with gates, for words that the other device writes; and no duty
/// comes with it.
///
/// A stream waits on the device where the exporter has given the record to its driver, and everything that was recorded
/// before on other streams has settled. Otherwise it waits through the host; streams that others launch on can do that
/// only on a device that was opened with [`device_gates`](crate::Builder::device_gates). Everything else about the event,
/// queries and host waits included, is read from memory that the two processes share, and asks no driver.
///
/// Whether the other process lives is looked at before each wait and each close. Where it has ended, the event is `Failed`
/// unless its last record was complete before, and so is every stream that waits for it, within a tenth of a second.
///
/// In the exporting process this is the event itself.
///
/// # Errors
/// `Unsupported`: one of the two drivers shares no events, or the event is of another backend; the message says which.
/// `Misuse(WrongDevice)`: `device` is no CUDA device. `Misuse(StaleHandle)`, `Failed`: as [`Device::import_event`]. The
/// driver's.
///
/// # Safety
/// NVIDIA leaves undefined what a driver does with the event of a process that has ended, or has ended the event.
/// Exporters keep it until every importer has closed it, but nothing keeps a process alive. So the duty is:
///
/// - the exporting process does not end, by a signal, an error or by itself, while a stream of this process waits for the
///   event on the device, or between the look at whether it lives and the call that follows. Where that cannot be said,
///   use [`Device::import_event`].
///
/// # Examples
/// A consumer whose streams wait for what a producer's stream has done:
/// ```no_run
/// # fn main() -> syncpoint::Result<()> {
/// # fn received() -> String { String::new() }
/// let device = syncpoint::open("cuda:0")?;
/// let handle: syncpoint::IpcHandle = received().parse()?;
/// // SAFETY: the producer waits for this process before it ends.
/// let filled = unsafe { syncpoint::cuda::open_event(&device, &handle)? };
/// device.stream()?.wait_event(&filled)?;
/// # Ok(())
/// # }
/// ```
pub unsafe fn open_event(device: &Device, handle: &IpcHandle) -> Result<Event> {
    let context = context_of(device)?;
    context.check()?;
    Event::import_with(device, handle, |import| {
        let exported = import.enter()?;
        // SAFETY: the bytes are what the exporter's driver gave, and each use looks first at whether the exporter lives;
        // that it goes on living for the length of the use is the caller's duty.
        let opened = unsafe { NativeEvent::open(context.primary(), exported) };
        match opened {
            Ok(event) => Ok(imported(&context, event, import)),
            Err(refusal) => {
                import.leave();
                Err(context.refused(&refusal))
            }
        }
    })
}
