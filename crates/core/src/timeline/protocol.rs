//! The protocol of a timeline: what is complete, what has failed, and who is woken, whoever owns it.

use std::mem::ManuallyDrop;
use std::task::Waker;

use syncpoint_base::Process;

use super::eras::Eras;
use super::progress::Progress;
use super::wakers::{Ticket, Wakers, Whose, Woken};
use crate::error::Error;
use crate::observe;
use crate::point::State;
use crate::sync::{AtomicU64, Lock, Ordering};

/// The protocol of a timeline, apart from who owns it, so that a model can run it and a stream can have a second row.
///
/// In this order, so that what the host writes with each enqueue and what the stream's owner writes with each
/// completion lie on different cache lines: on one, each would wait for the other's core (the row `worker beside` of
/// `docs/costs.md` is where that would show).
#[repr(C)]
pub(crate) struct Core {
    pub(super) progress: Progress,
    /// The first value after every failed era: 0 while nothing ever failed, the maximum while an era fails. Read after
    /// the completed value: whoever sees a value of a later era complete sees this raised before it.
    pub(super) floor: AtomicU64,
    /// Guards the waiters and the eras. A leaf: nothing is called and no other lock is taken under it.
    pub(super) leaf: Lock<Leaf>,
    enqueued: AtomicU64,
    /// The process that made it. In a child of it every value has failed, and nobody is listed.
    process: Process,
}

pub(super) struct Leaf {
    pub(super) wakers: Wakers,
    pub(super) eras: Eras,
}

impl Core {
    pub(crate) fn new(enqueued: u64) -> Self {
        Self {
            progress: Progress::new(0),
            floor: AtomicU64::new(0),
            enqueued: AtomicU64::new(enqueued),
            leaf: Lock::new(Leaf { wakers: Wakers::default(), eras: Eras::default() }),
            process: Process::current(),
        }
    }

    #[inline]
    pub(super) fn is_inherited(&self) -> bool {
        !self.process.is_current()
    }

    /// Sets the waiting bit, for [`Progress::announce`].
    pub(super) fn announce(&self) -> u64 {
        self.progress.announce()
    }

    #[inline]
    pub(super) fn process(&self) -> Process {
        self.process
    }

    #[inline]
    pub(super) fn enqueued(&self) -> u64 {
        // Acquire: pairs with the release in `enqueue`, so that a point names work that the reader can see enqueued.
        self.enqueued.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn enqueue(&self, value: u64) {
        // Release: pairs with the acquire in `enqueued`.
        self.enqueued.store(value, Ordering::Release);
    }

    /// Says that a row of others has come so far: nobody here knows what is enqueued beyond.
    pub(super) fn come(&self, value: u64) {
        // Release: pairs with the acquire in `enqueued`.
        self.enqueued.fetch_max(value, Ordering::Release);
        self.complete(value);
    }

    /// Whether somebody is listed.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.leaf.lock().wakers.is_empty()
    }

    /// The largest value complete.
    #[inline]
    pub(crate) fn completed(&self) -> u64 {
        self.progress.completed()
    }

    /// Whether this process made it, and no observer has to be told of what is done here. One look.
    #[inline]
    pub(super) fn is_undisturbed(&self) -> bool {
        self.process.is_current_and_unwatched() && (!cfg!(syncpoint_loom) || !observe::active())
    }

    #[inline]
    pub(super) fn is_complete(&self, value: u64) -> bool {
        self.has_completed(value) && !self.is_inherited()
    }

    /// The same, where the caller knows of what process it is.
    #[inline]
    pub(super) fn has_completed(&self, value: u64) -> bool {
        // Acquire on `floor`: pairs with the release in `fail` and `recover`. The acquire in `completed` orders this
        // load after it.
        self.progress.completed() >= value && value >= self.floor.load(Ordering::Acquire)
    }

    pub(super) fn state(&self, value: u64) -> State {
        if self.is_complete(value) {
            return State::Complete;
        }
        if self.never_failed() {
            return State::Pending;
        }
        let leaf = self.leaf.lock();
        self.settled(&leaf, value).unwrap_or(State::Pending)
    }

    #[inline]
    pub(super) fn never_failed(&self) -> bool {
        // Acquire: as in `has_completed`.
        self.floor.load(Ordering::Acquire) == 0
    }

    /// What has become of a value, seen under the lock; `None` while it is pending.
    fn settled(&self, leaf: &Leaf, value: u64) -> Option<State> {
        if let Some(error) = leaf.eras.failure_of(value) {
            return Some(State::Failed(error.clone()));
        }
        (self.progress.completed() >= value).then_some(State::Complete)
    }

    pub(super) fn pending(&self, enqueued: u64) -> u64 {
        let leaf = self.leaf.lock();
        let completed = self.progress.completed();
        enqueued.saturating_sub(completed + leaf.eras.failed_between(completed, enqueued))
    }

    #[inline]
    pub(super) fn is_failing(&self) -> bool {
        // Acquire: as in `has_completed`.
        self.floor.load(Ordering::Acquire) == u64::MAX
    }

    pub(super) fn failure(&self) -> Option<Error> {
        if !self.is_failing() {
            return None;
        }
        self.leaf.lock().eras.failing().cloned()
    }

    #[inline]
    pub(crate) fn complete(&self, value: u64) {
        if self.progress.advance(value) {
            self.take_due().wake();
        }
    }

    /// Takes the waiters that are due, and looks again whenever new ones had to be announced for later values.
    fn take_due(&self) -> Woken {
        let mut leaf = self.leaf.lock();
        let mut completed = self.progress.completed();
        let due = leaf.wakers.take_due(completed);
        // Whoever stays needs the bit; while it was clear a later value may have completed unseen.
        while !leaf.wakers.is_empty() && completed < self.progress.announce() {
            completed = self.progress.completed();
            let more = leaf.wakers.take_due(completed);
            drop(leaf);
            more.wake();
            // A waker forked: who is left waits for the parent.
            if self.is_inherited() {
                let _left_alone = ManuallyDrop::new(due);
                return Woken::default();
            }
            leaf = self.leaf.lock();
        }
        drop(leaf);
        due
    }

    pub(crate) fn fail(&self, from: u64, error: Error) -> Woken {
        let mut leaf = self.leaf.lock();
        if let Err(late) = leaf.eras.begin(from, error) {
            drop(leaf);
            drop(late);
            return Woken::default();
        }
        // Release: pairs with the acquire in `has_completed`.
        self.floor.store(u64::MAX, Ordering::Release);
        leaf.wakers.take_from(from)
    }

    pub(super) fn leave_unheard(&self) {
        self.leaf.lock().eras.leave_unheard();
    }

    pub(super) fn hear(&self) {
        self.leaf.lock().eras.hear();
    }

    pub(super) fn is_unheard(&self) -> bool {
        self.leaf.lock().eras.is_unheard()
    }

    pub(crate) fn recover(&self, upto: u64) -> Option<Error> {
        self.end_era(upto, || {})
    }

    /// The same, and `first` is enqueued: who sees the era ended sees it enqueued, and finds it not failed whenever it is seen.
    pub(crate) fn renew(&self, upto: u64, first: u64) -> Option<Error> {
        self.end_era(upto, || self.enqueue(first))
    }

    fn end_era(&self, upto: u64, enqueue: impl FnOnce()) -> Option<Error> {
        let mut leaf = self.leaf.lock();
        let error = leaf.eras.end(upto)?;
        // Before the floor, which is read without the lock. Who sees the value before that finds the era failing, and takes
        // the lock to look closer.
        enqueue();
        // Release: pairs with the acquire in `has_completed`. The owner completes no value above `upto` before this.
        self.floor.store(upto + 1, Ordering::Release);
        Some(error)
    }

    pub(crate) fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
        self.list(value, waker, Whose::Ours)
    }

    #[inline]
    pub(super) fn list(&self, value: u64, waker: Waker, whose: Whose) -> Option<Ticket> {
        if self.is_inherited() {
            return None;
        }
        let mut leaf = self.leaf.lock();
        if leaf.eras.failure_of(value).is_some() {
            return None;
        }
        let ticket = leaf.wakers.insert(value, waker, whose);
        if self.progress.announce() < value {
            return Some(ticket);
        }
        let waker = leaf.wakers.remove(ticket);
        drop(leaf);
        drop(waker);
        None
    }

    pub(crate) fn unregister(&self, ticket: Ticket) {
        if self.is_inherited() {
            return;
        }
        let waker = self.leaf.lock().wakers.remove(ticket);
        drop(waker);
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_failed_era_stays_failed_after_recovery() {
        let core = Core::new(0);
        core.complete(2);
        core.fail(4, Error::failed("on purpose")).wake();
        core.complete(3);
        assert!(matches!(core.state(2), State::Complete));
        assert!(matches!(core.state(3), State::Complete));
        assert!(matches!(core.state(4), State::Failed(_)));
        assert!(core.recover(6).is_some());
        assert!(core.recover(6).is_none());
        core.complete(7);
        for (value, complete) in [(3, true), (4, false), (6, false), (7, true)] {
            assert_eq!(matches!(core.state(value), State::Complete), complete, "value {value}");
            assert_eq!(matches!(core.state(value), State::Failed(_)), !complete, "value {value}");
        }
        assert!(matches!(core.state(8), State::Pending));
    }

    #[test]
    fn the_first_cause_of_an_era_stays() {
        let core = Core::new(0);
        core.fail(1, Error::failed("first")).wake();
        core.fail(1, Error::failed("second")).wake();
        assert_eq!(core.failure().map(|error| error.to_string()), Some("first".to_owned()));
    }

    #[test]
    fn what_still_ran_when_the_rest_was_cancelled_may_fail_by_itself() {
        let core = Core::new(0);
        core.fail(3, Error::failed("cancelled")).wake();
        let running = core.register(2, Waker::noop().clone());
        assert!(running.is_some() && matches!(core.state(2), State::Pending));
        core.fail(2, Error::failed("its own")).wake();
        let cause = |value| match core.state(value) {
            State::Failed(error) => error.to_string(),
            state => format!("{state:?}"),
        };
        assert_eq!([cause(2), cause(3)], ["its own", "cancelled"]);
        assert_eq!(core.recover(5).map(|error| error.to_string()), Some("cancelled".to_owned()));
        assert_eq!([cause(2), cause(5), cause(6)], ["its own", "cancelled", "Pending"]);
    }

    #[test]
    fn what_has_failed_is_not_pending() {
        let core = Core::new(0);
        core.complete(2);
        core.fail(5, Error::failed("on purpose")).wake();
        assert_eq!([core.pending(2), core.pending(4), core.pending(9)], [0, 2, 2]);
        assert!(core.recover(9).is_some());
        assert_eq!(core.pending(12), 2 + 3, "in the new era what it enqueues is");
        core.complete(10);
        assert_eq!(core.pending(12), 2);
    }

    #[test]
    fn completion_never_falls_back() {
        let core = Core::new(0);
        core.complete(9);
        core.complete(4);
        assert_eq!(core.progress.completed(), 9);
    }
}
