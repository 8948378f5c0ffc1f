//! The contract of a stream, as a held stream keeps it.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::offer::{Hold, Offer};
use super::order::{Entry, Order, Step, Turn, Way};
use super::{Driver, HeldStream};
use crate::contract::{Captured, Edge, Item, Placed, RawStream, Refused, Task, Time};
use crate::error::{Error, Kind, Result};
use crate::place::Place;
use crate::point::Point;
use crate::stream::{Mode, Statistics};
use crate::sync::MutexGuard;

impl<D: Driver> RawStream for HeldStream<D> {
    fn mode(&self) -> Mode {
        self.mode_now()
    }

    fn is_idle(&self) -> Option<Result<bool>> {
        self.is_idle_now()
    }

    fn put(&self, item: Item) -> Result<Placed> {
        let this = self.this();
        if this.is_capturing()? {
            return this.put_captured(item);
        }
        if let Task::Delay(duration) = item.task {
            this.prepare_delay(duration)?;
        }
        let order = self.order();
        this.admit(order, &mut entry(item))
    }

    fn record_captured(&self) -> Result<Option<Captured>> {
        self.record_in_capture()
    }

    fn wait_captured(&self, record: &Captured) -> Result<()> {
        self.join_capture(record)
    }

    fn put_at(&self, item: Item, enqueued: u64) -> Result<Placed, Refused> {
        let (this, place) = (self.this(), item.place);
        if let Err(error) = self.refuse_capturing() {
            return Err(Refused { item, error: Some(error) });
        }
        let order = self.order();
        if order.row.enqueued() != enqueued {
            return Err(Refused { item, error: None });
        }
        let mut entry = entry(item);
        this.admit(order, &mut entry).map_err(|error| match entry.step {
            Step::Task(task) => Refused { item: Item { task, place }, error: Some(error) },
            _ => unreachable!("a refused task is left as it was"),
        })
    }

    fn wait(&self, point: &Point, place: Place) -> Result<Option<Placed>> {
        let (this, peer) = (self.this(), self.peer(point));
        if let Some(stream) = peer.as_ref().filter(|stream| stream.has_signalled(point))
            && let Some(outcome) = this.wait_quickly(point, stream, place)
        {
            return outcome;
        }
        self.wait_in_a_way(point, place, || match peer {
            Some(stream) => {
                stream.ask_for(point.value());
                Way::Peer(stream)
            }
            None => Way::Host,
        })
    }

    fn record(&self) -> Result<Placed> {
        let this = self.this();
        this.record_quickly().unwrap_or_else(|| this.record_further())
    }

    fn record_timed(&self, place: Place) -> Result<(Placed, Time)> {
        self.refuse_capturing()?;
        let this = self.this();
        let (timer, time) = self.driver.timer()?;
        let mut entry = Entry { step: Step::Stamp(timer), place };
        let placed = this.admit(self.order(), &mut entry)?;
        Ok((placed, time))
    }

    fn waits_between(&self, after: u64, upto: u64) -> Vec<Edge> {
        self.flight().waits.between(after, upto)
    }

    fn recover(&self) -> Result<Option<Error>> {
        self.begin_anew()
    }

    fn cancel(&self, error: &Error) {
        self.cancel_held(error);
    }

    /// What is queued runs on: whoever waits for it, or has something of it on its way, keeps the stream. What nobody
    /// has asked for is asked for once, so that its end is noticed and its resources are freed.
    fn close(&self) {
        let flight = self.flight();
        // Under the lock under which a stream fails: what a failure finds asked for it has noticed.
        let failed = self.timeline.has_failed();
        let end = if failed { flight.submitted() } else { self.timeline.enqueued() };
        if flight.landed < end {
            self.expect_under(flight, end);
        }
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            queued: self.timeline.pending(),
            held: self.flight().held + self.latched_work(),
            driver_calls: self.driver.calls(),
            ..Statistics::default()
        }
    }

    fn drive(&self, value: u64, sleeper: &Waker) {
        D::drive(&self.this(), value, sleeper);
    }

    fn discover(&self, value: u64) {
        D::discover(&self.this(), value);
    }

    fn discover_unnoticed(&self, value: u64) {
        D::discover_unnoticed(&self.this(), value);
    }

    fn expect(&self, value: u64) {
        self.expect_under(self.flight(), value);
    }

    fn keep(&self, value: u64, kept: Arc<dyn Any + Send + Sync>) {
        // Under the order lock nothing is on its way to the driver, and what is held never will be.
        let order = self.order();
        let mut flight = self.flight();
        let begun = flight.retire(value, kept);
        drop(flight);
        drop(order);
        self.expect(begun);
        self.land();
    }
}

fn entry<D: Driver>(item: Item) -> Entry<D> {
    Entry { step: Step::Task(item.task), place: item.place }
}

impl<D: Driver> HeldStream<D> {
    /// A stream that fails refuses the delay by itself.
    #[cold]
    fn prepare_delay(&self, duration: Duration) -> Result<()> {
        if self.timeline.has_failed() { Ok(()) } else { self.driver.prepare_delay(duration) }
    }
}

/// Taking an item, under the order lock. What is left of it is dropped by the caller, once no lock is held.
impl<D: Driver> HeldStream<D> {
    /// Takes an item: gives it to the driver where nothing is before it, or holds it. What is refused has left no trace.
    pub(super) fn admit(
        self: &Arc<Self>,
        mut order: MutexGuard<'_, Order<D>>,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        let value = order.row.enqueued() + 1;
        match self.refusal(&order) {
            Some(error) => Err(self.refused(value, entry, error)),
            None if !self.is_managed() => self.admit_at_once(order, value, entry),
            None if order.turn == Turn::Free => self.admit_first(order, value, entry),
            None => self.hold(&mut order, entry),
        }
    }

    /// Nothing is held: the driver is offered the item at once.
    fn admit_first(
        self: &Arc<Self>,
        mut order: MutexGuard<'_, Order<D>>,
        value: u64,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        match self.offer(value, entry) {
            Offer::Taken(news) => {
                let placed = self.pass_at_once(&mut order);
                self.go_on(order, value, news);
                Ok(placed)
            }
            Offer::Failed(error) => {
                let placed = self.pass_at_once(&mut order);
                self.fail_here(order, value, &error);
                Ok(placed)
            }
            Offer::Refused(error) => Err(self.refused(value, entry, error)),
            Offer::Held(Hold::Call) if self.is_called_at_once(entry) => {
                let placed = self.pass_at_once(&mut order);
                order.turn = Turn::Away;
                self.call(order, value, entry.take());
                Ok(placed)
            }
            Offer::Held(hold) => self.hold_first(order, entry, hold),
        }
    }

    /// Whether it is a function that submits by itself, and so is called by whoever puts it on a stream that holds
    /// nothing. Host work is left to the crew.
    pub(super) fn is_called_at_once(&self, entry: &Entry<D>) -> bool {
        matches!(entry.step, Step::Task(Task::Submit(_))) && self.driver.native().is_some()
    }

    /// An item that was refused is on no list. Under the order lock.
    #[cold]
    pub(super) fn refused(&self, value: u64, entry: &Entry<D>, error: Error) -> Error {
        if matches!(entry.step, Step::Wait(_)) {
            let edge = self.flight().waits.take_back(value);
            drop(edge);
        }
        error
    }

    pub(super) fn pass_at_once(&self, order: &mut Order<D>) -> Placed {
        let value = order.row.skip();
        self.timeline.enqueue(value);
        Placed::new(value)
    }

    /// The item is the first that is held.
    fn hold_first(
        self: &Arc<Self>,
        mut order: MutexGuard<'_, Order<D>>,
        entry: &mut Entry<D>,
        hold: Hold<D>,
    ) -> Result<Placed> {
        let placed = self.hold(&mut order, entry)?;
        let after = self.park(&mut order, hold);
        drop(order);
        match after {
            Ok(after) => {
                if self.see_to(after) {
                    self.rouse();
                }
            }
            Err(error) => self.fail(placed.value, &error),
        }
        Ok(placed)
    }

    /// Puts an item at the end of what is held.
    fn hold(&self, order: &mut Order<D>, entry: &mut Entry<D>) -> Result<Placed> {
        let room = if order.row.len() < self.domain.bound() {
            self.domain.crew().ensure()
        } else {
            Err(self.full(order))
        };
        let value = order.row.enqueued() + 1;
        if let Err(error) = room {
            return Err(self.refused(value, entry, error));
        }
        let mut flight = self.flight();
        if let Err(error) = self.note(&mut flight, value, entry) {
            drop(flight);
            return Err(self.refused(value, entry, error));
        }
        flight.held += 1;
        drop(flight);
        let value = order.row.push(entry.take());
        self.timeline.enqueue(value);
        Ok(Placed::new(value))
    }

    #[cold]
    fn full(&self, order: &Order<D>) -> Error {
        let message = format!(
            "{} holds {} items, its bound; synchronize before enqueueing more",
            self.timeline,
            order.row.len()
        );
        Error::new(Kind::Exhausted, message)
    }
}
