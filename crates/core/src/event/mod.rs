//! Events: reusable names for the latest point recorded under them.

mod awaited;
mod name;
mod native;
mod recording;
mod sharing;
mod turn;

use std::cmp;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::Process;
use syncpoint_trace::Operation;

pub(crate) use name::Name;
use name::Recorded;
pub use native::{ForeignEvent, Native, NativeEvent};
pub(crate) use sharing::Shared;

use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::event_options::EventOptions;
use crate::future::Completion;
use crate::place::Place;
use crate::point::{Point, State};
use crate::stream::Stream;
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
    holder: Holder,
    /// The process that made it: a child takes no lock of it, which a thread of the parent may have held.
    process: Process,
}

/// Where the name of an event is.
enum Holder {
    /// In the event itself.
    Own(Name),
    /// In an event that other processes may import; imported in its own, it is in two events that are one.
    Shared(Arc<Shared>),
    /// Nowhere here: its records are of others.
    Foreign(Arc<dyn ForeignEvent>),
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
        Self::named(options, Name::new(None))
    }

    pub(crate) fn of(device: Device, options: EventOptions) -> Self {
        Self::named(options, Name::new(Some(device)))
    }

    fn named(options: EventOptions, name: Name) -> Self {
        let id = id::next();
        let holder = if options.interprocess() {
            Holder::Shared(Arc::new(Shared { id, options, name }))
        } else {
            Holder::Own(name)
        };
        Self::created(id, options, holder)
    }

    fn created(id: u64, options: EventOptions, holder: Holder) -> Self {
        observe::tell(|| Operation::EventCreated { event: id });
        Self { id, options, holder, process: Process::current() }
    }

    /// Forgets what it named: its life under this id is over.
    pub(crate) fn clear(&mut self) {
        if let Ok(name) = self.name() {
            name.clear();
        }
        tell_of_deletion(self.id);
        self.set_id(BETWEEN_LIVES);
    }

    /// Of an event that is nobody else's.
    fn set_id(&mut self, id: u64) {
        self.id = id;
        if let Holder::Shared(shared) = &mut self.holder
            && let Some(shared) = Arc::get_mut(shared)
        {
            shared.id = id;
        }
    }

    /// The name, where it is in this process.
    fn name(&self) -> Result<&Name> {
        inherited::check(self.process, self)?;
        match &self.holder {
            Holder::Own(name) => Ok(name),
            Holder::Shared(shared) => Ok(&shared.name),
            Holder::Foreign(_) => Err(self.not_ours("recorded or asked for its points")),
        }
    }

    /// Begins another life, under an id that nothing had before.
    pub(crate) fn renew(&mut self) {
        self.set_id(id::next());
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
        inherited::check(self.process, self).ok()?;
        match &self.holder {
            Holder::Foreign(event) => Some(event.device().clone()),
            Holder::Own(name) => name.device(),
            Holder::Shared(shared) => shared.name.device(),
        }
    }

    /// The latest point, for an event that has points in this process.
    fn latest_point(&self) -> Result<Option<Point>> {
        Ok(self.name()?.latest_point())
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
    /// `Misuse(NotTimed)`: the event was made without timing, or its records are not ours. `Misuse(NotRecorded)`.
    pub fn timed_point(&self) -> Result<TimedPoint> {
        if let Holder::Foreign(_) = self.holder {
            return Err(self.has_no_time());
        }
        if !self.options.timing() {
            let message =
                format!("{self} was made without timing; make it with the option of timing");
            return Err(Error::misuse(Reason::NotTimed, message));
        }
        match self.name()?.latest() {
            Some(Recorded::Timed(point)) => Ok(point),
            Some(Recorded::Plain(_)) | None => Err(self.never_recorded()),
        }
    }

    #[cold]
    fn has_no_time(&self) -> Error {
        let message = format!(
            "{self} is {} and has no time here; record an event made with timing beside it",
            self.whose()
        );
        Error::misuse(Reason::NotTimed, message)
    }

    #[cold]
    fn never_recorded(&self) -> Error {
        Error::misuse(
            Reason::NotRecorded,
            format!("{self} was never recorded; record it on a stream first"),
        )
    }

    pub(crate) fn wait_on(&self, stream: &Stream, place: Place) -> Result<()> {
        if let (Holder::Foreign(event), true) = (&self.holder, self.process.is_current()) {
            return self.wait_foreign(event, stream, place);
        }
        match self.awaited_at(place)? {
            Some(point) => stream.wait_for(&point, Some(self.id), place),
            None => stream.timeline().check_process(),
        }
    }

    /// Whether the latest point is complete; true for an event never recorded, as in CUDA.
    ///
    /// # Errors
    /// The failure of the point.
    pub fn query(&self) -> Result<bool> {
        self.query_or(true)
    }

    /// Whether the event was recorded and its latest point is complete: the query of Metal's events.
    ///
    /// # Errors
    /// The failure of the point.
    pub fn query_recorded(&self) -> Result<bool> {
        self.query_or(false)
    }

    /// Whether the latest point is complete, or this if there is none.
    fn query_or(&self, never_recorded: bool) -> Result<bool> {
        if let Holder::Foreign(_) = &self.holder {
            return match self.state() {
                EventState::NeverRecorded => Ok(never_recorded),
                EventState::Pending => Ok(false),
                EventState::Complete => Ok(true),
                EventState::Failed(error) => Err(error),
            };
        }
        self.latest_point()?.map_or(Ok(never_recorded), |point| point.query())
    }

    /// What has become of the latest point. Does not wait for it; makes at most one driver call, as
    /// [`Point::query`]. In a forked child an inherited event is `Failed` with an error of kind `Unavailable`.
    pub fn state(&self) -> EventState {
        if let (Holder::Foreign(event), true) = (&self.holder, self.process.is_current()) {
            return event.state();
        }
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
        self.wait_by_default(How::helping(Place::caller()))
    }

    /// Waits at most this long, and never helps. Zero asks once. A blocking event has the thread sleep at once.
    ///
    /// # Errors
    /// As [`Point::synchronize_timeout`].
    #[track_caller]
    pub fn synchronize_timeout(&self, timeout: Duration) -> Result<()> {
        self.wait_by_default(How::timeout(timeout, Place::caller()))
    }

    /// Waits until this instant at most, otherwise as [`synchronize_timeout`](Self::synchronize_timeout).
    ///
    /// # Errors
    /// As [`Point::synchronize_timeout`].
    #[track_caller]
    pub fn synchronize_deadline(&self, deadline: Instant) -> Result<()> {
        self.wait_by_default(How::deadline(deadline, Place::caller()))
    }

    /// Waits in a way of the caller's choice, whatever the event's own is, at most this long if a time is given.
    ///
    /// # Errors
    /// As [`Point::synchronize_timeout`].
    #[track_caller]
    pub fn synchronize_with(&self, wait: Wait, timeout: Option<Duration>) -> Result<()> {
        self.wait(How::chosen(wait, timeout, Place::caller()))
    }

    /// In the way of the event's own.
    fn wait_by_default(&self, how: How) -> Result<()> {
        self.wait(how.by(self.own_wait()))
    }

    pub(crate) fn own_wait(&self) -> Wait {
        if self.options.blocking() { Wait::Block } else { Wait::Adaptive }
    }

    fn wait(&self, how: How) -> Result<()> {
        synchronize::event(self.id, self.awaited_at(how.place())?.as_ref(), how)
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
    #[track_caller]
    pub fn notify<F>(&self, function: F) -> Result<Notification>
    where
        F: FnOnce(Result<()>) + Send + 'static,
    {
        notify::when_settled(self.awaited_at(Place::caller())?, function)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // What is shared tells of its end itself, once.
        if self.process.is_current() && !matches!(self.holder, Holder::Shared(_)) {
            tell_of_deletion(self.id);
        }
    }
}

fn tell_of_deletion(event: u64) {
    if event != BETWEEN_LIVES {
        observe::tell_of_drop(Operation::EventDeleted { event });
    }
}

/// The id of a pooled event that nobody has: its last life was told to be over.
const BETWEEN_LIVES: u64 = 0;

impl IntoFuture for &Event {
    type Output = Result<()>;
    type IntoFuture = Completion;

    #[track_caller]
    fn into_future(self) -> Completion {
        Completion::new(self.awaited_at(Place::caller()))
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
            Err(_) => write!(formatter, "Event({self}, {})", self.whose()),
        }
    }
}
