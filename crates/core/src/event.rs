//! Events: reusable names for the latest point recorded under them.

use std::cmp;
use std::fmt;
use std::time::{Duration, Instant};

use syncpoint_base::Process;
use syncpoint_trace::Operation;

use crate::contract::Placed;
use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::event_options::EventOptions;
use crate::future::Completion;
use crate::place::Place;
use crate::point::{Point, State};
use crate::stream::Stream;
use crate::sync::process::{Mutex, lock};
use crate::time::TimedPoint;
use crate::wait::{How, Wait};
use crate::{Notification, id, inherited, notify, observe, synchronize};

/// A reusable name for the latest point recorded under it: the familiar event of CUDA and PyTorch.
///
/// Making one costs no driver call; it belongs to the device that made it, or, made by [`Event::new`], to the device
/// of its first record. Whoever waits, waits for the point of that moment: recording again moves the name, never the
/// point. Ordered and hashed by its id. `Send + Sync`.
///
/// # Examples
/// The calls that PyTorch users know:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// # use syncpoint::EventOptions;
/// let device = syncpoint::open("host:0")?;
/// let stream = device.stream()?;
/// let timed = EventOptions::timed();
/// let (start, end) = (device.event_with(timed)?, device.event_with(timed)?);
/// start.record(&stream)?;
/// stream.enqueue(|| { /* work */ })?;
/// end.record(&stream)?;
/// end.synchronize()?;
/// println!("{:?}", end.elapsed_since(&start)?);
/// # Ok(())
/// # }
/// ```
pub struct Event {
    id: u64,
    options: EventOptions,
    /// Guards the name. Not held across a record: a driver call.
    slot: Mutex<Slot>,
    /// Held while [`Event::record_once`] records, so that a second caller returns only once there is a point. Taken
    /// before the order lock of a stream, never by queries or waits.
    once: Mutex<()>,
    /// The process that made it: a child takes neither lock, which a thread of the parent may have held.
    process: Process,
}

#[derive(Default)]
struct Slot {
    device: Option<Device>,
    latest: Option<Recorded>,
}

/// A point with the event's kind of time.
#[derive(Clone)]
enum Recorded {
    Plain(Point),
    Timed(TimedPoint),
}

impl Recorded {
    fn point(&self) -> &Point {
        match self {
            Self::Plain(point) => point,
            Self::Timed(point) => point,
        }
    }
}

/// What has become of an event's latest point.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventState {
    /// It was never recorded.
    NeverRecorded,
    /// Its latest point is pending.
    Pending,
    /// Its latest point is complete.
    Complete,
    /// Its latest point failed; the error tells the first cause.
    Failed(Error),
}

impl Event {
    /// An event that will belong to the device of its first record. What that device lacks is refused then.
    pub fn new(options: EventOptions) -> Self {
        Self::in_slot(options, Slot::default())
    }

    pub(crate) fn of(device: Device, options: EventOptions) -> Self {
        Self::in_slot(options, Slot { device: Some(device), latest: None })
    }

    fn in_slot(options: EventOptions, slot: Slot) -> Self {
        let (slot, once, process) = (Mutex::new(slot), Mutex::new(()), Process::current());
        let event = Self { id: id::next(), options, slot, once, process };
        observe::tell(|| Operation::EventCreated { event: event.id });
        event
    }

    /// Forgets what it named: its life under this id is over.
    pub(crate) fn clear(&self) {
        let latest = lock(&self.slot).latest.take();
        drop(latest);
        observe::tell_of_drop(Operation::EventDeleted { event: self.id });
    }

    /// Begins another life, under an id that nothing had before.
    pub(crate) fn renew(&mut self) {
        self.id = id::next();
        observe::tell(|| Operation::EventCreated { event: self.id });
    }

    /// The id: never reused in this process, and never that of another object.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The options.
    pub fn options(&self) -> EventOptions {
        self.options
    }

    /// The device that the event belongs to, if it belongs to one already. None in a child of the process that made it.
    pub fn device(&self) -> Option<Device> {
        if !self.process.is_current() {
            return None;
        }
        lock(&self.slot).device.clone()
    }

    /// Names the end of the work enqueued on a stream so far. Allocates nothing on an idle stream.
    ///
    /// Of two threads that record at once one stays, whole; of two records on one stream it is the later.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: the event belongs to another device, and did not change; *waiting* elsewhere is legal.
    /// As [`Stream::record`] and [`Stream::record_timed`].
    #[track_caller]
    pub fn record(&self, stream: &Stream) -> Result<()> {
        self.record_at(stream, Place::caller())
    }

    /// Records if the event was never recorded; of any number of callers one records. Once it returns without an
    /// error, the event has a point.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    #[track_caller]
    pub fn record_once(&self, stream: &Stream) -> Result<()> {
        let place = Place::caller();
        inherited::check(self.process, self)?;
        let once = lock(&self.once);
        let missing = self.latest_point()?.is_none();
        let placed = missing.then(|| self.take_record(stream, place)).transpose();
        drop(once);
        // Told once the lock is released: an observer may come back here.
        if let Some(placed) = placed? {
            self.tell_record(stream, placed);
        }
        Ok(())
    }

    fn record_at(&self, stream: &Stream, place: Place) -> Result<()> {
        let placed = self.take_record(stream, place)?;
        self.tell_record(stream, placed);
        Ok(())
    }

    fn tell_record(&self, stream: &Stream, placed: Placed) {
        stream.tell_record(placed, self.options.timing(), Some(self.id));
    }

    /// Records and names the point; no observer has been told of it yet.
    fn take_record(&self, stream: &Stream, place: Place) -> Result<Placed> {
        inherited::check(self.process, self)?;
        self.check_device(&lock(&self.slot), stream)?;
        let (placed, recorded) = if self.options.timing() {
            let (placed, point) = stream.take_timed_point(place)?;
            (placed, Recorded::Timed(point))
        } else {
            let (placed, point) = stream.take_point(place)?;
            (placed, Recorded::Plain(point))
        };
        self.name(recorded, stream)?;
        Ok(placed)
    }

    /// Refuses another device than the one that the event belongs to, and one that lacks what it needs.
    fn check_device(&self, slot: &Slot, stream: &Stream) -> Result<()> {
        match &slot.device {
            Some(device) if device == stream.device() => Ok(()),
            Some(device) => Err(self.wrong_device(device, stream)),
            None => self.options.check(stream.device().capabilities(), stream.device()),
        }
    }

    #[cold]
    fn wrong_device(&self, device: &Device, stream: &Stream) -> Error {
        let message = format!(
            "{self} belongs to {device} and cannot be recorded on {stream}; record another event there (a stream of \
             any device may wait for this one)"
        );
        Error::misuse(Reason::WrongDevice, message)
    }

    /// Moves the name, except back on one timeline. The first name binds the event to the device; a thread that was
    /// first on another device is the reason to check again. The old point is dropped outside the lock.
    fn name(&self, recorded: Recorded, stream: &Stream) -> Result<()> {
        let mut slot = lock(&self.slot);
        self.check_device(&slot, stream)?;
        slot.device.get_or_insert_with(|| stream.device().clone());
        let newer =
            slot.latest.as_ref().is_some_and(|latest| is_before(recorded.point(), latest.point()));
        let old = if newer { Some(recorded) } else { slot.latest.replace(recorded) };
        drop(slot);
        drop(old);
        Ok(())
    }

    fn latest(&self) -> Result<Option<Recorded>> {
        inherited::check(self.process, self)?;
        Ok(lock(&self.slot).latest.clone())
    }

    fn latest_point(&self) -> Result<Option<Point>> {
        inherited::check(self.process, self)?;
        Ok(lock(&self.slot).latest.as_ref().map(|latest| latest.point().clone()))
    }

    /// The latest point: what to wait for where an event never recorded is a mistake.
    ///
    /// # Errors
    /// `Misuse(NotRecorded)`.
    pub fn point(&self) -> Result<Point> {
        self.latest_point()?.ok_or_else(|| self.never_recorded())
    }

    /// The latest timed point.
    ///
    /// # Errors
    /// `Misuse(NotTimed)`: the event was made without timing. `Misuse(NotRecorded)`.
    pub fn timed_point(&self) -> Result<TimedPoint> {
        if !self.options.timing() {
            let message =
                format!("{self} was made without timing; make it with EventOptions::timed()");
            return Err(Error::misuse(Reason::NotTimed, message));
        }
        match self.latest()? {
            Some(Recorded::Timed(point)) => Ok(point),
            Some(Recorded::Plain(_)) | None => Err(self.never_recorded()),
        }
    }

    #[cold]
    fn never_recorded(&self) -> Error {
        Error::misuse(
            Reason::NotRecorded,
            format!("{self} was never recorded; record it on a stream first"),
        )
    }

    pub(crate) fn wait_on(&self, stream: &Stream, place: Place) -> Result<()> {
        match self.latest_point()? {
            Some(point) => stream.wait_for(&point, Some(self.id), place),
            None => stream.timeline().check_process(),
        }
    }

    /// Whether the latest point is complete; true for an event never recorded, as in CUDA.
    ///
    /// # Errors
    /// The failure of the point.
    pub fn query(&self) -> Result<bool> {
        self.latest_point()?.map_or(Ok(true), |point| point.query())
    }

    /// Whether the event was recorded and its latest point is complete: the query of Metal's events.
    ///
    /// # Errors
    /// The failure of the point.
    pub fn query_recorded(&self) -> Result<bool> {
        self.latest_point()?.map_or(Ok(false), |point| point.query())
    }

    /// What has become of the latest point. Never blocks; makes at most one driver call.
    pub fn state(&self) -> EventState {
        match self.latest_point().map(|point| point.map(|point| point.state())) {
            Ok(None) => EventState::NeverRecorded,
            Ok(Some(State::Pending)) => EventState::Pending,
            Ok(Some(State::Complete)) => EventState::Complete,
            Ok(Some(State::Failed(error))) | Err(error) => EventState::Failed(error),
        }
    }

    /// Waits on this thread for the point that is the latest at the call; returns at once for an event never recorded.
    /// Helps as [`Point::synchronize`] does, unless the event is blocking: then the thread sleeps at once.
    ///
    /// # Errors
    /// As [`Point::synchronize`].
    #[track_caller]
    pub fn synchronize(&self) -> Result<()> {
        let wait = if self.options.blocking() { Wait::Block } else { Wait::Adaptive };
        self.wait(How::chosen(wait, None, Place::caller()))
    }

    /// Waits at most this long. Zero asks once.
    ///
    /// # Errors
    /// As [`Point::synchronize_timeout`].
    #[track_caller]
    pub fn synchronize_timeout(&self, timeout: Duration) -> Result<()> {
        self.wait(How::timeout(timeout, Place::caller()))
    }

    /// Waits until this instant at most.
    ///
    /// # Errors
    /// As [`Point::synchronize_timeout`].
    #[track_caller]
    pub fn synchronize_deadline(&self, deadline: Instant) -> Result<()> {
        self.wait(How::deadline(deadline, Place::caller()))
    }

    /// Waits in a way of the caller's choice, at most this long if a time is given.
    ///
    /// # Errors
    /// As [`Point::synchronize_timeout`].
    #[track_caller]
    pub fn synchronize_with(&self, wait: Wait, timeout: Option<Duration>) -> Result<()> {
        self.wait(How::chosen(wait, timeout, Place::caller()))
    }

    fn wait(&self, how: How) -> Result<()> {
        synchronize::event(self.id, self.latest_point()?.as_ref(), how)
    }

    /// The time from the latest point of `start` to the latest point of this event.
    ///
    /// # Errors
    /// In this order: `Misuse(NotTimed)`, `Misuse(NotRecorded)`, `Misuse(WrongDevice)`, `Misuse(NotComplete)`,
    /// `Misuse(Reversed)`, each naming the event or point it means; and as [`TimedPoint::elapsed_since`].
    pub fn elapsed_since(&self, start: &Self) -> Result<Duration> {
        for event in [start, self] {
            if !event.options.timing() {
                event.timed_point()?;
            }
        }
        let (start, end) = (start.timed_point()?, self.timed_point()?);
        end.elapsed_since(&start)
    }

    /// Calls a function once, with the outcome of the point that is the latest at the call; with success for an event
    /// never recorded. As [`Point::notify`].
    ///
    /// # Errors
    /// As [`Point::notify`].
    pub fn notify<F>(&self, function: F) -> Result<Notification>
    where
        F: FnOnce(Result<()>) + Send + 'static,
    {
        notify::when_settled(self.latest_point()?, function)
    }
}

/// Whether both lie on one timeline and the first comes first.
fn is_before(first: &Point, second: &Point) -> bool {
    first.timeline() == second.timeline() && first.value() < second.value()
}

impl Drop for Event {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        observe::tell_of_drop(Operation::EventDeleted { event: self.id });
    }
}

impl IntoFuture for &Event {
    type Output = Result<()>;
    type IntoFuture = Completion;

    fn into_future(self) -> Completion {
        Completion::new(self.latest_point())
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.id.cmp(&other.id)
    }
}

impl std::hash::Hash for Event {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        self.id.hash(hasher);
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "event {}", self.id)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.latest_point() {
            Ok(Some(point)) => write!(formatter, "Event({self}, {point:?})"),
            Ok(None) => write!(formatter, "Event({self}, never recorded)"),
            Err(_) => write!(formatter, "Event({self}, of the parent process)"),
        }
    }
}
