//! Streams of the host: what core asks of them, done under the order lock.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use syncpoint_core::contract::{
    self, Edge, Hand, Item, Placed, RawStream, Refused, Stamp, Time, Untold, Why,
};
use syncpoint_core::{Error, Kind, Place, Point, Result, Statistics, Timeline};

use crate::batch::Batch;
use crate::failing::Failing;
use crate::help;
use crate::order::{Entry, Order, Other, Step, Turn};
use crate::serve::Scheduler;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, lock};

/// One stream.
#[derive(Debug)]
pub(crate) struct HostStream {
    pub(crate) timeline: Timeline,
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) priority: i32,
    /// The order lock. Guards the queue and the state; nothing of the user's runs under it, and no other stream's
    /// order lock is taken. The leaf lock of a timeline may be.
    order: Mutex<Order>,
    /// Whether the stream was cancelled while somebody ran it: the owner looks here before each item.
    cancelled: AtomicBool,
    this: Weak<Self>,
}

impl HostStream {
    pub(crate) fn new(timeline: Timeline, scheduler: Arc<Scheduler>, priority: i32) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            timeline,
            scheduler,
            priority,
            order: Mutex::new(Order::default()),
            cancelled: AtomicBool::new(false),
            this: Weak::clone(this),
        })
    }

    pub(crate) fn order(&self) -> MutexGuard<'_, Order> {
        lock(&self.order)
    }

    /// A strong name of this stream. It lives: somebody calls a method of it.
    fn this(&self) -> Option<Arc<Self>> {
        self.this.upgrade()
    }

    /// Sees to it that there is a worker. A stream that has failed refuses with its failure all the same.
    #[inline]
    fn ensure_worker(&self) -> Result<()> {
        let refusal = |error| self.order().failure.clone().unwrap_or(error);
        self.scheduler.ensure_worker().map_err(refusal)
    }

    /// Refuses on a stream that has failed or is full.
    #[inline]
    fn admit(&self, order: &mut Order) -> Result<()> {
        let completed = || self.timeline.completed();
        if order.failure.is_none() && order.has_room(self.scheduler.shared().bound, completed) {
            return Ok(());
        }
        Err(order.failure.clone().unwrap_or_else(|| self.full()))
    }

    #[cold]
    fn full(&self) -> Error {
        let message = format!(
            "{} holds {} items, its bound; synchronize before enqueueing more",
            self.timeline,
            self.scheduler.shared().bound
        );
        Error::new(Kind::Exhausted, message)
    }

    /// Publishes a value just taken.
    fn placed(&self, value: u64) -> Placed {
        self.timeline.enqueue(value);
        Placed::new(value)
    }

    /// Makes an idle stream runnable. Says whether it has to be listed once the lock is released.
    #[inline]
    fn rouse(order: &mut Order) -> bool {
        if order.state != Turn::Idle {
            return false;
        }
        order.state = Turn::Runnable;
        !std::mem::replace(&mut order.listed, true)
    }

    fn list(&self) {
        if let Some(this) = self.this() {
            self.scheduler.submit(this);
        }
    }

    /// Parks an idle stream on the point that it was just told to wait for. Says whether the stream has to be listed,
    /// because the point has settled meanwhile.
    fn park_at_once(&self, order: &mut Order, point: &Point) -> bool {
        if order.state != Turn::Idle {
            return false;
        }
        if self.this().is_some_and(|this| this.list_with(point)) {
            order.state = Turn::Parked;
            return false;
        }
        Self::rouse(order)
    }

    /// Lists this stream with the waiters of a point. `false`: the point has settled, and it is not listed.
    pub(crate) fn list_with(self: Arc<Self>, point: &Point) -> bool {
        contract::bridge::<Self>(point, Waker::from(self)).is_some()
    }
}

/// The waker of a parked stream makes it runnable, and runs nothing.
impl Wake for HostStream {
    fn wake(self: Arc<Self>) {
        let mut order = self.order();
        if order.state != Turn::Parked {
            return;
        }
        order.state = Turn::Runnable;
        if !std::mem::replace(&mut order.listed, true) {
            drop(order);
            Hand::keep_or_submit(self);
        }
    }
}

impl RawStream for HostStream {
    fn put(&self, item: Item) -> Result<Placed> {
        self.ensure_worker()?;
        let mut order = self.order();
        if let Err(error) = self.admit(&mut order) {
            drop(order);
            return Err(error);
        }
        let placed = self.placed(order.push(Entry::new(item)));
        let list = Self::rouse(&mut order);
        drop(order);
        if list {
            self.list();
        }
        Ok(placed)
    }

    fn put_at(&self, item: Item, enqueued: u64) -> Result<Placed, Refused> {
        if let Err(error) = self.ensure_worker() {
            return Err(Refused { item, why: Why::Error(error) });
        }
        let mut order = self.order();
        if order.enqueued() != enqueued {
            return Err(Refused { item, why: Why::MoreWork });
        }
        if let Err(error) = self.admit(&mut order) {
            return Err(Refused { item, why: Why::Error(error) });
        }
        let placed = self.placed(order.push(Entry::new(item)));
        if Self::rouse(&mut order) {
            drop(order);
            self.list();
        }
        Ok(placed)
    }

    fn wait(&self, point: &Point, place: Place) -> Result<Option<Placed>> {
        self.ensure_worker()?;
        let mut order = self.order();
        if order.waits().cover(point) {
            return Ok(None);
        }
        self.admit(&mut order)?;
        let value = order.push_wait(point.clone(), place);
        let placed = self.placed(value);
        if self.park_at_once(&mut order, point) {
            drop(order);
            self.list();
        }
        Ok(Some(placed))
    }

    /// The latest value is the end of the work so far.
    fn has_plain_records(&self) -> bool {
        true
    }

    fn record(&self) -> Result<Placed> {
        Ok(Placed::new(self.timeline.enqueued()))
    }

    /// On an idle stream the time is now, and no operation is needed either.
    fn record_timed(&self, place: Place) -> Result<(Placed, Time)> {
        let mut order = self.order();
        if order.state == Turn::Idle && order.failure.is_none() {
            let value = order.enqueued();
            return Ok((Placed::new(value), Time::Known(self.scheduler.shared().clock.now())));
        }
        self.admit(&mut order)?;
        let stamp = Arc::new(Stamp::default());
        let placed = self.placed(
            order.push(Entry { step: Step::Other(Other::Stamp(Arc::clone(&stamp))), place }),
        );
        Ok((placed, Time::Stamp(stamp)))
    }

    fn waits_between(&self, after: u64, upto: u64) -> Vec<Edge> {
        self.order().waits().between(after, upto)
    }

    fn recover(&self) -> Result<Option<Error>> {
        let mut order = self.order();
        if order.failure.is_none() || order.cancelled {
            return Ok(None);
        }
        order.failure = None;
        let enqueued = order.enqueued();
        // The first value of the new era has nothing to do: what is recorded before new work is complete.
        let value = order.skip();
        let failure = self.timeline.renew(enqueued, value);
        drop(order);
        self.timeline.complete(value);
        Ok(failure)
    }

    fn cancel(&self, error: &Error) -> Option<Box<dyn Untold>> {
        let mut order = self.order();
        order.cancelled = true;
        if order.failure.is_some() {
            return None;
        }
        let mut at = order.front_value();
        if order.state == Turn::Running {
            // The owner looks here after each value that it completes.
            self.cancelled.store(true, Ordering::Release);
            at = order.not_begun(self.timeline.completed_with_notice());
        }
        Some(Box::new(self.begin_failure(order, &mut Batch::default(), at, error)))
    }

    /// The queue runs on: whoever has an entry of the stream, or lists it with its waiters, keeps it alive.
    fn close(&self) {}

    fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::default();
        statistics.queued = self.timeline.pending();
        statistics
    }

    fn help(&self, value: u64) {
        if let Some(this) = self.this() {
            help::help(this, value);
        }
    }

    fn expect(&self, _value: u64) {
        self.scheduler.kick();
    }
}

impl HostStream {
    /// Whether the owner has to fail what it has not begun.
    #[inline]
    pub(crate) fn is_cancelled(&self) -> bool {
        // Acquire: pairs with the release in `cancel`; the failure is visible with it.
        self.cancelled.load(Ordering::Acquire)
    }

    /// Fails the stream at the value where its owner is. What has not begun will never run.
    #[cold]
    pub(crate) fn fail(&self, batch: &mut Batch, at: u64, error: &Error) {
        let order = self.order();
        self.begin_failure(order, batch, at, error).tell();
    }

    /// The owner of a cancelled stream fails what it holds and has not begun.
    #[cold]
    pub(crate) fn end_cancelled(&self, batch: &mut Batch) {
        let order = self.order();
        self.cancelled.store(false, Ordering::Release);
        if let Some(error) = order.failure.clone()
            && !batch.is_empty()
        {
            self.begin_failure(order, batch, batch.at, &error).tell();
        }
    }

    /// Fails every value from `at` on, and the gates that were to open at them.
    fn begin_failure(
        &self,
        mut order: MutexGuard<'_, Order>,
        batch: &mut Batch,
        at: u64,
        error: &Error,
    ) -> Failing {
        order.failure.get_or_insert_with(|| error.clone());
        let timer = &self.scheduler.shared().timer;
        let alarm = order.parked_until().and_then(|instant| timer.take_back(instant, self));
        let abandoned = order.abandon(batch);
        if order.state == Turn::Parked {
            order.state = Turn::Idle;
        }
        if at > order.enqueued() {
            // Nothing is left to fail: the failure is a value of its own, so that what is recorded now has failed.
            self.timeline.enqueue(order.skip());
        }
        let woken = self.timeline.fail(at, error.clone());
        drop(order);
        drop(alarm);
        Failing::new(self, woken, abandoned, error)
    }
}
