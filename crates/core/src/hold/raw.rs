//! The contract of a stream, as a held stream keeps it.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::offer::{Hold, Offer};
use super::order::{Entry, Order, OrderLocked, Step, Turn};
use super::{Driver, HeldStream, Need};
use crate::contract::{
    Captured, Edge, Handed, Item, Line, Placed, RawStream, Refused, Task, Time, Untold, Waited, Why,
};
use crate::error::{Error, Kind, Origin, Result};
use crate::place::Place;
use crate::point::Point;
use crate::stream::{Mode, Statistics};

impl<D: Driver> RawStream for HeldStream<D> {
    fn mode(&self) -> Mode {
        self.mode_now()
    }

    fn is_idle(&self) -> Option<Result<bool>> {
        self.is_idle_now()
    }

    fn is_capturing(&self) -> Result<bool> {
        self.is_captured()
    }

    fn put(&self, item: Item) -> Result<Placed> {
        let this = self.this();
        if this.is_captured()? {
            return this.put_captured(item);
        }
        if let Task::Delay(duration) = item.task {
            this.prepare_delay(duration).inspect_err(|error| {
                error.began_at(|| {
                    Origin::new("delay", this.timeline.to_string()).placed(item.place)
                });
            })?;
        }
        let mut entry = entry(item);
        let called = self.is_called_at_once(&entry);
        let order = self.order_in_room(if called { Need::Function } else { Need::Item })?;
        this.admit(order, &mut entry)
    }

    fn hand_unobserved(&self, handed: Handed<'_>, place: Place) -> Option<Result<Placed>> {
        self.hand(handed, place)
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
            return Err(Refused { item, why: Why::Error(error) });
        }
        let order = self.order();
        if order.row.enqueued() != enqueued {
            return Err(Refused { item, why: Why::MoreWork });
        }
        if !self.takes(&order, Need::Item) {
            return Err(Refused { item, why: Why::NoRoom });
        }
        let mut entry = entry(item);
        this.admit(order, &mut entry).map_err(|error| match entry.step {
            Step::Task(task) => Refused { item: Item { task, place }, why: Why::Error(error) },
            _ => unreachable!("a refused task is left as it was"),
        })
    }

    fn wait_for_room(&self, line: &mut Line) -> Result<()> {
        self.driver.wait_for_room(Need::Item, None, line)
    }

    fn wait(&self, point: &Point, place: Place) -> Result<Option<Placed>> {
        self.wait_further(point, self.peer(point), place)
    }

    fn wait_unobserved(&self, point: &Point, place: Place) -> Result<Waited> {
        if D::WAITS_AGAIN { self.wait_again(point, place) } else { self.wait_anew(point, place) }
    }

    fn record(&self) -> Result<Placed> {
        self.record_further()
    }

    fn record_until(&self, deadline: Instant, line: &mut Line) -> Result<Placed> {
        self.record_by(deadline, line)
    }

    fn record_unobserved(&self) -> Result<u64> {
        let quick = self.record_quickly();
        quick.unwrap_or_else(|| self.record_further().map(|placed| placed.value))
    }

    fn record_timed(&self, place: Place) -> Result<(Placed, Time)> {
        self.refuse_capturing()?;
        let this = self.this();
        let (timer, time) = self.driver.timer().inspect_err(|error| {
            let origin = || Origin::new("record_timed", self.timeline.to_string()).placed(place);
            error.began_at(origin);
        })?;
        let mut entry = Entry { step: Step::Stamp(timer), place };
        let placed = this.admit(self.order_in_room(Need::Item)?, &mut entry)?;
        Ok((placed, time))
    }

    fn waits_between(&self, after: u64, upto: u64) -> Vec<Edge> {
        self.flight().waits.between(after, upto)
    }

    fn recover(&self) -> Result<Option<Error>> {
        self.begin_anew()
    }

    fn cancel(&self, error: &Error) -> Option<Box<dyn Untold>> {
        Some(Box::new(self.cancel_held(error)))
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
        let flight = self.flight();
        let (held, later_failures) = (flight.held, flight.later_failures);
        drop(flight);
        Statistics {
            queued: self.timeline.pending(),
            held: held + self.latched_work(),
            later_failures,
            driver_calls: self.driver.calls(),
            waits_for_room: self.driver.waits_for_room(),
            ..Statistics::default()
        }
    }

    fn drive(&self, value: u64, sleeper: &Waker) {
        D::drive(&self.this(), value, sleeper);
    }

    fn discover(&self, value: u64) {
        D::look(self, value);
    }

    fn discover_unnoticed(&self, value: u64) {
        D::discover_unnoticed(&self.this(), value);
    }

    fn expect(&self, value: u64) {
        self.expect_under(self.flight(), value);
    }

    fn keep(&self, value: u64, kept: Arc<dyn Any + Send + Sync>) {
        if let Some(order) = self.order_if_free() {
            self.retire(order, |flight| flight.retire(value, kept));
        } else {
            // Who has it may stand inside the driver, and the notifier waits for nobody: whoever pumps does it.
            self.flight().leave(value, kept);
            self.rouse();
        }
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
        mut order: OrderLocked<'_, D>,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        let value = order.row.enqueued() + 1;
        match self.refusal() {
            // It began with what failed the stream, and not here.
            Some(error) => Err(self.taken_back(value, entry, error)),
            None if !self.is_managed() => self.admit_at_once(order, value, entry),
            None if order.turn == Turn::Free => self.admit_first(order, value, entry),
            None => self.hold(&mut order, entry),
        }
    }

    /// Nothing is held: the driver is offered the item at once.
    fn admit_first(
        self: &Arc<Self>,
        mut order: OrderLocked<'_, D>,
        value: u64,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        match self.offer(value, entry) {
            Offer::Taken(news) => {
                let placed = self.pass_at_once(&mut order);
                self.go_on(order, value, news);
                self.look_at_wait(value, entry);
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

    /// An item that the driver refused is on no list, and says where the error began. Under the order lock.
    #[cold]
    pub(super) fn refused(&self, value: u64, entry: &Entry<D>, error: Error) -> Error {
        entry.began(&error, &self.timeline);
        self.taken_back(value, entry, error)
    }

    /// An item that is refused is on no list. Under the order lock.
    #[cold]
    fn taken_back(&self, value: u64, entry: &Entry<D>, error: Error) -> Error {
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
        mut order: OrderLocked<'_, D>,
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
            return Err(self.taken_back(value, entry, error));
        }
        let mut flight = self.flight();
        if let Err(error) = self.note(&mut flight, value, entry) {
            drop(flight);
            return Err(self.taken_back(value, entry, error));
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
