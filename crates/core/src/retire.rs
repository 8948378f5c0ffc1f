//! Retiring: a resource is dropped once the work that uses it is over.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::error::{Error, Result};
use crate::once::Once;
use crate::point::{Point, State};
use crate::{graph, notify};

/// Drops a resource when the work of every one of the points is over: on the notifier, a thread of ours, outside every
/// lock. For what work uses without this library knowing: memory, a file, a lease.
///
/// The work of a point is over when the point is complete. That of one that has failed is over when nothing of it runs
/// any more: functions have returned, and the device has gone past what it had been given, or is lost.
///
/// Only the named points decide, each for the work of its own stream: a slow point holds back no resource that does not
/// name it. Never blocks.
///
/// # Errors
/// [`Retained`] with the resource, when the notifier's thread cannot be made; with `Misuse(Capturing)` for a point of a
/// capture, whose work may run again and again.
///
/// # Examples
/// A buffer of the user's own is dropped after the work that reads it:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// let stream = syncpoint::open("host:0")?.stream()?;
/// let table = std::sync::Arc::new(vec![1, 2, 3]);
/// let read = std::sync::Arc::clone(&table);
/// stream.enqueue(move || assert_eq!(read.len(), 3))?;
/// let retirement = syncpoint::retire(table, [stream.record()?])?;
/// stream.synchronize()?;
/// assert!(retirement.holders().is_empty());
/// # Ok(())
/// # }
/// ```
#[doc(alias("drop_after", "defer_drop"))]
pub fn retire<T: Send + 'static>(
    resource: T,
    points: impl IntoIterator<Item = Point>,
) -> Result<Retirement, Retained<T>> {
    let points: Vec<Point> = points.into_iter().collect();
    if points.iter().any(|point| point.timeline().captured().is_some()) {
        return Err(Retained { resource, error: Error::captured() });
    }
    if let Err(error) = notify::start() {
        return Err(Retained { resource, error });
    }
    let held = Arc::new(Held(Once::new(Box::new(resource))));
    let holds = points.into_iter().map(|point| Hold::list(point, &held)).collect();
    Ok(Retirement { holds })
}

/// The same for a drop, whose thread asks no driver and runs no waker: the points are looked at, and the driver asked, on the
/// notifier, behind what that has to tell. Where that cannot be made, the resource is kept for ever.
#[doc(hidden)]
pub fn retire_in_drop<T: Send + 'static>(resource: T, points: Vec<Point>) {
    let resource = ManuallyDrop::new(resource);
    if notify::start().is_ok() {
        notify::post(move || {
            let _kept =
                retire(ManuallyDrop::into_inner(resource), points).map_err(ManuallyDrop::new);
        });
    }
}

/// A resource that was not retired, and why.
#[non_exhaustive]
pub struct Retained<T> {
    /// The resource, for the caller to keep.
    pub resource: T,
    /// Why it was not retired.
    pub error: Error,
}

impl<T> fmt::Debug for Retained<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Retained({:?})", self.error)
    }
}

/// Gives the resource up: it is dropped here.
impl<T> From<Retained<T>> for Error {
    fn from(retained: Retained<T>) -> Self {
        retained.error
    }
}

/// A retired resource, seen from outside: dropping this changes nothing.
#[derive(Clone, Debug)]
pub struct Retirement {
    holds: Vec<(Point, Weak<Hold>)>,
}

impl Retirement {
    /// The points whose work still holds the resource. Empty: it has been dropped, or is about to be. A point that has
    /// failed is looked after on the notifier, so it is here for a moment at least.
    pub fn holders(&self) -> Vec<Point> {
        let holds = |(point, hold): &&(Point, Weak<Hold>)| {
            hold.strong_count() > 0 && !matches!(point.state_unnoticed(), State::Complete)
        };
        self.holds.iter().filter(holds).map(|(point, _)| point.clone()).collect()
    }
}

/// A resource, until nothing holds it any more.
struct Held(Once<Box<dyn Send>>);

/// The last hold is let go by whoever settles its point; a drop of the user's is not run there.
impl Drop for Held {
    fn drop(&mut self) {
        let resource = self.0.take();
        notify::post(move || drop(resource));
    }
}

/// One point's hold of a resource: a waker of the point, and then, where the point has failed, kept by its stream.
struct Hold {
    point: Point,
    _held: Arc<Held>,
}

impl Hold {
    /// Lists a hold with the waiters of a point, or lets go of it at once.
    fn list(point: Point, held: &Arc<Held>) -> (Point, Weak<Self>) {
        let hold = Arc::new(Self { point: point.clone(), _held: Arc::clone(held) });
        let weak = Arc::downgrade(&hold);
        if hold.is_listed_with(&point) {
            graph::expect(&point);
        } else {
            hold.wake();
        }
        (point, weak)
    }

    /// Leaves it to the stream of a point that has failed when its work is over; what has not settled before it is
    /// waited for first, because work behind what runs may have failed already.
    fn leave(self: Arc<Self>) {
        // What a fork left with the parent holds nothing here: its work uses the parent's memory.
        if self.point.timeline().is_inherited() {
            return;
        }
        let (timeline, value) = (self.point.timeline(), self.point.value());
        let first = timeline.point(timeline.completed() + 1);
        if first.value() < value && self.is_listed_with(&first) {
            graph::expect(&first);
        } else if let Some(stream) = timeline.stream() {
            stream.keep(value, self);
        } else if timeline.is_unheard() {
            // The device may be at it still, and nobody is left who could find out.
            let _the_devices = ManuallyDrop::new(self);
        }
    }

    /// Lists the hold with the waiters of a point, unless that has settled.
    fn is_listed_with(self: &Arc<Self>, point: &Point) -> bool {
        let waker = Waker::from(Arc::clone(self));
        point.outcome().is_none() && point.timeline().register(point.value(), waker).is_some()
    }
}

/// Woken when the point has settled, or what comes before one that has failed.
impl Wake for Hold {
    fn wake(self: Arc<Self>) {
        if matches!(self.point.known(), State::Failed(_)) {
            notify::post(|| self.leave());
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hold({:?})", self.point)
    }
}
