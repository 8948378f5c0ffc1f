//! Retiring: a resource is dropped once the work that uses it is complete.

use std::fmt;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::error::{Error, Result};
use crate::once::Once;
use crate::point::{Point, State};
use crate::sync::process::{AtomicUsize, Ordering};
use crate::{graph, notify};

/// Drops a resource when every one of the points is complete or failed: on the notifier, a thread of ours, outside
/// every lock. For what work uses without this library knowing: memory, a file, a lease.
///
/// A point that has failed holds nothing any more, although on a device with a driver work that was submitted before the
/// failure may still run. What such work uses is the caller's to keep until the device is shut down.
///
/// Only the named points decide: a slow point holds back no resource that does not name it. Never blocks.
///
/// # Errors
/// [`Retained`] with the resource, when the notifier's thread cannot be made.
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
pub fn retire<T: Send + 'static>(
    resource: T,
    points: impl IntoIterator<Item = Point>,
) -> Result<Retirement, Retained<T>> {
    if let Err(error) = notify::start() {
        return Err(Retained { resource, error });
    }
    let points: Vec<Point> = points.into_iter().collect();
    let held = Arc::new(Held {
        resource: Once::new(Box::new(resource)),
        // One more than the points, for this call itself: nothing is dropped before all are listed.
        pending: AtomicUsize::new(points.len() + 1),
    });
    for point in &points {
        held.list(point);
    }
    held.let_go();
    Ok(Retirement { points })
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
    points: Vec<Point>,
}

impl Retirement {
    /// The points that still hold the resource. Empty: it has been dropped, or is about to be.
    pub fn holders(&self) -> Vec<Point> {
        let pending = |point: &&Point| matches!(point.state(), State::Pending);
        self.points.iter().filter(pending).cloned().collect()
    }
}

/// A resource and how many points still hold it.
struct Held {
    resource: Once<Box<dyn Send>>,
    pending: AtomicUsize,
}

impl Held {
    /// Lists this with the waiters of a point, or lets go of it at once.
    fn list(self: &Arc<Self>, point: &Point) {
        let settled = point.outcome().is_some();
        let waker = Waker::from(Arc::clone(self));
        if settled || point.timeline().register(point.value(), waker).is_none() {
            self.let_go();
        } else {
            graph::expect(point);
        }
    }

    /// One point less holds the resource; the last hands it to the notifier.
    fn let_go(&self) {
        // Release and acquire: pair among the points, so that the drop comes after all of their work.
        if self.pending.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(resource) = self.resource.take()
        {
            notify::post(move || drop(resource));
        }
    }
}

/// A waker of a point is woken once.
impl Wake for Held {
    fn wake(self: Arc<Self>) {
        self.let_go();
    }
}
