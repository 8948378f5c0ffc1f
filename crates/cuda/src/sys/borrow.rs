//! Borrowing: the door through which others give us events of theirs.

use std::any::Any;
use std::ffi::c_void;

use syncpoint_core::contract::Owner;
use syncpoint_core::{Device, Error, Event, Reason, Result};

use super::event::Event as NativeEvent;
use super::types::EventHandle;
use crate::device::context_of;
use crate::event::foreign;

/// Takes in an event that others made: streams wait for it on the device, the host queries, awaits and synchronizes it,
/// and it can be recorded. It has no points, because others may record it at any time: what it holds is asked of the
/// driver at each call.
///
/// `owner` is kept for as long as anything here uses the event, and dropped then, on a thread of ours, also where the call
/// is refused: what keeps the event alive on their side.
///
/// # Errors
/// `Misuse(WrongDevice)`: the device is no CUDA device. `Misuse(StaleHandle)`: the handle is null. `DeviceLost`.
///
/// # Safety
/// - `event` is a `CUevent` of the device's context, and is destroyed by nobody before `owner` is dropped.
///
/// # Examples
/// The event of another library, kept alive by the object that it is in:
/// ```no_run
/// # fn main() -> syncpoint::Result<()> {
/// # struct Theirs { raw: *mut std::ffi::c_void }
/// # unsafe impl Send for Theirs {}
/// # unsafe impl Sync for Theirs {}
/// # fn their_event() -> Theirs { unimplemented!() }
/// let device = syncpoint::open("cuda:0")?;
/// let (stream, theirs) = (device.stream()?, their_event());
/// // SAFETY: the event lives as long as `theirs`.
/// let event = unsafe { syncpoint::cuda::borrow_event(&device, theirs.raw, theirs)? };
/// stream.wait_event(&event)?;
/// # Ok(())
/// # }
/// ```
pub unsafe fn borrow_event<O>(device: &Device, event: *mut c_void, owner: O) -> Result<Event>
where
    O: Any + Send + Sync,
{
    let owner = Owner::new(owner);
    let context = context_of(device)?;
    context.check()?;
    if event.is_null() {
        let message = "a null handle is no event; give the handle of one";
        return Err(Error::misuse(Reason::StaleHandle, message));
    }
    // SAFETY: it lives until the owner is dropped, by the caller's duty, which goes after the last use of the event.
    let native = unsafe { NativeEvent::of_others(context.primary(), EventHandle(event)) };
    Ok(foreign(device, &context, native, owner))
}
