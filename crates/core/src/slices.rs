//! Host waits that are made of many short ones, as bindings of other languages make them: observers hear each as one.

use std::ops::Deref;
use std::time::Instant;

use syncpoint_trace::{Call, Operation, Outcome};

use crate::contract::Line;
use crate::device::{Device, outcome_of};
use crate::error::{Kind, Result};
use crate::event::Event;
use crate::observe;
use crate::place::Place;
use crate::point::Point;
use crate::stream::Stream;
use crate::synchronize;
use crate::wait::{self, How, Wait};

/// One wait of a thread, made of many short ones, between which the thread may look for something else. It is for what was there
/// as the first of them began, or, where a device had no room for a record then, as there was. Observers hear it as one: it ends
/// with the first that does not run out, or with this. It has the reports of a single wait, and its place in the line where it
/// sleeps for a device's room.
///
/// # Examples
/// A thread that looks for something else every 10 ms waits once, as observers hear it:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use std::time::{Duration, Instant};
///
/// let stream = syncpoint::open("host:0")?.stream()?;
/// let mut slices = syncpoint::Slices::stream(&stream);
/// loop {
///     match slices.synchronize_deadline(Instant::now() + Duration::from_millis(10)) {
///         Err(late) if late.kind() == syncpoint::Kind::TimedOut => {}
///         outcome => break outcome,
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Slices<'a> {
    awaited: Awaited<'a>,
    /// What is waited for, once there is room for it.
    points: Option<Points>,
    told: Told,
}

impl<'a> Slices<'a> {
    /// A wait for a point, as [`Point::synchronize_deadline`].
    pub fn point(point: &'a Point) -> Self {
        Self::new(Awaited::Point(point))
    }

    /// A wait for what an event stands for as it begins, in the event's own way, as [`Event::synchronize_deadline`].
    pub fn event(event: &'a Event) -> Self {
        Self::new(Awaited::Event(event))
    }

    /// A wait for everything enqueued on a stream as it begins, as [`Stream::synchronize_timeout`].
    pub fn stream(stream: &'a Stream) -> Self {
        Self::new(Awaited::Stream(stream, Line::default()))
    }

    /// A wait for everything enqueued on the streams of a device as it begins, as [`Device::synchronize_timeout`].
    pub fn device(device: &'a Device) -> Self {
        Self::new(Awaited::Device(device))
    }

    fn new(awaited: Awaited<'a>) -> Self {
        Self { awaited, points: None, told: Told::NotYet }
    }

    /// Waits until this instant at most. Never runs work on this thread.
    ///
    /// # Errors
    /// As a single wait for the same. `TimedOut`: the whole is not over.
    #[track_caller]
    pub fn synchronize_deadline(&mut self, until: Instant) -> Result<()> {
        let how = How::deadline(until, Place::caller()).by(self.awaited.wait());
        let outcome = self.slice(&how);
        if !is_late(&outcome) {
            self.told.end(outcome_of(&outcome));
        }
        outcome
    }

    fn slice(&mut self, how: &How) -> Result<()> {
        if self.points.is_none() {
            let taken = self.awaited.take(how);
            if taken.is_ok() || is_late(&taken) {
                self.told.begin(|| self.awaited.call(taken.as_deref().unwrap_or_default()));
            }
            self.points = Some(taken?);
        }
        settle(self.points.as_deref().unwrap_or_default(), how)
    }
}

impl Drop for Slices<'_> {
    fn drop(&mut self) {
        self.told.end(Outcome::TimedOut);
    }
}

/// Tells that one is late rather than that another has failed: the end of a slice is not the end of the wait. Of several that
/// are late the first is asked who waits for whom, and the others are not asked.
fn settle(points: &[Point], how: &How) -> Result<()> {
    let mut failed = Ok(());
    for point in points {
        let outcome = wait::synchronize(point, how);
        if is_late(&outcome) {
            return outcome;
        }
        failed = failed.and(outcome);
    }
    failed
}

fn is_late<T>(outcome: &Result<T>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind() == Kind::TimedOut)
}

/// What the user waits for.
#[derive(Debug)]
enum Awaited<'a> {
    Point(&'a Point),
    Event(&'a Event),
    /// With its place among those who sleep for room.
    Stream(&'a Stream, Line),
    Device(&'a Device),
}

impl Awaited<'_> {
    fn wait(&self) -> Wait {
        match self {
            Self::Event(event) => event.own_wait(),
            _ => Wait::Adaptive,
        }
    }

    /// What that is now.
    fn take(&mut self, how: &How) -> Result<Points> {
        match self {
            Self::Point(point) => Ok(Points::One(Some(point.clone()))),
            Self::Event(event) => event.awaited_at(how.place()).map(Points::One),
            Self::Stream(stream, line) => synchronize::take_point(stream, how, line)
                .map(|point| Points::One(Some(point)))
                .map_err(|(refused, _latest)| refused),
            Self::Device(device) => device.record_all_at(how.place()).map(Points::All),
        }
    }

    /// How observers hear it. Of a stream that has no room for a record it is up to what it has.
    fn call(&self, points: &[Point]) -> Call {
        match self {
            Self::Point(point) => synchronize::call_of_point(point),
            Self::Event(event) => synchronize::call_of_event(event.id(), points.first()),
            Self::Stream(stream, _) => {
                let latest = || stream.timeline().enqueued();
                let value = points.first().map_or_else(latest, Point::value);
                Call::Stream { stream: stream.id(), value }
            }
            Self::Device(device) => Call::Device { device: device.name().to_owned() },
        }
    }
}

/// What is waited for: of one object a point at most.
#[derive(Debug)]
enum Points {
    One(Option<Point>),
    All(Vec<Point>),
}

impl Deref for Points {
    type Target = [Point];

    fn deref(&self) -> &[Point] {
        match self {
            Self::One(point) => point.as_slice(),
            Self::All(points) => points,
        }
    }
}

/// How much of a wait observers have heard. Whoever did not hear it begin does not hear its end.
#[derive(Debug)]
enum Told {
    NotYet,
    Begun(Call),
    Over,
}

impl Told {
    fn begin(&mut self, call: impl FnOnce() -> Call) {
        if !matches!(self, Self::NotYet) {
            return;
        }
        *self = Self::Over;
        if observe::active() {
            let call = call();
            *self = Self::Begun(call.clone());
            observe::tell(|| Operation::Synchronizing { call });
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Self::Begun(call) = std::mem::replace(self, Self::Over) {
            observe::tell(|| Operation::Synchronized { call, outcome });
        }
    }
}
