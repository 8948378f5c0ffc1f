//! Counters of others: a row of values that a driver keeps and others raise, such as a timeline semaphore of theirs.
//!
//! We ask how far it is and wait for it, and never raise it. Its points are as all points: streams of any backend, host
//! waits, futures and notifications wait for them. While somebody does, a thread of the counter's own sleeps in the driver,
//! in slices, and wakes with each raise: a value that is asked for meanwhile may be smaller than the one slept for.

mod call;
mod heard;
#[cfg(all(test, syncpoint_loom))]
mod model;
#[cfg(all(test, not(syncpoint_loom)))]
mod tests;
mod watch;

use std::any::Any;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_base::{Inside, Process};

use self::call::Call;
use self::heard::{Heard, silent};
use super::{Owner, Timeline};
use crate::errands::Errands;
use crate::error::{Error, Kind, Reason, Result};
use crate::owner;
use crate::sync::{AtomicU64, Ordering};

/// A counter of a driver's that others raise. It only grows. Dropped on a thread of ours.
pub trait ForeignCounter: Any + fmt::Debug + Send + Sync {
    /// How far it has come, by one call of the driver that does not block.
    ///
    /// # Errors
    /// `DeviceLost`: it comes no further, and everything fails that it was not seen to have come to. Whatever else is
    /// refused is asked again; refused for a second on end, whoever asks, it counts as lost. `Exhausted` is asked again for
    /// ever.
    fn look(&self) -> Result<u64>;

    /// Sleeps until it has come to `value`, and no longer than a slice; may wake early. Says whether it has come. Called on
    /// a thread of ours, which has [entered](Inside) the driver, and under no lock.
    ///
    /// # Errors
    /// `DeviceLost`: as [`look`](Self::look). Whatever else is refused, looks take the place of sleeps.
    fn sleep(&self, value: u64, slice: Duration) -> Result<bool>;
}

/// A counter of others, and what is known of it.
pub(crate) struct Foreign {
    /// There until the drop.
    counter: Option<Arc<dyn ForeignCounter>>,
    seen: Seen,
    call: Call,
    watchers: Arc<Errands<Timeline>>,
    heard: Heard,
    /// The process that took it in: a child neither asks nor drops it.
    process: Process,
}

/// What a counter was last seen at, and whether it was found lost since: one word, so that no value is told complete that
/// fails as well.
struct Seen(AtomicU64);

/// The counter is lost. Values end below, as those of every timeline do.
const LOST: u64 = 1 << 63;

impl Timeline {
    /// The timeline of a counter that others raise.
    #[doc(hidden)]
    pub fn of_counter(counter: Arc<dyn ForeignCounter>, label: Option<&str>) -> Self {
        Self::new(Owner::Foreign(Box::new(Foreign::new(counter))), 0, label)
    }

    /// Why nobody could ask others the last time, where that was so.
    pub(crate) fn refusal_of_others(&self) -> Option<Error> {
        self.foreign().and_then(|foreign| foreign.heard.refusal())
    }

    fn foreign(&self) -> Option<&Foreign> {
        match &self.0.owner {
            Owner::Foreign(foreign) if !self.is_inherited() => Some(foreign),
            Owner::Foreign(_) | Owner::Stream(_) | Owner::Gate(_) | Owner::Capture(_) => None,
        }
    }

    /// Asks the counter of others behind this, where there is one, how far it is.
    pub(crate) fn ask_others(&self) {
        if let Some(foreign) = self.foreign() {
            foreign.ask(self);
        }
    }

    /// Somebody is listed with the values of others, where these are: their coming is to be noticed.
    pub(crate) fn expect_others(&self) {
        if let Some(foreign) = self.foreign() {
            foreign.expect(self);
        }
    }
}

impl Foreign {
    fn new(counter: Arc<dyn ForeignCounter>) -> Self {
        Self {
            counter: Some(counter),
            seen: Seen(AtomicU64::new(0)),
            call: Call::default(),
            watchers: Errands::new("syncpoint-counter"),
            heard: Heard::default(),
            process: Process::current(),
        }
    }

    fn counter(&self) -> &dyn ForeignCounter {
        self.counter.as_deref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    fn ask(&self, timeline: &Timeline) {
        // A thread that waits while the process exits goes on waiting, in silence.
        let Some(inside) = Inside::enter() else { return };
        let looked = self.counter().look();
        drop(inside);
        self.hear(timeline, looked);
        // Who waits may be left without a thread. Where a waker forked, in its child nobody is called.
        if !timeline.is_inherited() && self.call.is_due(|| self.is_needed(timeline)) {
            self.expect(timeline);
        }
    }

    /// What the driver says becomes known. Under no lock: it wakes who waits.
    fn hear(&self, timeline: &Timeline, said: Result<u64>) {
        let loss = self.heard.note(&said);
        match (said, loss) {
            (Ok(value), _) => self.come(timeline, value),
            (Err(error), _) if error.kind() == Kind::DeviceLost => self.lose(timeline, error),
            (Err(_), Some(error)) => self.lose(timeline, silent(timeline, error)),
            // Worth asking again.
            (Err(_), None) => {}
        }
    }

    fn come(&self, timeline: &Timeline, value: u64) {
        let Some(known) = self.seen.raise(value) else { return };
        timeline.0.core.come(known);
        // Where a waker forked, who is left waits for the parent.
        if known < value && !timeline.is_inherited() {
            timeline.fail(LOST, beyond(timeline)).wake();
        }
    }

    fn lose(&self, timeline: &Timeline, error: Error) {
        if let Some(last) = self.seen.lose() {
            timeline.fail(last + 1, error).wake();
        }
    }

    /// Somebody waits. Where no thread can be made, the next that waits or asks calls it; threads of the host that wait
    /// look by themselves.
    fn expect(&self, timeline: &Timeline) {
        while self.call.begin(|| self.is_needed(timeline)) {
            let is_there = self.watchers.offer(timeline.clone(), watch::serve).is_ok();
            if is_there || !self.call.give_up() {
                return;
            }
        }
    }

    /// Whether somebody waits who can still hear of it.
    fn is_needed(&self, timeline: &Timeline) -> bool {
        timeline.0.core.is_awaited() && !self.seen.is_lost()
    }

    /// Whether the thread stays. Where it does not, the next that waits calls it.
    fn stays(&self, timeline: &Timeline) -> bool {
        self.call.stays(|| self.is_needed(timeline))
    }
}

#[cold]
fn beyond(timeline: &Timeline) -> Error {
    let message = format!(
        "the counter of {timeline} has come to 2^63 or beyond, and values of a timeline end below; wait for smaller ones"
    );
    Error::misuse(Reason::OutOfRange, message)
}

impl Seen {
    /// Notes a value. `None`: the counter was lost before, and what it says now is not believed.
    fn raise(&self, value: u64) -> Option<u64> {
        let value = value.min(LOST - 1);
        let raise = |seen: u64| (seen & LOST == 0).then(|| seen.max(value));
        // Relaxed: only the order of the changes to this word counts.
        let raised = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise);
        raised.ok().map(|_before| value)
    }

    /// Notes the loss; gives the last value seen, the first time.
    fn lose(&self) -> Option<u64> {
        // Relaxed: as above.
        let before = self.0.fetch_or(LOST, Ordering::Relaxed);
        (before & LOST == 0).then_some(before)
    }

    fn is_lost(&self) -> bool {
        // Relaxed: as above.
        self.0.load(Ordering::Relaxed) & LOST != 0
    }

    /// The next value that is news.
    fn next(&self) -> u64 {
        // Relaxed: as above.
        (self.0.load(Ordering::Relaxed) & !LOST) + 1
    }
}

/// The last name of a timeline may go under any lock, also where no thread can be made, and the end of the counter is the
/// user's.
impl Drop for Foreign {
    fn drop(&mut self) {
        let counter = self.counter.take();
        if self.process.is_current() {
            drop(owner::Owner::new(counter));
        } else {
            let _parents = ManuallyDrop::new(counter);
        }
    }
}
