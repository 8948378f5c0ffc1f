//! Handles given out and taken in: queues that others commit to as well, and shared events that others raise.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::ForeignCounter;
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Device, Error, Reason, Result, Stream, Timeline};

use crate::calls::Calls;
use crate::device::context_of;
use crate::known;
use crate::own::Own;
use crate::room::{Room, SMALLEST};
use crate::stream::MetalStream;
use crate::sync::{Condvar, Mutex, lock, wait_at_most};

/// Takes in a queue that others commit to, of which so many command buffers are ours, those of all streams that were made
/// over it so. The caller sees to it that it is one of the device's.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no device over such calls. `Misuse(OutOfRange)`: there is too little room. `DeviceLost`;
/// `Exhausted`; `Unavailable`: the process exits.
pub fn borrow<C: Calls>(device: &Device, queue: C::Queue, room: usize) -> Result<Stream> {
    let context = context_of::<C>(device)?;
    if room < SMALLEST {
        return Err(too_little(room));
    }
    let room = Room::on(known::out_of(C::identity(&queue)), room);
    let _inside = context.enter()?;
    device.stream_of(None, 0, |timeline| {
        let driver = MetalStream::over(&context, queue, room, &timeline)?;
        let stream = HeldStream::borrowed(timeline, context.domain(), driver, 0);
        // As where a device makes one.
        context.check()?;
        Ok(stream)
    })
}

#[cold]
fn too_little(room: usize) -> Error {
    let message = format!(
        "{room} command buffers of a queue are too few for a stream; leave it {SMALLEST} at least, such as 32 of the 64 that \
         an ordinary queue has room for"
    );
    Error::misuse(Reason::OutOfRange, message)
}

/// Gives out the queue of a stream with `give`, to which others may commit from now on, for ever.
///
/// # Errors
/// `Misuse(Held)`: the stream holds work on the host, which what others commit would overtake. `Misuse(WrongDevice)`: it
/// is a stream of another backend.
pub fn expose<C: Calls, R>(stream: &Stream, give: impl FnOnce(&C::Queue) -> R) -> Result<R> {
    let held = HeldStream::<MetalStream<C>>::exposed(stream, "Metal")?;
    let driver = held.driver();
    // Before anybody could take it in.
    known::enter(C::identity(driver.queue()), driver.row().room().out());
    Ok(give(driver.queue()))
}

/// The values of a shared event that others raise, to wait for.
pub fn timeline<C: Calls>(event: C::Event) -> Timeline {
    Timeline::of_counter(Arc::new(Counter::<C>(Own::new(event))), Some("shared event"))
}

/// A shared event of others.
struct Counter<C: Calls>(Own<C, C::Event>);

impl<C: Calls> ForeignCounter for Counter<C> {
    /// A shared event outlives its device, and tells nothing of its end.
    fn look(&self) -> Result<u64> {
        Ok(C::signaled(&self.0))
    }

    fn sleep(&self, value: u64, slice: Duration) -> Result<bool> {
        let slept = C::sleep(&self.0, value, slice);
        Ok(slept.unwrap_or_else(|| doze(|| C::signaled(&self.0), value, slice)))
    }
}

/// How long who waits dozes between two looks, where Metal does not wait for events.
const DOZE: Duration = Duration::from_millis(1);

/// Waits by looking, no longer than this. Says whether the value has come.
fn doze(look: impl Fn() -> u64, value: u64, longest: Duration) -> bool {
    let begun = Instant::now();
    let (nobody, rings) = (Mutex::new(()), Condvar::new());
    while look() < value {
        if begun.elapsed() >= longest {
            return false;
        }
        drop(wait_at_most(&rings, lock(&nobody), DOZE));
    }
    true
}

impl<C: Calls> fmt::Debug for Counter<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn who_dozes_looks_until_the_value_has_come() {
        let looks = Cell::new(0);
        let look = || looks.replace(looks.get() + 1);
        assert!(doze(look, 3, Duration::from_secs(600)));
        assert_eq!(looks.get(), 4, "and no longer");
    }

    #[test]
    fn who_dozes_gives_up_when_it_has_lasted_for_so_long() {
        let begun = Instant::now();
        assert!(!doze(|| 2, 3, DOZE * 3));
        assert!(begun.elapsed() >= DOZE * 3, "and no earlier");
    }
}
