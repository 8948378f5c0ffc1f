//! Points: the end of the work enqueued on a stream so far.

use std::fmt;
use std::time::{Duration, Instant};

use syncpoint_trace::Operation;

use crate::contract::RawStream;
use crate::error::{Error, Result};
use crate::future::Completion;
use crate::observe;
use crate::place::Place;
use crate::synchronize;
use crate::timeline::Timeline;
use crate::wait::{How, Wait};
use crate::{Notification, notify};

/// The end of the work enqueued on a stream so far: a place on a timeline that never moves.
///
/// Immutable, cheap to clone (one count), and valid for ever: it outlives its stream, and recording again makes
/// another point. Two points are equal when they name the same value of the same timeline. `Send + Sync`.
///
/// # Examples
/// A stream waits for a point of another, the host waits for the result:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// let device = syncpoint::open("host:0")?;
/// let (load, compute) = (device.stream()?, device.stream()?);
/// load.enqueue(|| { /* read a batch */ })?;
/// let loaded = load.record()?;
/// compute.wait(&loaded)?;
/// compute.enqueue(|| { /* use it */ })?;
/// compute.record()?.synchronize()
/// # }
/// ```
#[derive(Clone)]
pub struct Point {
    timeline: Timeline,
    value: u64,
    place: Place,
}

/// What has become of a point.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum State {
    /// Its work is not finished.
    Pending,
    /// Its work is finished, and what it wrote is visible to whoever saw this.
    Complete,
    /// Its work must not be used; the error tells the first cause.
    Failed(Error),
}

impl Point {
    #[inline]
    pub(crate) fn new(timeline: Timeline, value: u64, place: Place) -> Self {
        Self { timeline, value, place }
    }

    /// The name of the timeline alone, for a backend that is done with the point.
    #[doc(hidden)]
    #[inline]
    pub fn into_timeline(self) -> Timeline {
        self.timeline
    }

    /// The timeline that the point lies on.
    #[inline]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The value of the point on its timeline.
    #[inline]
    pub fn value(&self) -> u64 {
        self.value
    }

    /// Where in the source the point was recorded.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether the work is complete. Pending is an answer, not an error. Does not wait for the work, and makes
    /// at most one driver call, which takes as long as the driver keeps it: CUDA's may, for a call of another thread that waits
    /// inside the driver (`docs/cuda.md`). On Vulkan one more for each stream that the point's stream has waited for since its last work, and for
    /// commands of the user's own before.
    ///
    /// # Errors
    /// The failure of the work, with its first cause ([`Kind::Failed`](crate::Kind::Failed) or
    /// [`Kind::DeviceLost`](crate::Kind::DeviceLost)).
    #[inline]
    pub fn query(&self) -> Result<bool> {
        if self.timeline.is_undisturbed() && self.timeline.has_completed(self.value, &self.timeline)
        {
            return Ok(true);
        }
        self.query_incomplete()
    }

    #[inline(never)]
    fn query_incomplete(&self) -> Result<bool> {
        if self.timeline.is_undisturbed() && self.timeline.never_failed(&self.timeline) {
            return self.query_pending();
        }
        self.query_further()
    }

    /// A query of a point that was not complete a moment ago, on a timeline of which nothing had failed, in a process
    /// that nobody observes: whoever begins to observe beside a call may miss it.
    #[inline]
    fn query_pending(&self) -> Result<bool> {
        match self.timeline.stream() {
            Some(stream) => stream.discover(self.value),
            None => self.timeline.ask_others(),
        }
        if self.timeline.has_completed(self.value, &self.timeline) {
            return Ok(true);
        }
        if self.timeline.never_failed(&self.timeline) { Ok(false) } else { self.known_outcome() }
    }

    #[cold]
    fn known_outcome(&self) -> Result<bool> {
        match self.known() {
            State::Complete => Ok(true),
            State::Pending => Ok(false),
            State::Failed(error) => Err(error),
        }
    }

    #[inline(never)]
    fn query_further(&self) -> Result<bool> {
        match self.state() {
            State::Complete => {
                self.tell_complete();
                Ok(true)
            }
            State::Pending => Ok(false),
            State::Failed(error) => Err(error),
        }
    }

    #[cold]
    pub(crate) fn tell_complete(&self) {
        let (timeline, value) = (self.timeline.id(), self.value);
        observe::tell(|| Operation::QueriedComplete { timeline, value });
    }

    /// What has become of the work. Does not wait for it; makes at most one driver call, as [`query`](Self::query).
    pub fn state(&self) -> State {
        self.state_by(RawStream::discover)
    }

    /// The same for who named no query, and has no capture disturbed by one.
    pub(crate) fn state_unnoticed(&self) -> State {
        self.state_by(RawStream::discover_unnoticed)
    }

    /// What has become of the work, where the driver is asked in this way if it has to be.
    #[inline]
    fn state_by(&self, discover: fn(&dyn RawStream, u64)) -> State {
        let known = self.known();
        if !matches!(known, State::Pending) {
            return known;
        }
        match self.timeline.stream() {
            Some(stream) => discover(stream.as_ref(), self.value),
            None => self.timeline.ask_others(),
        }
        self.known()
    }

    /// What is known without asking the driver.
    pub(crate) fn known(&self) -> State {
        self.timeline.state(self.value)
    }

    /// Waits on this thread until the work is complete.
    ///
    /// On the host backend this thread helps: it may run work of the streams that the point depends on. Work that
    /// must not run here is what [`Wait::NoHelp`] is for.
    ///
    /// # Errors
    /// The failure of the work, with its first cause. `Misuse(WouldDeadlock)` when called from inside work that the
    /// point depends on.
    #[track_caller]
    pub fn synchronize(&self) -> Result<()> {
        synchronize::point(self, How::helping(Place::caller()))
    }

    /// Waits at most this long. Zero asks once. Never runs work on this thread.
    ///
    /// # Errors
    /// As [`synchronize`](Self::synchronize), and [`Kind::TimedOut`](crate::Kind::TimedOut) with a
    /// [report](crate::WaitReport) when the time ran out: then nothing changed.
    ///
    /// # Examples
    /// What a wait that timed out was waiting for, for people and for programs:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # use std::time::Duration;
    /// # use syncpoint::{End, Gate};
    /// let stream = syncpoint::open("host:0")?.stream()?;
    /// let settings = Gate::named("settings loaded");
    /// stream.wait(&settings.point())?;
    /// let late = stream.record()?.synchronize_timeout(Duration::from_millis(1)).unwrap_err();
    /// println!("{late}"); // ... waits for gate 3 "settings loaded" ... only the host can
    /// let report = late.report().expect("a wait that timed out has a report");
    /// assert!(matches!(report.end(), End::Unopened(_)));
    /// settings.open()?;
    /// stream.synchronize()
    /// # }
    /// ```
    #[track_caller]
    pub fn synchronize_timeout(&self, timeout: Duration) -> Result<()> {
        synchronize::point(self, How::timeout(timeout, Place::caller()))
    }

    /// Waits until this instant at most. Never runs work on this thread.
    ///
    /// # Errors
    /// As [`synchronize_timeout`](Self::synchronize_timeout).
    #[track_caller]
    pub fn synchronize_deadline(&self, deadline: Instant) -> Result<()> {
        synchronize::point(self, How::deadline(deadline, Place::caller()))
    }

    /// Waits in a way of the caller's choice, at most this long if a time is given.
    ///
    /// # Errors
    /// As [`synchronize_timeout`](Self::synchronize_timeout).
    #[track_caller]
    pub fn synchronize_with(&self, wait: Wait, timeout: Option<Duration>) -> Result<()> {
        synchronize::point(self, How::chosen(wait, timeout, Place::caller()))
    }

    /// Calls a function once, with the outcome, when the work is complete or failed: on the notifier, a thread of
    /// ours, outside every lock. The function may call this library; while it blocks, later ones wait.
    ///
    /// # Errors
    /// [`Kind::Exhausted`](crate::Kind::Exhausted) when the notifier's thread cannot be made; then the function is
    /// dropped uncalled.
    ///
    /// # Examples
    /// A callback that hands the outcome over to another thread:
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stream = syncpoint::open("host:0")?.stream()?;
    /// let (sender, outcomes) = std::sync::mpsc::channel();
    /// stream.enqueue(|| { /* work */ })?;
    /// stream.record()?.notify(move |outcome| sender.send(outcome).unwrap_or_default())?;
    /// outcomes.recv()??;
    /// # Ok(())
    /// # }
    /// ```
    pub fn notify<F>(&self, function: F) -> Result<Notification>
    where
        F: FnOnce(Result<()>) + Send + 'static,
    {
        notify::when_settled(Some(self.clone()), function)
    }

    /// Of a gate's point, the point at which a stream will open the gate, if the gate was promised to one.
    #[doc(hidden)]
    pub fn opener(&self) -> Option<Self> {
        self.timeline.gate().filter(|_| !self.timeline.is_inherited())?.opener()
    }

    /// The outcome, once there is one, for who waits and named no query.
    pub(crate) fn outcome(&self) -> Option<Result<()>> {
        match self.state_unnoticed() {
            State::Pending => None,
            State::Complete => Some(Ok(())),
            State::Failed(error) => Some(Err(error)),
        }
    }
}

impl IntoFuture for Point {
    type Output = Result<()>;
    type IntoFuture = Completion;

    fn into_future(self) -> Completion {
        Completion::new(Ok(Some(self)))
    }
}

impl IntoFuture for &Point {
    type Output = Result<()>;
    type IntoFuture = Completion;

    fn into_future(self) -> Completion {
        Completion::new(Ok(Some(self.clone())))
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.timeline == other.timeline && self.value == other.value
    }
}

impl Eq for Point {}

impl std::hash::Hash for Point {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        self.timeline.id().hash(hasher);
        self.value.hash(hasher);
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Point({self}, recorded at {})", self.place)
    }
}

/// `point 4 of stream 3 "load"`; a gate's only point is the gate.
impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.timeline.is_gate() {
            return fmt::Display::fmt(&self.timeline, formatter);
        }
        write!(formatter, "point {} of {}", self.value, self.timeline)
    }
}
