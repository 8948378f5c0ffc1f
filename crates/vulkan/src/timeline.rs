//! Timelines of others: the values of a timeline semaphore of theirs, as points to wait for and to observe.

#![expect(unsafe_code, reason = "what a handle names only its owner can say")]

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_base::watch_driver;
use syncpoint_core::contract::{ForeignCounter, Owner};
use syncpoint_core::{Error, Reason, Result, Timeline};

use crate::driver;
use crate::sys::{SemaphoreHandles, TheirSemaphore};

/// A timeline semaphore of others, and what it is called.
#[derive(Debug)]
struct Theirs {
    semaphore: TheirSemaphore,
    name: String,
}

/// The values of a timeline semaphore of others as points: `timeline.point(7)` is complete when the semaphore is at 7 or
/// beyond. Streams of any device, host waits with deadlines, futures and notifications wait for it as for any other point,
/// whoever signals the semaphore and on whatever queue; it is never signalled here, nothing is submitted, and no queue is
/// used, so neither its lock nor a queue of its own is needed.
///
/// Asks the driver for its functions alone: the semaphore is asked with the first query or wait. Streams are held on the
/// host until a value has come. While somebody waits, a thread sleeps in the driver, 50 ms at most at a time, and wakes with
/// each signal, whatever value is waited for: of a semaphore that is signalled all the time that costs a core for as long as
/// somebody waits. Where the device is lost, all that was not seen complete fails (`DeviceLost`), for good. Values end at
/// 2^63, and `u64::MAX`, which drivers say of lost devices, is taken for a loss. Each call gives a timeline of its own, with a
/// thread that stays for ten seconds after the last wait: take a semaphore in once. `owner` is kept for as long as anybody has the timeline or a point of it, and then dropped on a
/// thread of ours, at once where the semaphore is refused.
///
/// # Safety
/// - The handles were made through the loader that this backend opens, and live for as long as `owner` does.
/// - The semaphore is a timeline semaphore of the device, which was made with their feature.
///
/// # Errors
/// `Misuse(StaleHandle)`: a handle is null. `Unavailable`: there is no loader. `Unsupported`: the device has no functions
/// for timeline semaphores; whether it was made with their feature nobody can ask.
///
/// # Examples
/// The host waits for the third frame of a renderer, a second at most:
/// ```no_run
/// # fn main() -> syncpoint::Result<()> {
/// # let (instance, device, semaphore, renderer) = (0, 0, 0, ());
/// use std::time::Duration;
///
/// let handles = syncpoint::vulkan::SemaphoreHandles { instance, device, semaphore };
/// // SAFETY: the renderer keeps all three alive, and made them through the system's loader.
/// let frames = unsafe { syncpoint::vulkan::timeline(&handles, renderer) }?;
/// frames.point(3).synchronize_timeout(Duration::from_secs(1))
/// # }
/// ```
pub unsafe fn timeline<O>(handles: &SemaphoreHandles, owner: O) -> Result<Timeline>
where
    O: Any + Send + Sync,
{
    // From here on its end comes on a thread of ours, also where it is refused.
    let owner = Owner::new(owner);
    let SemaphoreHandles { instance, device, semaphore } = *handles;
    if [instance as u64, device as u64, semaphore].contains(&0) {
        let message = "a null handle names no semaphore of Vulkan; give the handles of one";
        return Err(Error::misuse(Reason::StaleHandle, message));
    }
    let library = driver::found()?;
    let name = format!("semaphore {semaphore:#x}");
    // SAFETY: the caller's promise, and the owner is kept with the semaphore.
    let taken = unsafe { TheirSemaphore::given(library, handles, owner) };
    let Some(semaphore) = taken else {
        let message = format!(
            "the device of {name} has no timeline semaphores; make it with their feature, from Vulkan 1.2 on or with \
             VK_KHR_timeline_semaphore"
        );
        return Err(Error::unsupported(message));
    };
    // Their driver has begun, and threads of ours will be in it.
    watch_driver();
    let theirs = Theirs { semaphore, name: name.clone() };
    Ok(Timeline::of_counter(Arc::new(theirs), Some(&name)))
}

impl ForeignCounter for Theirs {
    fn look(&self) -> Result<u64> {
        self.semaphore.look().map_err(|refusal| refusal.error(&self.name))
    }

    fn sleep(&self, value: u64, slice: Duration) -> Result<bool> {
        self.semaphore.wait(value, slice).map_err(|refusal| refusal.error(&self.name))
    }
}
