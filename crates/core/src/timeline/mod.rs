//! A timeline: a row of values that only grow, what is complete of it, what failed of it, and who waits.

mod eras;
mod foreign;
#[cfg(all(test, syncpoint_loom))]
mod model;
mod progress;
mod protocol;
mod wakers;

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;

use syncpoint_trace::Operation;

pub use foreign::ForeignCounter;
pub use wakers::{Ticket, Woken};

use foreign::Foreign;
pub(crate) use protocol::Core;
use wakers::Whose;

use crate::contract::{Captured, RawStream};
use crate::device::Listed;
use crate::error::{Error, Result};
use crate::gate::GateCell;
use crate::id;
use crate::inherited;
use crate::observe::{self, Notice};
use crate::place::Place;
use crate::point::{Point, State};
use crate::sync::process::OnceLock;

/// A 64-bit counter that only grows. Reaching a value completes all points at or below it.
///
/// Each stream, each gate and each imported counter has one, and a [`Point`] is a value of it. A clone is the same counter,
/// which outlives its stream for as long as a point of it is held. Programs seldom need it: it is how points of one stream
/// are told from those of another.
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
    /// A record of a capture, which has no value: nobody moves it on.
    Capture(Captured),
    /// Others, who raise a counter of a driver's.
    Foreign(Box<Foreign>),
}

/// The stream of a timeline. Weak: a point keeps no stream alive.
pub(crate) struct Adopted {
    /// The type of the stream, so that a backend knows its own without a call.
    backend: TypeId,
    stream: Weak<dyn RawStream>,
    /// Its place among the streams of its device.
    listed: Listed,
}

/// A timeline that is not kept.
#[derive(Debug)]
pub(crate) struct WeakTimeline(Weak<Line>);

impl WeakTimeline {
    /// The timeline, while anybody keeps it.
    pub(crate) fn upgrade(&self) -> Option<Timeline> {
        self.0.upgrade().map(Timeline)
    }
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

    /// The timeline of a record of a capture: who asks what has become of it hears that it is a mistake to ask.
    pub(crate) fn for_capture(record: Captured) -> Self {
        let timeline = Self::new(Owner::Capture(record), 1, None);
        let nobody = timeline.0.core.fail(1, Error::captured());
        drop(nobody);
        timeline
    }

    /// The record of a capture that this stands for.
    pub(crate) fn captured(&self) -> Option<&Captured> {
        match &self.0.owner {
            Owner::Capture(record) => Some(record),
            Owner::Stream(_) | Owner::Gate(_) | Owner::Foreign(_) => None,
        }
    }

    fn new(owner: Owner, enqueued: u64, label: Option<&str>) -> Self {
        let label = label.map(Box::from);
        Self(Arc::new(Line { core: Core::new(enqueued), id: id::next(), label, owner }))
    }

    /// Names the stream whose timeline this is, once, and where its device lists it.
    pub(crate) fn adopt(&self, stream: &Arc<dyn RawStream>, listed: Listed) {
        if let Owner::Stream(owner) = &self.0.owner {
            // A second naming would be of the same stream: only the device that built it calls this.
            let (backend, stream) = (stream.as_ref().type_id(), Arc::downgrade(stream));
            let _already_named = owner.set(Adopted { backend, stream, listed });
        }
    }

    /// A name that does not keep it.
    pub(crate) fn downgrade(&self) -> WeakTimeline {
        WeakTimeline(Arc::downgrade(&self.0))
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
        inherited::check(self.0.core.process(), self)
    }

    /// The name that the user gave, if one was given.
    pub fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// The latest value enqueued; of a counter of others, the largest that it was seen at.
    #[inline]
    pub fn enqueued(&self) -> u64 {
        self.0.core.enqueued()
    }

    /// The largest value known complete. Values of a failed era below it failed all the same: ask a point.
    #[inline]
    pub fn completed(&self) -> u64 {
        self.0.core.completed()
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
            Owner::Stream(_) | Owner::Capture(_) | Owner::Foreign(_) => None,
        }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.0.owner
    }

    /// The stream whose timeline this is, while it lives.
    #[inline]
    pub(crate) fn stream(&self) -> Option<Arc<dyn RawStream>> {
        self.adopted()?.stream.upgrade()
    }

    #[inline]
    fn adopted(&self) -> Option<&Adopted> {
        match &self.0.owner {
            Owner::Stream(adopted) => adopted.get(),
            Owner::Gate(_) | Owner::Capture(_) | Owner::Foreign(_) => None,
        }
    }

    /// Whether this process made it, and no observer has to be told of what is done here: the short way is enough. One
    /// look and one comparison.
    #[inline]
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.0.core.is_undisturbed()
    }

    /// Whether `value` is known complete, for a caller that knows `beside` to be of this process: three loads.
    #[inline]
    pub(crate) fn has_completed(&self, value: u64, beside: &Self) -> bool {
        self.is_beside(beside) && self.has_come_to(value)
    }

    /// Whether it is of the same process.
    #[inline]
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.0.core.process() == other.0.core.process()
    }

    /// Whether `value` is known complete, for a caller that knows it to be of this process: two loads.
    #[inline]
    pub(crate) fn has_come_to(&self, value: u64) -> bool {
        self.0.core.has_completed(value)
    }

    /// Whether nothing on it has ever failed, for the same caller: one load.
    #[inline]
    pub(crate) fn has_no_failure(&self) -> bool {
        self.0.core.never_failed()
    }

    /// Whether nothing on it has ever failed, for a caller that knows `beside` to be of this process: two loads. What is
    /// not complete is pending then, unless it settles meanwhile.
    #[inline]
    pub(crate) fn never_failed(&self, beside: &Self) -> bool {
        self.is_beside(beside) && self.has_no_failure()
    }

    /// Whether `value` is known complete: three loads and no call.
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
    #[inline]
    pub fn own_stream<Own: RawStream>(&self) -> Option<Arc<Own>> {
        let stream: Arc<dyn Any + Send + Sync> = self.stream()?;
        stream.downcast().ok()
    }

    /// What is known of a value without asking the driver.
    pub fn state(&self, value: u64) -> State {
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
        self.0.core.announce()
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
        self.0.core.enqueue(value);
    }

    /// Completes all values up to `value` and wakes who waits for them. Never under a lock: a waker is user code.
    #[doc(hidden)]
    #[inline]
    pub fn complete(&self, value: u64) {
        self.0.core.complete(value);
    }

    /// Fails all values from `from` on until [`renew`](Self::renew). A value that has failed already keeps its
    /// cause. May be called under the order lock; who waits is woken, and observers are told, by the caller, once no
    /// lock is held.
    #[doc(hidden)]
    pub fn fail(&self, from: u64, error: Error) -> Woken {
        let notice = observe::active().then(|| self.notice(from, &error)).flatten();
        self.0.core.fail(from, error).telling(notice)
    }

    /// Work of what has failed may run still, and whoever could find out when it ends may go.
    pub(crate) fn leave_unheard(&self) {
        self.0.core.leave_unheard();
    }

    /// Somebody has found out.
    pub(crate) fn hear(&self) {
        self.0.core.hear();
    }

    /// Whether work of what has failed may run still, once the stream is gone.
    pub(crate) fn is_unheard(&self) -> bool {
        self.0.core.is_unheard()
    }

    /// What observers hear of a stream's failure. Of a gate's they hear under its own name, and a counter of others is
    /// nothing that they heard of before.
    #[cold]
    fn notice(&self, from: u64, error: &Error) -> Option<Notice> {
        let is_stream = matches!(self.0.owner, Owner::Stream(_));
        if !is_stream || matches!(self.state(from), State::Failed(_)) {
            return None;
        }
        let reason = error.message().to_owned();
        Some(Notice::new(Operation::StreamFailed { stream: self.id(), value: from, reason }))
    }

    /// Ends the failing era: values above `upto` can complete again. With it `first` is enqueued, the first value of the new era:
    /// whoever sees that nothing fails any more records that or a later one. Gives the failure, or does nothing and gives `None`
    /// if nothing fails. Called under the order lock.
    #[doc(hidden)]
    pub fn renew(&self, upto: u64, first: u64) -> Option<Error> {
        self.0.core.renew(upto, first)
    }

    /// Lists a waker of ours to be woken once, when `value` is complete or failed: it runs nothing of the user's, and waits
    /// for nobody. `None`: it is already, and nobody is listed.
    #[doc(hidden)]
    pub fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
        self.0.core.register(value, waker)
    }

    /// The same of a waker of the user's, who may do anything in it: where `value` fails, it is woken behind all of ours.
    pub(crate) fn register_users(&self, value: u64, waker: Waker) -> Option<Ticket> {
        self.0.core.list(value, waker, Whose::Users)
    }

    /// Unlists a waker; it is dropped outside the lock.
    #[doc(hidden)]
    pub fn unregister(&self, ticket: Ticket) {
        self.0.core.unregister(ticket);
    }
}

/// Nobody knows it any more: its device forgets it. In a child the list is the parent's.
impl Drop for Line {
    fn drop(&mut self) {
        if self.core.is_inherited() {
            return;
        }
        if let Owner::Stream(owner) = &mut self.owner
            && let Some(adopted) = owner.take()
        {
            adopted.listed.leave();
        }
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

/// `stream 3`, `stream 3 "load"`, `gate 7` or `timeline 9 "theirs"`: how messages name a timeline.
impl fmt::Display for Timeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = match &self.0.owner {
            Owner::Stream(_) => "stream",
            Owner::Gate(_) => "gate",
            Owner::Capture(_) => "captured record",
            Owner::Foreign(_) => "timeline",
        };
        write!(formatter, "{noun} {}", self.0.id)?;
        self.label().map_or(Ok(()), |label| write!(formatter, " {label:?}"))
    }
}
