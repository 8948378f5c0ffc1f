//! A timeline: a row of values that only grow, what is complete of it, what failed of it, and who waits.

mod eras;
#[cfg(all(test, syncpoint_loom))]
mod model;
mod progress;
mod wakers;

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;

use syncpoint_base::Process;
use syncpoint_trace::Operation;

pub use wakers::{Ticket, Woken};

use crate::contract::RawStream;
use crate::error::{Error, Result};
use crate::gate::GateCell;
use crate::id;
use crate::inherited;
use crate::observe::{self, Notice};
use crate::place::Place;
use crate::point::{Point, State};
use crate::sync::process::OnceLock;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use eras::Eras;
use progress::Progress;
use wakers::Wakers;

/// A row of 64-bit values that only grow; completing one completes all below it.
///
/// Every stream has one, and so has every gate. A [`Point`] is a place on it. Cloning copies the name, not the row; a
/// timeline outlives its stream for as long as somebody holds a point of it.
#[derive(Clone)]
pub struct Timeline(Arc<Line>);

struct Line {
    core: Core,
    id: u64,
    label: Option<Box<str>>,
    owner: Owner,
}

/// Who moves a timeline on.
pub(crate) enum Owner {
    /// A stream, once it is built.
    Stream(OnceLock<Adopted>),
    /// A gate.
    Gate(GateCell),
}

/// The stream of a timeline. Weak: a point keeps no stream alive.
pub(crate) struct Adopted {
    /// The type of the stream, so that a backend knows its own without a call.
    backend: TypeId,
    stream: Weak<dyn RawStream>,
}

impl Timeline {
    /// The timeline of a stream that is about to be built; `adopt` names the stream.
    pub(crate) fn for_stream(label: Option<&str>) -> Self {
        Self::new(Owner::Stream(OnceLock::new()), 0, label)
    }

    /// The timeline of a gate: one value, not complete.
    pub(crate) fn for_gate(gate: GateCell, label: Option<&str>) -> Self {
        Self::new(Owner::Gate(gate), 1, label)
    }

    fn new(owner: Owner, enqueued: u64, label: Option<&str>) -> Self {
        let label = label.map(Box::from);
        Self(Arc::new(Line { core: Core::new(enqueued), id: id::next(), label, owner }))
    }

    /// Names the stream whose timeline this is, once.
    pub(crate) fn adopt(&self, stream: &Arc<dyn RawStream>) {
        if let Owner::Stream(owner) = &self.0.owner {
            // A second naming would be of the same stream: only the device that built it calls this.
            let backend = stream.as_ref().type_id();
            let _already_named = owner.set(Adopted { backend, stream: Arc::downgrade(stream) });
        }
    }

    /// The id: never reused in this process.
    #[inline]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Whether a fork left the timeline with the parent: then nothing of it is asked or changed here.
    #[doc(hidden)]
    #[inline]
    pub fn is_inherited(&self) -> bool {
        self.0.core.is_inherited()
    }

    /// Refuses a timeline that a fork left with the parent.
    #[inline]
    pub(crate) fn check_process(&self) -> Result<()> {
        inherited::check(self.0.core.process, self)
    }

    /// The name that the user gave, if one was given.
    pub fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// The latest value enqueued.
    #[inline]
    pub fn enqueued(&self) -> u64 {
        // Acquire: pairs with the release in `enqueue`, so that a point names work that the reader can see enqueued.
        self.0.core.enqueued.load(Ordering::Acquire)
    }

    /// The largest value known complete. Values of a failed era below it failed all the same: ask a point.
    #[inline]
    pub fn completed(&self) -> u64 {
        self.0.core.progress.completed()
    }

    /// The point of a value: of one that is enqueued, or of one to come.
    ///
    /// A point of a value not enqueued yet is pending until that is enqueued and complete; nothing may ever complete it.
    /// Streams and threads may wait for it all the same, and it fails when its stream fails before. Such a wait may
    /// close a cycle that nobody can see when it is asked for; it is not refused, and a wait that runs out
    /// names the cycle in its [report](crate::WaitReport). Only a stream that would wait for a later value of its own is
    /// refused at once.
    #[track_caller]
    pub fn point(&self, value: u64) -> Point {
        Point::new(self.clone(), value, Place::caller())
    }

    /// Whether this is the timeline of a gate.
    pub fn is_gate(&self) -> bool {
        matches!(self.0.owner, Owner::Gate(_))
    }

    pub(crate) fn gate(&self) -> Option<&GateCell> {
        match &self.0.owner {
            Owner::Gate(gate) => Some(gate),
            Owner::Stream(_) => None,
        }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.0.owner
    }

    /// The stream whose timeline this is, while it lives.
    pub(crate) fn stream(&self) -> Option<Arc<dyn RawStream>> {
        self.adopted()?.stream.upgrade()
    }

    fn adopted(&self) -> Option<&Adopted> {
        match &self.0.owner {
            Owner::Stream(adopted) => adopted.get(),
            Owner::Gate(_) => None,
        }
    }

    /// Whether `value` is known complete: two loads and no call.
    #[inline]
    pub(crate) fn is_complete(&self, value: u64) -> bool {
        self.0.core.is_complete(value)
    }

    /// The stream whose timeline this is, unless it is of the backend whose streams are `Own`.
    #[doc(hidden)]
    pub fn foreign_stream<Own: RawStream>(&self) -> Option<Arc<dyn RawStream>> {
        self.adopted().filter(|adopted| adopted.backend != TypeId::of::<Own>())?.stream.upgrade()
    }

    /// The stream whose timeline this is, if it is of the backend whose streams are `Own`.
    #[doc(hidden)]
    pub fn own_stream<Own: RawStream>(&self) -> Option<Arc<Own>> {
        let stream: Arc<dyn Any + Send + Sync> = self.stream()?;
        stream.downcast().ok()
    }

    /// What is known of a value without asking the driver.
    pub(crate) fn state(&self, value: u64) -> State {
        match self.check_process() {
            Ok(()) => self.0.core.state(value),
            Err(inherited) => State::Failed(inherited),
        }
    }

    /// Whether a value is known complete, for backends: two loads and no call.
    #[doc(hidden)]
    #[inline]
    pub fn is_known_complete(&self, value: u64) -> bool {
        self.is_complete(value)
    }

    /// What is known of a value without asking the driver, for backends.
    #[doc(hidden)]
    pub fn state_of(&self, value: u64) -> State {
        self.state(value)
    }

    /// How many values are enqueued and neither complete nor failed.
    #[doc(hidden)]
    pub fn pending(&self) -> u64 {
        self.0.core.pending(self.enqueued())
    }

    /// The largest value complete; whoever completes a later one sees, after that, what the caller wrote before.
    #[doc(hidden)]
    pub fn completed_with_notice(&self) -> u64 {
        self.0.core.progress.announce()
    }

    /// Whether an era fails now.
    #[doc(hidden)]
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.0.core.is_failing()
    }

    /// The failure of the era that is failing now.
    pub(crate) fn failure(&self) -> Option<Error> {
        match self.check_process() {
            Ok(()) => self.0.core.failure(),
            Err(inherited) => Some(inherited),
        }
    }
}

/// What a backend does to the timelines of its streams. Each call is made by one owner at a time: the one that holds
/// the order lock, or the one that runs the stream.
impl Timeline {
    /// Says that `value` is enqueued. Called under the order lock.
    #[doc(hidden)]
    #[inline]
    pub fn enqueue(&self, value: u64) {
        // Release: pairs with the acquire in `enqueued`.
        self.0.core.enqueued.store(value, Ordering::Release);
    }

    /// Completes all values up to `value` and wakes who waits for them. Never under a lock: a waker is user code.
    #[doc(hidden)]
    #[inline]
    pub fn complete(&self, value: u64) {
        self.0.core.complete(value);
    }

    /// Fails all values from `from` on until [`recover`](Self::recover). A value that has failed already keeps its
    /// cause. May be called under the order lock; who waits is woken, and observers are told, by the caller, once no
    /// lock is held.
    #[doc(hidden)]
    pub fn fail(&self, from: u64, error: Error) -> Woken {
        let notice = observe::active().then(|| self.notice(from, &error)).flatten();
        self.0.core.fail(from, error).telling(notice)
    }

    /// What observers hear of a stream's failure. Of a gate's they hear under its own name.
    #[cold]
    fn notice(&self, from: u64, error: &Error) -> Option<Notice> {
        if self.is_gate() || matches!(self.state(from), State::Failed(_)) {
            return None;
        }
        let reason = error.message().to_owned();
        Some(Notice::new(Operation::StreamFailed { stream: self.id(), value: from, reason }))
    }

    /// Ends the failing era: values above `upto` can complete again. Gives its failure, or `None` if nothing fails.
    #[doc(hidden)]
    pub fn recover(&self, upto: u64) -> Option<Error> {
        self.0.core.recover(upto)
    }

    /// Lists a waker to be woken once, when `value` is complete or failed. `None`: it is already, and nobody is listed.
    #[doc(hidden)]
    pub fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
        self.0.core.register(value, waker)
    }

    /// Unlists a waker; it is dropped outside the lock.
    #[doc(hidden)]
    pub fn unregister(&self, ticket: Ticket) {
        self.0.core.unregister(ticket);
    }
}

impl PartialEq for Timeline {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Timeline {}

impl fmt::Debug for Timeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Timeline")
            .field("id", &self.0.id)
            .field("enqueued", &self.enqueued())
            .field("completed", &self.completed())
            .finish_non_exhaustive()
    }
}

/// `stream 3`, `stream 3 "load"` or `gate 7`: how messages name a timeline.
impl fmt::Display for Timeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = match &self.0.owner {
            Owner::Stream(_) => "stream",
            Owner::Gate(_) => "gate",
        };
        write!(formatter, "{noun} {}", self.0.id)?;
        self.label().map_or(Ok(()), |label| write!(formatter, " {label:?}"))
    }
}

/// The protocol of a timeline, apart from who owns it, so that a model can run it and a stream can have a second row.
///
/// In this order, so that what the host writes with each enqueue and what the stream's owner writes with each
/// completion lie on different cache lines: on one, each would wait for the other's core (`docs/costs.md`).
#[repr(C)]
pub(crate) struct Core {
    progress: Progress,
    /// The first value after every failed era: 0 while nothing ever failed, the maximum while an era fails. Read after
    /// the completed value: whoever sees a value of a later era complete sees this raised before it.
    floor: AtomicU64,
    /// Guards the waiters and the eras. A leaf: nothing is called and no other lock is taken under it.
    leaf: Mutex<Leaf>,
    enqueued: AtomicU64,
    /// The process that made it. In a child of it every value has failed, and nobody is listed.
    process: Process,
}

struct Leaf {
    wakers: Wakers,
    eras: Eras,
}

impl Core {
    pub(crate) fn new(enqueued: u64) -> Self {
        Self {
            progress: Progress::new(0),
            floor: AtomicU64::new(0),
            enqueued: AtomicU64::new(enqueued),
            leaf: Mutex::new(Leaf { wakers: Wakers::default(), eras: Eras::default() }),
            process: Process::current(),
        }
    }

    #[inline]
    fn is_inherited(&self) -> bool {
        !self.process.is_current()
    }

    /// The largest value complete.
    pub(crate) fn completed(&self) -> u64 {
        self.progress.completed()
    }

    #[inline]
    fn is_complete(&self, value: u64) -> bool {
        // Acquire on `floor`: pairs with the release in `fail` and `recover`. The acquire in `completed` orders this
        // load after it.
        self.progress.completed() >= value
            && value >= self.floor.load(Ordering::Acquire)
            && !self.is_inherited()
    }

    fn state(&self, value: u64) -> State {
        if self.is_complete(value) {
            return State::Complete;
        }
        // Acquire: as in `is_complete`.
        if self.floor.load(Ordering::Acquire) == 0 {
            return State::Pending;
        }
        let leaf = lock(&self.leaf);
        self.settled(&leaf, value).unwrap_or(State::Pending)
    }

    /// What has become of a value, seen under the lock; `None` while it is pending.
    fn settled(&self, leaf: &Leaf, value: u64) -> Option<State> {
        if let Some(error) = leaf.eras.failure_of(value) {
            return Some(State::Failed(error.clone()));
        }
        (self.progress.completed() >= value).then_some(State::Complete)
    }

    fn pending(&self, enqueued: u64) -> u64 {
        let leaf = lock(&self.leaf);
        let completed = self.progress.completed();
        enqueued.saturating_sub(completed + leaf.eras.failed_between(completed, enqueued))
    }

    fn is_failing(&self) -> bool {
        // Acquire: as in `is_complete`.
        self.floor.load(Ordering::Acquire) == u64::MAX
    }

    fn failure(&self) -> Option<Error> {
        if !self.is_failing() {
            return None;
        }
        lock(&self.leaf).eras.failing().cloned()
    }

    #[inline]
    pub(crate) fn complete(&self, value: u64) {
        if self.progress.advance(value) {
            self.take_due().wake();
        }
    }

    /// Takes the waiters that are due, and looks again whenever new ones had to be announced for later values.
    fn take_due(&self) -> Woken {
        let mut leaf = lock(&self.leaf);
        let mut completed = self.progress.completed();
        let due = leaf.wakers.take_due(completed);
        // Whoever stays needs the bit; while it was clear a later value may have completed unseen.
        while !leaf.wakers.is_empty() && completed < self.progress.announce() {
            completed = self.progress.completed();
            let more = leaf.wakers.take_due(completed);
            drop(leaf);
            more.wake();
            leaf = lock(&self.leaf);
        }
        drop(leaf);
        due
    }

    pub(crate) fn fail(&self, from: u64, error: Error) -> Woken {
        let mut leaf = lock(&self.leaf);
        if let Err(late) = leaf.eras.begin(from, error) {
            drop(leaf);
            drop(late);
            return Woken::default();
        }
        // Release: pairs with the acquire in `is_complete`.
        self.floor.store(u64::MAX, Ordering::Release);
        leaf.wakers.take_from(from)
    }

    pub(crate) fn recover(&self, upto: u64) -> Option<Error> {
        let mut leaf = lock(&self.leaf);
        let error = leaf.eras.end(upto)?;
        // Release: pairs with the acquire in `is_complete`. The owner completes no value above `upto` before this.
        self.floor.store(upto + 1, Ordering::Release);
        Some(error)
    }

    pub(crate) fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
        if self.is_inherited() {
            return None;
        }
        let mut leaf = lock(&self.leaf);
        if leaf.eras.failure_of(value).is_some() {
            return None;
        }
        let ticket = leaf.wakers.insert(value, waker);
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
        let waker = lock(&self.leaf).wakers.remove(ticket);
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
