//! Streams: work that runs in the order it was enqueued.

pub(crate) mod memory;
mod opening;
mod options;
mod statistics;
mod waiting;

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::{Cause, Outcome, Work};
use syncpoint_trace::{Operation, Work as WorkKind};

pub use options::StreamOptions;
pub use statistics::{Mode, Statistics};

use crate::contract::{Item, Line, Placed, RawStream, Submission, Submit, Task};
use crate::device::Device;
use crate::error::{Error, Kind, Origin, Reason, Result};
use crate::event_options::EventOptions;
use crate::gate::Gate;
use crate::observe;
use crate::place::Place;
use crate::point::Point;
use crate::sync::process::{AtomicU64, Ordering};
use crate::synchronize;
use crate::time::TimedPoint;
use crate::timeline::Timeline;
use crate::wait::How;

/// Work that runs in the order it was enqueued. Different streams are unordered unless something orders them.
///
/// `Send + Sync`: any thread may use it; share it in an `Arc`. Dropping it closes it to new work; what is queued still
/// runs. On a stream that has failed every call that adds work is refused with the first cause, until
/// [`recover`](Self::recover).
///
/// # Blocking
/// No call but `synchronize` and its kind waits for work of the stream. A call that submits to a driver (a record or a wait
/// may be one) may block inside the driver while its launch queue is full. Meanwhile other calls that add work to this
/// stream wait too, on Vulkan those of all streams of its queue; queries and drops do not. Only where a stream of Metal is
/// shared with other code (its [mode](Self::mode) is not `Managed`) is that wait counted
/// ([`Statistics::waits_for_room`]) and bounded: `Exhausted` 30 s after the last completion.
pub struct Stream {
    raw: Arc<dyn RawStream>,
    timeline: Timeline,
    device: Device,
    priority: i32,
    /// Whether a record is the latest value and no operation: then it is read here, with no call.
    plain_records: bool,
    elided: AtomicU64,
    /// Driver calls made for earlier holders, where a pool lends the stream.
    calls_before: u64,
    /// Whether observers hear of its end with another name.
    is_second: bool,
}

impl Stream {
    pub(crate) fn new(
        raw: Arc<dyn RawStream>,
        timeline: Timeline,
        device: Device,
        priority: i32,
    ) -> Self {
        let stream = Self::named(raw, timeline, device, priority);
        observe::tell(|| Operation::StreamCreated {
            stream: stream.id(),
            device: stream.device.to_string(),
            priority,
        });
        stream
    }

    fn named(raw: Arc<dyn RawStream>, timeline: Timeline, device: Device, priority: i32) -> Self {
        let plain_records = raw.has_plain_records();
        let (elided, calls_before, is_second) = (AtomicU64::new(0), 0, false);
        Self { raw, timeline, device, priority, plain_records, elided, calls_before, is_second }
    }

    /// A second name of a stream that was made already, for a backend that is asked for it by its handle. The stream takes
    /// work until both are gone; its device hears of no second one, and neither do observers.
    #[doc(hidden)]
    pub fn second(
        raw: Arc<dyn RawStream>,
        timeline: Timeline,
        device: Device,
        priority: i32,
    ) -> Self {
        let mut second = Self::named(raw, timeline, device, priority);
        second.is_second = true;
        second
    }

    /// The id: never reused in this process, and the id of its [`timeline`](Self::timeline).
    pub fn id(&self) -> u64 {
        self.timeline.id()
    }

    /// The backend's own stream, for the backend.
    #[doc(hidden)]
    pub fn raw(&self) -> &Arc<dyn RawStream> {
        &self.raw
    }

    /// The device that the stream belongs to.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The timeline of the stream.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The priority in force; lower is served first.
    pub fn priority(&self) -> i32 {
        self.priority
    }

    /// How the stream came here.
    pub fn mode(&self) -> Mode {
        self.raw.mode()
    }

    /// Whether the stream is being captured into a graph: then what it is given becomes a part of the graph. Always false
    /// for managed streams, without a driver call.
    ///
    /// # Errors
    /// The driver's.
    pub fn is_capturing(&self) -> Result<bool> {
        self.raw.is_capturing()
    }

    /// Runs a function in the order of the stream, on a thread of ours or on a thread that synchronizes.
    ///
    /// **The function may run on any thread, a synchronizing one included.** It runs when everything before it is
    /// complete, and what follows waits for it. If it returns an error or panics, the stream fails.
    ///
    /// # Errors
    /// The stream's failure; `Exhausted` when the queue of the stream is full: synchronize first.
    ///
    /// # Examples
    /// Work that can fail:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let stream = syncpoint::open("host:0")?.stream()?;
    /// stream.enqueue(|| std::fs::read("/nonexistent").map(drop))?;
    /// let failure = stream.synchronize().unwrap_err();
    /// assert_eq!(failure.kind(), syncpoint::Kind::Failed);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn enqueue<F, R>(&self, function: F) -> Result<()>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        self.put(Task::Host(Work::new(function)), WorkKind::Host, Place::caller()).map(drop)
    }

    /// Calls a function that submits work of the user's own to the driver: once, in the order of the stream, with the
    /// raw handle lent for the call. On host and sim there is no handle, and the function is ordinary host work.
    ///
    /// On a managed stream what other threads add during the call comes behind it. On an exposed or borrowed stream nothing
    /// can be held, so what they add goes to the driver at once and comes before what the function launches next.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    ///
    /// # Examples
    /// The raw handle of the backend, where there is one (`syncpoint::cuda::RawStream` on CUDA):
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # type RawStream = usize;
    /// let stream = syncpoint::open("host:0")?.stream()?;
    /// stream.submit(|submission| {
    ///     if let Some(raw) = submission.native::<RawStream>() {
    ///         // launch kernels on it, inside this call
    ///         # let _ = raw;
    ///     }
    /// })?;
    /// stream.synchronize()
    /// # }
    /// ```
    #[track_caller]
    pub fn submit<F, R>(&self, function: F) -> Result<()>
    where
        F: FnOnce(&Submission<'_>) -> R + Send + 'static,
        R: Outcome,
    {
        let submit = Submit::new(move |submission| -> Result<(), Cause> {
            function(submission).into_result()
        });
        self.put(Task::Submit(submit), WorkKind::Submit, Place::caller()).map(drop)
    }

    /// Lets time pass on the device, on its own clock, before what follows.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    #[track_caller]
    pub fn delay(&self, duration: Duration) -> Result<()> {
        self.put(Task::Delay(duration), WorkKind::Delay, Place::caller()).map(drop)
    }

    /// The end of the work enqueued so far. Allocates nothing. Two records without work between them give the same point.
    /// On a failed stream the point has failed. On a stream that is being captured the point is a node of the graph: streams
    /// of the device may wait for it, which takes them into the capture, and whatever else is asked of it is
    /// `Misuse(Capturing)`.
    ///
    /// # Errors
    /// `Exhausted` or `Driver` where a driver has to be asked; never on host and sim. `Exhausted` too where the driver had no
    /// room for long.
    #[track_caller]
    #[inline]
    pub fn record(&self) -> Result<Point> {
        if !self.plain_records {
            return self.record_by_call(Place::caller());
        }
        if self.timeline.is_undisturbed() {
            let enqueued = self.timeline.enqueued();
            return Ok(Point::new(self.timeline.clone(), enqueued, Place::caller()));
        }
        self.record_at(Place::caller())
    }

    #[inline(never)]
    fn record_by_call(&self, place: Place) -> Result<Point> {
        if !self.timeline.is_undisturbed() {
            return self.record_at(place);
        }
        match self.raw.record_unobserved() {
            Ok(value) => Ok(Point::new(self.timeline.clone(), value, place)),
            Err(error) => self.record_refused(error, place),
        }
    }

    /// A record was refused, maybe for a capture; one that has ended meanwhile is no more in the way.
    #[cold]
    fn record_refused(&self, error: Error, place: Place) -> Result<Point> {
        match self.captured_point(error, place)? {
            Some(captured) => Ok(captured),
            None => self.record_at(place),
        }
    }

    /// The end of the work enqueued so far, with the device's time when the stream comes to it.
    ///
    /// # Errors
    /// `Unsupported` where the device has no clock; as [`enqueue`](Self::enqueue).
    #[track_caller]
    pub fn record_timed(&self) -> Result<TimedPoint> {
        let (placed, point) = self.take_timed_point(Place::caller())?;
        self.tell_record(placed, true, None);
        Ok(point)
    }

    #[inline(never)]
    pub(super) fn record_at(&self, place: Place) -> Result<Point> {
        loop {
            match self.take_point(place) {
                Ok((placed, point)) => {
                    self.tell_record(placed, false, None);
                    return Ok(point);
                }
                Err(error) => {
                    if let Some(captured) = self.captured_point(error, place)? {
                        return Ok(captured);
                    }
                }
            }
        }
    }

    /// The point of a stream that is being captured: a node of a graph, of which observers do not hear, because it is no
    /// operation yet. `None`: the capture has ended meanwhile.
    #[cold]
    pub(crate) fn captured_point(&self, refusal: Error, place: Place) -> Result<Option<Point>> {
        if refusal.kind() != Kind::Misuse(Reason::Capturing) {
            refusal.began_at(|| Origin::new("record", self.timeline.to_string()).placed(place));
            return Err(refusal);
        }
        let record = self.raw.record_captured()?;
        Ok(record.map(|record| Point::new(Timeline::for_capture(record), 1, place)))
    }

    /// A point that no observer has been told of yet: for events, who tell under their own name, and for queries and
    /// synchronisations, which are no records.
    #[inline]
    pub(crate) fn take_point(&self, place: Place) -> Result<(Placed, Point)> {
        let placed = if self.plain_records {
            self.timeline.check_process()?;
            Placed::new(self.timeline.enqueued())
        } else if self.timeline.is_undisturbed() {
            Placed::unobserved(self.raw.record_unobserved()?)
        } else {
            self.timeline.check_process()?;
            self.raw.record()?
        };
        Ok((placed, Point::new(self.timeline.clone(), placed.value, place)))
    }

    /// The same by who waits for it, until a deadline where there is one: a record on a stream of others sleeps where the
    /// device has no room for it.
    pub(crate) fn take_point_by(
        &self,
        deadline: Option<Instant>,
        place: Place,
        line: &mut Line,
    ) -> Result<Point> {
        let Some(deadline) = deadline.filter(|_| self.mode() != Mode::Managed) else {
            return self.take_point(place).map(|taken| taken.1);
        };
        self.timeline.check_process()?;
        let placed = self.raw.record_until(deadline, line)?;
        Ok(Point::new(self.timeline.clone(), placed.value, place))
    }

    /// The latest point that there is. Records nothing.
    pub(crate) fn latest_point(&self, place: Place) -> Point {
        Point::new(self.timeline.clone(), self.timeline.enqueued(), place)
    }

    /// The same with the device's time.
    pub(crate) fn take_timed_point(&self, place: Place) -> Result<(Placed, TimedPoint)> {
        self.timeline.check_process()?;
        EventOptions::timed().check(self.device.capabilities(), &self.device)?;
        let (placed, time) = self.raw.record_timed(place)?;
        let point = Point::new(self.timeline.clone(), placed.value, place);
        Ok((placed, TimedPoint::new(point, time, self.device.clock().clone())))
    }

    /// Opens a gate when the stream comes here. If the stream fails before, the gate fails with the same cause.
    ///
    /// # Errors
    /// `Misuse(GateUsed)`: the gate was opened, failed or promised before. `Misuse(WouldDeadlock)`: the stream waits
    /// for the gate, directly or through others; the message names the way, and nothing changed. As
    /// [`enqueue`](Self::enqueue).
    #[track_caller]
    pub fn open(&self, gate: &Gate) -> Result<()> {
        let place = Place::caller();
        self.timeline.check_process()?;
        gate.timeline().check_process()?;
        let placed = self.promise_in_room(gate, place)?;
        observe::tell_placed(placed.sequence, || Operation::GateOpening {
            gate: gate.id(),
            stream: self.id(),
            value: placed.value,
        });
        Ok(())
    }

    /// Waits on this thread until everything enqueued so far is complete.
    ///
    /// # Errors
    /// As [`Point::synchronize`]. As [`record`](Self::record), `Exhausted` among it: on a stream that others launch on too, what
    /// is waited for is recorded first.
    #[track_caller]
    pub fn synchronize(&self) -> Result<()> {
        synchronize::stream(self, How::helping(Place::caller()))
    }

    /// Waits at most this long until everything enqueued so far is complete.
    ///
    /// # Errors
    /// As [`Point::synchronize_timeout`], and as [`record`](Self::record), `Exhausted` among it. Where the device had no room up
    /// to then for the record that is to be waited for, `TimedOut` says what is full, and carries a report only if the
    /// stream's own work is before it.
    #[track_caller]
    pub fn synchronize_timeout(&self, timeout: Duration) -> Result<()> {
        synchronize::stream(self, How::timeout(timeout, Place::caller()))
    }

    /// Whether everything enqueued so far is complete, on a stream that others launch on too whatever they launched. A stream
    /// whose last piece of work still runs is not. Records nothing; at most as many driver calls as [`Point::query`], and one more
    /// on a stream that others launch on, to learn whether they capture it.
    ///
    /// # Errors
    /// The stream's failure. `Misuse(Capturing)` while the stream is being captured.
    pub fn query(&self) -> Result<bool> {
        self.timeline.check_process()?;
        if let Some(idle) = self.raw.is_idle() {
            return idle;
        }
        let end = self.latest_point(Place::caller());
        self.failure().map_or_else(|| end.query(), Err)
    }

    /// Ends the failure of the stream and begins a new era: points recorded before stay failed, new work runs. Gives the
    /// failure, or `None` if the stream has not failed.
    ///
    /// # Errors
    /// `DeviceLost`: a lost device has no recovery.
    pub fn recover(&self) -> Result<Option<Error>> {
        self.timeline.check_process()?;
        let failure = self.raw.recover()?;
        if failure.is_some() {
            let value = self.timeline.enqueued() + 1;
            observe::tell(|| Operation::StreamRecovered { stream: self.id(), value });
        }
        Ok(failure)
    }

    /// The failure of the stream, if it has failed and not recovered.
    pub fn failure(&self) -> Option<Error> {
        self.timeline.failure()
    }

    /// What the stream counts. In a forked child an inherited stream counts nothing: all values are zero.
    pub fn statistics(&self) -> Statistics {
        if self.timeline.is_inherited() {
            return Statistics::default();
        }
        // Relaxed: a count, ordered with nothing.
        let elided = self.elided.load(Ordering::Relaxed);
        let counted = self.raw.statistics();
        let driver_calls = counted.driver_calls.saturating_sub(self.calls_before);
        Statistics { elided, driver_calls, ..counted }
    }

    /// Begins to count anew: the stream has a new holder.
    pub(crate) fn count_anew(&mut self) {
        self.elided = AtomicU64::new(0);
        self.calls_before = self.raw.statistics().driver_calls;
    }

    #[inline]
    fn put(&self, task: Task, work: WorkKind, place: Place) -> Result<Placed> {
        if self.timeline.is_undisturbed() {
            return self.raw.put(Item { task, place });
        }
        self.put_further(task, work, place)
    }

    #[inline(never)]
    fn put_further(&self, task: Task, work: WorkKind, place: Place) -> Result<Placed> {
        self.timeline.check_process()?;
        let placed = self.raw.put(Item { task, place })?;
        observe::tell_placed(placed.sequence, || Operation::Enqueued {
            stream: self.id(),
            value: placed.value,
            work,
        });
        Ok(placed)
    }

    #[inline]
    pub(crate) fn tell_record(&self, placed: Placed, timed: bool, event: Option<u64>) {
        observe::tell_placed(placed.sequence, || Operation::PointRecorded {
            stream: self.id(),
            value: placed.value,
            timed,
            event,
        });
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.timeline.is_inherited() {
            // Whoever drops the last count drops the parent's work, so it is never the last.
            let _kept_for_ever = ManuallyDrop::new(Arc::clone(&self.raw));
            return;
        }
        self.raw.close();
        if !self.is_second {
            observe::tell_of_drop(Operation::StreamDeleted { stream: self.id() });
        }
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        self.timeline == other.timeline
    }
}

impl Eq for Stream {}

impl std::hash::Hash for Stream {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        self.id().hash(hasher);
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.timeline, self.device)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Stream({self}, {:?})", self.timeline)
    }
}
