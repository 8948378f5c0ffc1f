//! The stream pool.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::device::Device;
use crate::error::Result;
use crate::graph;
use crate::once::Once;
use crate::place::Place;
use crate::point::{Point, State};
use crate::pool::lending::{Counter, Lends, Loan, LoanTicket, PoolStatistics};
use crate::stream::{Mode, Stream, StreamOptions};

/// Lends streams of a device, each to one holder: never the same to two, as pools that go round do.
///
/// A stream that is brought back is lent again once its work is complete; one that has failed, or whose raw handle was
/// given out, is given up. The pool may be dropped before what it lent. `Send + Sync`.
///
/// A pool is of one device (an [`EventPool`](crate::EventPool) serves any). A lent stream cannot be made current: that takes
/// an `Arc<Stream>`, which [`Loan::keep`] gives, and then the stream does not come back.
///
/// # Examples
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use syncpoint::{Kind, StreamPool};
///
/// let pool = StreamPool::bounded(&syncpoint::open("host:0")?, 1);
/// let stream = pool.stream(0)?;
/// assert_eq!(pool.stream(0).unwrap_err().kind(), Kind::Exhausted);
/// drop(stream);
/// pool.stream(0).map(drop)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StreamPool {
    device: Device,
    counter: Arc<Counter<Stream>>,
}

impl StreamPool {
    /// A pool that grows as it must.
    pub fn new(device: &Device) -> Self {
        Self::bounded(device, usize::MAX)
    }

    /// A pool that lends at most this many at once, and keeps at most as many idle.
    pub fn bounded(device: &Device, most: usize) -> Self {
        Self { device: device.clone(), counter: Counter::new(most) }
    }

    /// Lends a stream of a priority: `device.priority_range().least()`, 0 on most devices, for an ordinary one; lower is
    /// served first.
    ///
    /// # Errors
    /// `Exhausted`: the bound is reached. As [`Device::stream_with`].
    #[track_caller]
    pub fn stream(&self, priority: i32) -> Result<Loan<Stream>> {
        let place = Place::caller();
        self.counter.lend(priority, place, || self.make(priority))
    }

    /// Makes this many idle streams more, ahead of need.
    ///
    /// # Errors
    /// `Exhausted`: more than the bound would be idle. As [`Device::stream_with`]. Those made before stay.
    pub fn warm_up(&self, priority: i32, count: usize) -> Result<()> {
        (0..count).try_for_each(|_| self.counter.stock(&priority, || self.make(priority)))
    }

    fn make(&self, priority: i32) -> Result<Stream> {
        self.device.stream_with(StreamOptions::new().with_priority(priority))
    }

    /// Drops the idle streams. Those in use are not touched.
    pub fn empty_cache(&self) {
        self.counter.empty();
    }

    /// What the pool counts.
    pub fn statistics(&self) -> PoolStatistics {
        self.counter.statistics()
    }

    /// Where each stream now in use was asked for. Empty in release builds.
    pub fn loans(&self) -> Vec<Place> {
        self.counter.places()
    }
}

impl Lends for Stream {
    type Key = i32;

    fn refresh(&mut self) {
        self.count_anew();
    }

    /// A stream comes back when its work has settled. No driver is asked for a point: all work of a managed stream came
    /// through us, so the latest value is its end.
    fn bring_back(self: Box<Self>, counter: Weak<Counter<Self>>, ticket: LoanTicket<Self::Key>) {
        if counter.strong_count() == 0 {
            return;
        }
        let end = Point::new(self.timeline().clone(), self.timeline().enqueued(), Place::caller());
        let returning =
            Arc::new(Returning { counter, end: end.clone(), stream: Once::new((self, ticket)) });
        let waker = Waker::from(Arc::clone(&returning));
        if end.timeline().register(end.value(), waker).is_none() {
            returning.wake();
        } else {
            graph::expect(&end);
        }
    }
}

/// A stream on its way back: its waker puts it on the shelf.
struct Returning {
    counter: Weak<Counter<Stream>>,
    end: Point,
    stream: Once<(Box<Stream>, LoanTicket<i32>)>,
}

impl Wake for Returning {
    fn wake(self: Arc<Self>) {
        let (Some(counter), Some((stream, ticket))) = (self.counter.upgrade(), self.stream.take())
        else {
            return;
        };
        let is_ours = stream.mode() == Mode::Managed;
        if is_ours && matches!(self.end.known(), State::Complete) && stream.failure().is_none() {
            counter.put(stream, &ticket);
        } else {
            counter.give_up(&ticket);
        }
    }
}
