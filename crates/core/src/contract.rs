//! The contract: what a backend gives to core, and what core gives to a backend.
//!
//! Object-safe and safe Rust. Outside the semver promise until a second party writes a backend. The laws that every
//! backend keeps are in `docs/laws.md`.
//!
//! A stream *is* a timeline. Core owns its completed value, so that asking costs no call; the backend moves it on with
//! [`Timeline::complete`] and [`Timeline::fail`], never under a lock, because both wake users' wakers. A backend with
//! a driver that takes submissions implements the smaller `hold::Driver` and gets this contract from
//! the hold queue.

#![expect(clippy::exhaustive_structs, reason = "the contract is outside the semver promise")]

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use syncpoint_base::{Cause, Work};

use crate::buffer::Span;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::event_options::EventOptions;
use crate::gate::Opening;
use crate::observe;
use crate::place::Place;
use crate::point::Point;
use crate::stream::{Mode, Statistics};
use crate::timeline::Timeline;

pub use crate::blocking::{Blocking, set_blocking};
pub use crate::bridge::list as bridge;
pub use crate::event::{ForeignEvent, Native, NativeEvent};
pub use crate::function::{Called, run_function};
pub use crate::graph::set_driven;
pub use crate::ipc::{DriversHandle, Import, NativeExport, NativeOffer, SharedPage, ToRecord};
pub use crate::line::Line;
pub use crate::memory::Memory;
pub use crate::observe::Sequence;
pub use crate::ours::{Ending, Ours, enter_if_ours, is_here as is_ours};
pub use crate::owner::Owner;
pub use crate::panic::{contain, discard};
pub use crate::retire::retire_in_drop;
pub use crate::running::{Running, in_work};
pub use crate::silence::Silence;
pub use crate::stream::memory::Handed;
pub use crate::time::{RawTime, Stamp, Time};
pub use crate::timeline::ForeignCounter;
pub use crate::untold::{Untold, tell_all};
pub use crate::wait::SLICE;
pub use crate::waits::{Edge, Waited, Waits};
pub use crate::work::{Hand, Helping, Keep, LEVELS, Pool, Pump, Seat, Serve, devices};

/// A device of a backend.
pub trait RawDevice: Any + fmt::Debug + Send + Sync {
    /// A stream on which `timeline` grows.
    ///
    /// # Errors
    /// `Exhausted` when the driver or the machine has no room for another.
    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>>;

    /// Memory of the device, filled with zeros.
    ///
    /// # Errors
    /// `Exhausted` when there is not enough.
    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>>;

    /// Memory of the host that the device reaches, filled with zeros, for the same operations. Where all memory of the
    /// device is reached by both, that.
    ///
    /// # Errors
    /// As [`buffer`](Self::buffer).
    fn host_buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        self.buffer(bytes)
    }

    /// An event of the driver's, never recorded, for an event of ours to own.
    ///
    /// # Errors
    /// `Unsupported` where the driver has none; the driver's.
    fn event(&self, _options: EventOptions) -> Result<Arc<dyn NativeEvent>> {
        Err(Error::unsupported("the device has no native events; ask capabilities()"))
    }

    /// An event, never recorded, that captures record and wait for at every launch of their graph: so nobody knows its
    /// records but the driver.
    ///
    /// # Errors
    /// `Unsupported` where the driver has none; the driver's.
    fn external_event(
        &self,
        _device: &Device,
        _options: EventOptions,
    ) -> Result<Arc<dyn ForeignEvent>> {
        Err(Error::unsupported("the device has no external events; ask capabilities()"))
    }

    /// Makes an event of the driver's for one that is exported, and offers it to importers, whose streams then wait for it
    /// on their device.
    ///
    /// # Errors
    /// `Unsupported` where the driver shares none: importers wait through the host. The driver's.
    fn share(&self, _offer: NativeOffer) -> Result<Arc<dyn NativeExport>> {
        let message = "the device has no events that streams of other processes could wait for; they wait through the host";
        Err(Error::unsupported(message))
    }

    /// An event of another process, for which streams of this device may have a wait of their own; by itself they wait
    /// through the host.
    ///
    /// # Errors
    /// The driver's.
    fn import(&self, import: Arc<Import>) -> Result<Arc<dyn ForeignEvent>> {
        Ok(import)
    }

    /// Whether it is lost: what is asked of it from now on is refused with `DeviceLost`. Asks no driver.
    fn is_lost(&self) -> bool {
        false
    }

    /// Waits until the deadline for what runs, after every stream was cancelled. Nothing is made on it any more.
    ///
    /// # Errors
    /// `TimedOut` when work still ran at the deadline.
    fn shutdown(&self, deadline: Instant) -> Result<()>;
}

/// Memory of a device.
pub trait RawBuffer: Any + fmt::Debug + Send + Sync {
    /// Reads from `offset` into `bytes`; both lie inside the buffer. May block for the device.
    ///
    /// # Errors
    /// The driver's.
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()>;

    /// Writes `bytes` at `offset`; both lie inside the buffer. May block for the device.
    ///
    /// # Errors
    /// The driver's.
    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()>;
}

/// A stream of a backend. Every call may come from any thread.
///
/// Values are taken under the order lock of the stream, with their place in its order: a counter beside a lock-free
/// queue is unsound (a point could include work queued behind a wait for it).
pub trait RawStream: Any + fmt::Debug + Send + Sync {
    /// Puts an item at the end of the stream, as the value after the latest. A failed stream refuses with its failure.
    ///
    /// # Errors
    /// The stream's failure; `Exhausted` at the bound of the queue; `Unsupported` where the device cannot do it.
    fn put(&self, item: Item) -> Result<Placed>;

    /// As [`put`](Self::put) of a fill or a copy where nobody observes, by a shorter way that keeps nothing of it. `None`:
    /// there is no such way now, and nothing was done.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn hand_unobserved(&self, _handed: Handed<'_>, _place: Place) -> Option<Result<Placed>> {
        None
    }

    /// Puts an item at the end only if the latest value still is `enqueued`, and there is room now; otherwise gives it back.
    /// Never sleeps: it is called under a lock.
    ///
    /// # Errors
    /// The item, and why it was refused.
    fn put_at(&self, item: Item, enqueued: u64) -> Result<Placed, Refused>;

    /// As [`record`](Self::record), where the caller has a deadline. Until `line` is dropped, this thread comes before who comes
    /// later where it sleeps for room.
    ///
    /// # Errors
    /// `TimedOut`: up to then there was no room for it, and where not. As [`record`](Self::record).
    fn record_until(&self, _deadline: Instant, _line: &mut Line) -> Result<Placed> {
        self.record()
    }

    /// Sleeps until there is room for what [`put_at`](Self::put_at) had none for. Under no lock. Until `line` is dropped,
    /// this thread comes before who comes later.
    ///
    /// # Errors
    /// `Exhausted`: there was none for long. The driver's.
    fn wait_for_room(&self, _line: &mut Line) -> Result<()> {
        Ok(())
    }

    /// Makes later work of the stream wait for a point that is not known complete and not its own. `None`: the stream
    /// waits for it, or beyond it, already.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn wait(&self, point: &Point, place: Place) -> Result<Option<Placed>>;

    /// The same where nobody observes and nothing on the timeline of the point had failed a moment ago, by whatever way is
    /// shorter.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn wait_unobserved(&self, point: &Point, place: Place) -> Result<Waited> {
        self.wait(point, place).map(Waited::of)
    }

    /// How the stream came here. May change once: a managed stream whose handle is given out is exposed for ever.
    fn mode(&self) -> Mode {
        Mode::Managed
    }

    /// Whether everything on the stream has ended, work that others launched on it included, with at most one driver call,
    /// two on a stream of others, and no lock that is held across another. `None`: its timeline tells.
    ///
    /// # Errors
    /// The driver's, and the stream's failure.
    fn is_idle(&self) -> Option<Result<bool>> {
        None
    }

    /// Whether the stream is captured into a graph now.
    ///
    /// # Errors
    /// The driver's.
    fn is_capturing(&self) -> Result<bool> {
        Ok(false)
    }

    /// Records in the capture of the stream, which is under way: a node of a graph, without a value. Called when
    /// [`record`](Self::record) was refused for the capture. `None`: the capture has ended since, and the record with it,
    /// or outside of it.
    ///
    /// # Errors
    /// The driver's; `Misuse(Capturing)` of a backend without captures.
    fn record_captured(&self) -> Result<Option<Captured>> {
        Err(Error::captured())
    }

    /// Has later work of the stream wait for a record of a capture, which the stream joins.
    ///
    /// # Errors
    /// `Misuse(Capturing)`: the stream cannot join it; the driver's.
    fn wait_captured(&self, _record: &Captured) -> Result<()> {
        Err(Error::captured())
    }

    /// Whether a record is the latest enqueued value and no operation. Then core reads it and never calls
    /// [`record`](Self::record) in its place. Never changes.
    fn has_plain_records(&self) -> bool {
        false
    }

    /// The value of the end of the work so far. A failed stream gives a value that has failed.
    ///
    /// # Errors
    /// `Exhausted` or `Driver` where a driver has to be asked.
    fn record(&self) -> Result<Placed>;

    /// The same where nobody observes, by whatever way is shorter.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    fn record_unobserved(&self) -> Result<u64> {
        self.record().map(|placed| placed.value)
    }

    /// The same with the device's time.
    ///
    /// # Errors
    /// As [`record`](Self::record), and as [`put`](Self::put).
    fn record_timed(&self, place: Place) -> Result<(Placed, Time)>;

    /// The outstanding waits with own values above `after` and up to `upto`, oldest first.
    fn waits_between(&self, after: u64, upto: u64) -> Vec<Edge>;

    /// Ends the failing era. Gives its failure, `None` when the stream has not failed.
    ///
    /// # Errors
    /// `DeviceLost`: a lost device has no recovery.
    fn recover(&self) -> Result<Option<Error>>;

    /// Fails everything that has not begun, and refuses more: the device shuts down. Who waits is told by the caller, once the
    /// other streams of the device have failed too. `None`: nobody is to be told.
    #[must_use = "whoever waits sleeps until the failure is told"]
    fn cancel(&self, error: &Error) -> Option<Box<dyn Untold>>;

    /// The owner's handle is gone: no more work will come. What is queued still runs. Quick, silent, no driver call.
    fn close(&self);

    /// What the stream counts.
    fn statistics(&self) -> Statistics;

    /// Runs work on the caller's thread until `value` is complete or nothing that it needs can be run here.
    fn help(&self, _value: u64) {}

    /// Moves a device that has no thread of its own on, until `value` is settled or nothing moves; then `sleeper` is
    /// woken when something may move again. Every thread that waits for the value calls it before it sleeps; one that
    /// waits for what depends on it does so once [`set_driven`] was called.
    fn drive(&self, _value: u64, _sleeper: &Waker) {}

    /// Asks the driver about `value`, with at most one call, and completes what it says.
    fn discover(&self, _value: u64) {}

    /// The same for who waits and named no query: it disturbs nothing that the thread does beside it with the driver, such
    /// as a capture.
    fn discover_unnoticed(&self, value: u64) {
        self.discover(value);
    }

    /// Somebody sleeps until `value` is complete: see to it that the completion is noticed.
    fn expect(&self, _value: u64) {}

    /// Keeps something that work up to `value`, which has failed, may use, and drops it outside every lock once nothing
    /// of that runs any more. Called on the notifier. Where a value fails only when what ran is over, there is nothing
    /// to wait for.
    fn keep(&self, _value: u64, _kept: Arc<dyn Any + Send + Sync>) {}
}

/// A record of a capture, as its backend keeps it.
pub type Captured = Arc<dyn Any + Send + Sync>;

/// One thing for a stream to do, and where the user asked for it.
#[derive(Debug)]
pub struct Item {
    /// What to do.
    pub task: Task,
    /// Where it was asked for.
    pub place: Place,
}

/// An item that a stream did not take.
#[derive(Debug)]
pub struct Refused {
    /// The item.
    pub item: Item,
    /// Why.
    pub why: Why,
}

/// Why a stream did not take an item.
#[derive(Debug)]
#[non_exhaustive]
pub enum Why {
    /// It got more work in between.
    MoreWork,
    /// The driver has no room for it now.
    NoRoom,
    /// It is refused.
    Error(Error),
}

/// What a stream can be asked to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Task {
    /// Run a function of the user's on a thread of ours.
    Host(Work),
    /// Call a function of the user's that submits to the driver.
    Submit(Submit),
    /// Fill part of a buffer with a byte.
    Fill(Box<Fill>),
    /// Copy part of a buffer.
    Copy(Box<Copy>),
    /// Let time pass.
    Delay(Duration),
    /// Open a gate.
    Open(Opening),
    /// What only the driver of the stream knows how to do, such as a record of an event of its own.
    Native(Box<dyn Any + Send + Sync>),
}

impl Task {
    /// The name of the method that asks for it, for messages and origins.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Host(_) => "enqueue",
            Self::Submit(_) => "submit",
            Self::Fill(_) => "fill",
            Self::Copy(_) => "copy",
            Self::Delay(_) => "delay",
            Self::Open(_) => "open",
            Self::Native(_) => "native",
        }
    }

    /// Ends a task that will never run: its gate fails with the cause, its captures are dropped. Outside every lock.
    pub fn discard(self, cause: &Error) {
        match self {
            Self::Open(opening) => opening.fail(cause.clone()),
            task => discard(task),
        }
    }
}

/// A fill.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fill {
    /// What is filled.
    pub target: Span,
    /// With what.
    pub value: u8,
}

impl Fill {
    pub(crate) fn new(target: Span, value: u8) -> Self {
        Self { target, value }
    }
}

/// A copy between two spans of equal length that do not overlap.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Copy {
    /// What is read.
    pub source: Span,
    /// What is written.
    pub target: Span,
}

impl Copy {
    pub(crate) fn new(source: Span, target: Span) -> Self {
        Self { source, target }
    }
}

/// A user's own submission to the driver.
pub struct Submit(Function);

type Function = Box<dyn FnOnce(&Submission<'_>) -> Result<(), Cause> + Send>;

impl Submit {
    /// A submission by this function; a backend makes some of its own.
    pub fn new<F>(function: F) -> Self
    where
        F: FnOnce(&Submission<'_>) -> Result<(), Cause> + Send + 'static,
    {
        Self(Box::new(function))
    }

    /// Calls it, in the stream's submission turn, outside every lock.
    ///
    /// # Errors
    /// What the function returned.
    pub fn call(self, submission: &Submission<'_>) -> Result<(), Cause> {
        (self.0)(submission)
    }
}

impl fmt::Debug for Submit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Submit")
    }
}

/// What a submission is lent for the call: the raw handle of the stream, where the backend has one.
#[derive(Debug)]
pub struct Submission<'a> {
    native: Option<&'a (dyn Any + Send + Sync)>,
}

impl<'a> Submission<'a> {
    /// A submission to a backend whose streams have no raw handle.
    pub fn plain() -> Self {
        Self { native: None }
    }

    /// A submission that lends a raw handle.
    pub fn with(native: &'a (dyn Any + Send + Sync)) -> Self {
        Self { native: Some(native) }
    }

    /// The raw handle of the stream, of the type that its backend documents. `None` on host and sim.
    pub fn native<T: 'static>(&self) -> Option<&'a T> {
        self.native?.downcast_ref()
    }
}

/// A value and the number of its operation, taken together under the order lock.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// The value.
    pub value: u64,
    /// The number under which observers hear of it.
    pub sequence: Sequence,
}

impl Placed {
    /// A value just taken. Called under the order lock.
    #[inline]
    pub fn new(value: u64) -> Self {
        Self { value, sequence: observe::sequence() }
    }

    /// One that was taken where nobody observed.
    #[inline]
    pub(crate) fn unobserved(value: u64) -> Self {
        Self { value, sequence: Sequence::NONE }
    }
}
