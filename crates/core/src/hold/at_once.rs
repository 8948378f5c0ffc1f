//! At once: what becomes of an item on a stream that others launch on too, where nothing is held on the host.
//!
//! What others launch would overtake whatever is kept, so the driver is given each item before the call returns; what
//! cannot go yet the device itself stands before, with a latch, or it is refused. A function of `submit` keeps nobody
//! out: it takes its value when it has returned, and what is put meanwhile comes before it.

use std::sync::Arc;
use std::time::Instant;

use super::flight::{Kept, News};
use super::offer::Offer;
use super::order::{Entry, Order, OrderLocked, Step};
use super::{Driver, HeldStream, until_let_go};
use crate::contract::{Placed, RawStream, Task};
use crate::error::{Error, Result};
use crate::function::Called;
use crate::gate::Gate;
use crate::place::Place;

/// The value under which a function runs that has none yet: nothing that was put comes after it.
const NOT_YET: u64 = u64::MAX;

impl<D: Driver> HeldStream<D> {
    /// A record: a mark behind whatever anybody launched. Its place is never shown.
    pub(super) fn mark_here(self: &Arc<Self>, order: OrderLocked<'_, D>) -> Result<Placed> {
        self.admit(order, &mut Entry { step: Step::Mark, place: Place::caller() })
    }

    /// A failure takes no order lock, so it may come between the look for one and the mark: then the record is of it.
    pub(super) fn failed_meanwhile(&self, refusal: Error) -> Result<Placed> {
        if !self.timeline.has_failed() {
            return Err(refusal);
        }
        Ok(Placed::new(self.failed_value(&mut self.order())))
    }

    /// Gives an item to the driver as `value`, the next one. What is left of it is dropped by the caller, under no lock.
    pub(super) fn admit_at_once(
        self: &Arc<Self>,
        order: OrderLocked<'_, D>,
        value: u64,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        match &entry.step {
            Step::Task(Task::Submit(_)) if self.driver.native().is_some() => {
                // Under the order lock: a shutdown refuses the function, or waits for it.
                self.flight().begin_at_once();
                self.driver.keep_room();
                drop(order);
                self.call_at_once(entry.take())
            }
            Step::Task(Task::Host(_) | Task::Submit(_)) => self.latch_or_tell(order, entry),
            Step::Task(Task::Delay(_)) if !D::DELAYS => self.latch_or_tell(order, entry),
            Step::Task(Task::Open(_)) => self.open_behind_a_mark(order, entry),
            _ => self.give(order, value, entry),
        }
    }

    fn latch_or_tell(
        self: &Arc<Self>,
        order: OrderLocked<'_, D>,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        let latched = self.latch_function(order, entry);
        latched.inspect_err(|error| entry.began(error, &self.timeline))
    }

    /// Gives the driver what needs nothing before it.
    fn give(
        self: &Arc<Self>,
        mut order: OrderLocked<'_, D>,
        value: u64,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        match self.offer(value, entry) {
            Offer::Taken(news) => {
                let placed = self.pass_at_once(&mut order);
                self.go_on_at_once(order, value, news);
                self.look_at_wait(value, entry);
                Ok(placed)
            }
            Offer::Failed(error) => {
                let placed = self.pass_at_once(&mut order);
                self.fail_here(order, value, &error);
                Ok(placed)
            }
            Offer::Refused(error) => Err(self.refused(value, entry, error)),
            Offer::Held(_) => self.latch_wait(order, value, entry),
        }
    }

    /// An opening comes behind whatever others launched too.
    fn open_behind_a_mark(
        self: &Arc<Self>,
        mut order: OrderLocked<'_, D>,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        let marked = self.mark_under(&mut order)?;
        let value = order.row.enqueued() + 1;
        let outcome = self.give(order, value, entry);
        if outcome.is_err() {
            self.tell(marked);
        }
        outcome
    }

    /// A mark with a value of its own, behind whatever anybody launched.
    pub(super) fn mark_under(self: &Arc<Self>, order: &mut Order<D>) -> Result<News> {
        let news = self.submit_mark(order.row.enqueued() + 1)?;
        self.pass_at_once(order);
        Ok(news)
    }

    /// Whether whatever is submitted is marked under the same lock.
    pub(super) fn marks_at_once(&self) -> bool {
        !self.is_managed() && self.driver.marks_at_once()
    }

    /// As on any stream; where nobody else could mark what was submitted, it is marked now.
    fn go_on_at_once(self: &Arc<Self>, order: OrderLocked<'_, D>, value: u64, news: News) {
        let asked = news.asked || self.marks_at_once();
        self.go_on(order, value, News { asked, ..news });
    }

    fn call_at_once(self: &Arc<Self>, entry: Entry<D>) -> Result<Placed> {
        let Entry { step: Step::Task(task), place } = entry else {
            unreachable!("only tasks are functions")
        };
        self.domain.crew().about_to_run();
        let called = Called { timeline: &self.timeline, value: NOT_YET, name: task.name(), place };
        let outcome = self.run(called, task);
        // Where the function forked, what comes is the parent's.
        self.timeline.check_process()?;
        let placed = self.returned(outcome.err().as_ref());
        // After the value is taken: what was kept is kept on for what the function has launched.
        for kept in self.end_at_once() {
            self.keep(placed.value, kept);
        }
        Ok(placed)
    }

    fn end_at_once(&self) -> Vec<Kept> {
        self.flight().end_at_once()
    }

    /// Waits until the deadline for the functions that are at work and have no value yet, and for what they launch.
    ///
    /// # Errors
    /// As [`Domain::wait_for_begun`](super::Domain::wait_for_begun).
    #[track_caller]
    pub(super) fn wait_for_functions(&self, deadline: Instant) -> Result<()> {
        let place = Place::caller();
        if !self.flight().is_at_once() {
            return Ok(());
        }
        self.refuse_own_end()?;
        let gate = Gate::of_others("of functions at work", place);
        let over = gate.point();
        let all_returned = self.flight().keep_at_once(Arc::new(gate));
        drop(all_returned);
        until_let_go(&over, deadline)
    }

    /// A function has returned, and takes its value. Nobody knows whether it signals.
    fn returned(self: &Arc<Self>, error: Option<&Error>) -> Placed {
        let mut order = self.order();
        self.driver.use_room();
        let value = order.row.enqueued() + 1;
        // Failed first: nobody is to see it complete in between.
        let failing = error.map(|error| self.begin_failure(value, error));
        let mut flight = self.flight();
        flight.submit(value, false);
        let news = flight.news();
        drop(flight);
        let placed = self.pass_at_once(&mut order);
        let asked = news.asked || D::SIGNALS_EACH;
        self.go_on_at_once(order, value, News { asked, ..news });
        if let Some(failing) = failing {
            self.tell_failure(failing);
        }
        placed
    }
}
