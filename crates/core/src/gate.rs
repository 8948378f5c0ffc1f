//! Gates: one-shot points that the host or a stream opens.

use std::fmt;

use syncpoint_trace::Operation;

use crate::error::{Error, Origin, Reason, Result};
use crate::observe::{self, Notice};
use crate::place::Place;
use crate::point::Point;
use crate::sync::{Mutex, lock, table};
use crate::timeline::{Owner, Timeline, Woken};

#[cfg(all(test, syncpoint_loom))]
mod model;

/// A one-shot event, closed at first, that the host opens ([`open`](Self::open)), a stream opens in its order
/// ([`Stream::open`](crate::Stream::open)), or anybody fails ([`fail`](Self::fail)).
///
/// What `OpenCL` calls a user event. `Send + Sync`; none of its calls waits for anything. A stream may wait for it before it
/// is open. The gate is its opener and is not `Clone`; its [`point`](Self::point)
/// is. Dropping a gate that nobody opened, failed or promised to open fails it, so no waiter sleeps for ever.
///
/// # Examples
/// Hold a stream until the host is ready:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// let stream = syncpoint::open("host:0")?.stream()?;
/// let gate = syncpoint::Gate::new();
/// stream.wait(&gate.point())?;
/// stream.enqueue(|| { /* runs after the gate is open */ })?;
/// let done = stream.record()?;
/// assert!(!done.query()?);
/// gate.open()?;
/// done.synchronize()
/// # }
/// ```
#[must_use = "a gate that is dropped unopened fails"]
#[doc(alias("latch", "promise", "user event"))]
pub struct Gate {
    timeline: Timeline,
}

/// The value of a gate's only point.
const OPEN: u64 = 1;

impl Gate {
    /// A gate, closed. Makes no driver call: a gate belongs to no device.
    #[track_caller]
    pub fn new() -> Self {
        Self::labelled(None)
    }

    /// A gate with a name for messages and reports.
    #[track_caller]
    pub fn named(name: &str) -> Self {
        Self::labelled(Some(name))
    }

    #[track_caller]
    fn labelled(name: Option<&str>) -> Self {
        Self::with(GateCell::new(Place::caller(), false), name)
    }

    /// A gate that is opened when another process has come so far; asked for at this place.
    #[doc(hidden)]
    pub fn of_others(name: &str, place: Place) -> Self {
        Self::with(GateCell::new(place, true), Some(name))
    }

    fn with(cell: GateCell, name: Option<&str>) -> Self {
        let timeline = Timeline::for_gate(cell, name);
        observe::tell(|| Operation::GateCreated { gate: timeline.id() });
        Self { timeline }
    }

    /// The id: never reused in this process.
    pub fn id(&self) -> u64 {
        self.timeline.id()
    }

    /// The point that is complete when the gate is open.
    pub fn point(&self) -> Point {
        Point::new(self.timeline.clone(), OPEN, self.cell().place)
    }

    /// Opens the gate now: who waits for it goes on. Makes streams runnable and runs no work; the wakers of futures that
    /// wait are called here.
    ///
    /// # Errors
    /// `Misuse(GateUsed)`: it was opened, failed or promised to a stream before.
    pub fn open(&self) -> Result<()> {
        self.timeline.check_process()?;
        self.cell().spend(&self.timeline, Use::Used)?;
        open(&self.timeline);
        Ok(())
    }

    /// Fails the gate now: who waits for it fails with this error as the first cause. One of kind
    /// [`TimedOut`](crate::Kind::TimedOut) becomes the source of one of kind [`Failed`](crate::Kind::Failed): whoever
    /// waits for the gate has no reason to wait again.
    ///
    /// # Errors
    /// `Misuse(GateUsed)`: it was opened, failed or promised to a stream before.
    ///
    /// # Examples
    /// Work that depends on input which never came:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # use syncpoint::{Error, Gate, Kind};
    /// let stream = syncpoint::open("host:0")?.stream()?;
    /// let input = Gate::named("input");
    /// stream.wait(&input.point())?;
    /// stream.enqueue(|| { /* does not run */ })?;
    /// input.fail(Error::failed("the file is empty"))?;
    /// assert_eq!(stream.synchronize().unwrap_err().kind(), Kind::Failed);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn fail(&self, error: Error) -> Result<()> {
        self.timeline.check_process()?;
        let origin = Origin::new("fail", self.timeline.to_string());
        self.cell().spend(&self.timeline, Use::Used)?;
        fail(&self.timeline, error.that_stays(&self.timeline).at(origin));
        Ok(())
    }

    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Promises the gate to a stream, which will open it at its own `point`; the caller enqueues the opening.
    pub(crate) fn promise(&self) -> Result<Opening> {
        self.cell().spend(&self.timeline, Use::Used)?;
        Ok(Opening(Some(self.timeline.clone())))
    }

    /// Names the point at which a stream will open the gate.
    pub(crate) fn name_opener(&self, point: Point) {
        *lock(&self.cell().use_of) = Use::Promised(point);
    }

    /// Takes a promise back that no stream took.
    pub(crate) fn take_back(&self, opening: Opening) {
        opening.forget();
        *lock(&self.cell().use_of) = Use::Unused;
    }

    fn cell(&self) -> &GateCell {
        match self.timeline.owner() {
            Owner::Gate(cell) => cell,
            Owner::Stream(_) | Owner::Capture(_) | Owner::Foreign(_) => {
                unreachable!("the timeline of a gate is made with its cell")
            }
        }
    }
}

impl Default for Gate {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if self.timeline.is_inherited() {
            return;
        }
        let cell = self.cell();
        // A promise stays: the stream opens the gate all the same, and whoever waits is held back by that stream.
        if matches!(*lock(&cell.use_of), Use::Unused) {
            let message = format!(
                "{} was dropped unopened; open it, or promise it to a stream, before it goes",
                self.timeline
            );
            let origin = Origin::new("make", self.timeline.to_string()).placed(cell.place);
            fail(&self.timeline, Error::misuse(Reason::GateDropped, message).at(origin));
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Gate({}, made at {})", self.timeline, self.cell().place)
    }
}

/// What a gate's timeline knows of the gate.
pub(crate) struct GateCell {
    place: Place,
    /// Whether another process opens it, by a thread of ours.
    elsewhere: bool,
    /// Guards the use; nothing is called under it.
    use_of: Mutex<Use>,
}

enum Use {
    Unused,
    /// A stream will open it when it comes to this point.
    Promised(Point),
    Used,
}

impl GateCell {
    fn new(place: Place, elsewhere: bool) -> Self {
        Self { place, elsewhere, use_of: Mutex::new(Use::Unused) }
    }

    /// Whether another process opens it.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// Where the gate was made.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The point at which a stream will open the gate, if it was promised to one.
    pub(crate) fn opener(&self) -> Option<Point> {
        match &*lock(&self.use_of) {
            Use::Promised(point) => Some(point.clone()),
            Use::Unused | Use::Used => None,
        }
    }

    fn spend(&self, timeline: &Timeline, spent: Use) -> Result<()> {
        let mut use_of = lock(&self.use_of);
        if matches!(*use_of, Use::Unused) {
            *use_of = spent;
            return Ok(());
        }
        let message = format!(
            "{timeline} was opened, failed or promised before; make a gate for each opening"
        );
        Err(Error::misuse(Reason::GateUsed, message))
    }
}

fn open(timeline: &Timeline) {
    timeline.complete(OPEN);
    observe::tell(|| Operation::GateOpened { gate: timeline.id() });
}

fn fail(timeline: &Timeline, error: Error) {
    begin_failure(timeline, error).wake();
}

/// Who waits is told by the caller, under no lock.
fn begin_failure(timeline: &Timeline, error: Error) -> Woken {
    let notice = observe::active().then(|| {
        let reason = error.message().to_owned();
        Notice::new(Operation::GateFailed { gate: timeline.id(), reason })
    });
    timeline.fail(OPEN, error).telling(notice)
}

/// A gate promised to a stream: the stream opens it when it comes to it, or fails it with its own failure. Dropping it
/// fails the gate: no promise is forgotten.
#[doc(hidden)]
pub struct Opening(Option<Timeline>);

impl Opening {
    /// Opens the gate. Never under a lock.
    pub fn open(mut self) {
        if let Some(timeline) = self.0.take() {
            open(&timeline);
        }
    }

    /// Fails the gate with the first cause. Never under a lock.
    pub fn fail(mut self, error: Error) {
        if let Some(timeline) = self.0.take() {
            fail(&timeline, error);
        }
    }

    /// The same, where who waits is told later, by the caller under no lock. What is left is spent.
    pub fn begin_failure(&mut self, error: Error) -> Woken {
        self.0.take().map_or_else(Woken::default, |timeline| begin_failure(&timeline, error))
    }

    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(timeline) = self.0.take().filter(|timeline| !timeline.is_inherited()) {
            let message =
                format!("{timeline} was promised to a stream that is gone; keep the device open");
            fail(&timeline, Error::failed(message));
        }
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Opening")
    }
}

table! {
    /// Held while a stream's promise to open a gate is checked for a cycle and enqueued: only such a promise can close
    /// a cycle of known edges. Taken before any order lock; nothing of the user's runs under it, and nobody
    /// sleeps for room.
    static PROMISES: Mutex<()> = Mutex::new(());
}

/// Runs `check_and_enqueue` while no other promise is made.
pub(crate) fn promising<T>(check_and_enqueue: impl FnOnce() -> T) -> T {
    let promises = lock(&PROMISES);
    let result = check_and_enqueue();
    drop(promises);
    result
}
