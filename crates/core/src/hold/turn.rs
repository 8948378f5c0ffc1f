//! A turn: whoever pumps a stream gives to the driver, and runs, what can be, one item at a time.

use std::sync::Arc;

use super::flight::News;
use super::offer::{Hold, Offer};
use super::order::{Entry, Order, Step, Turn};
use super::{Driver, HeldStream};
use crate::contract::{Submission, Task};
use crate::error::Error;
use crate::function::{Called, run_function};
use crate::sync::{MutexGuard, Ordering};
use crate::work::Pump;

/// A stream gives way to others after this many items.
const ITEMS: u32 = 64;

impl<D: Driver> Pump for HeldStream<D> {
    fn pump(self: Arc<Self>) {
        // Acquire and release: pair with the exchange in `rouse`. Before the look, so that what comes later rouses it
        // anew.
        self.roused.swap(false, Ordering::AcqRel);
        self.land();
        self.ask_for_expected();
        if !self.clear_failed() || !self.take_turn() {
            return;
        }
        for _ in 0..ITEMS {
            if !self.step() {
                return;
            }
        }
        self.order().turn = Turn::Parked;
        self.rouse();
    }

    fn level(&self) -> usize {
        self.level
    }
}

impl<D: Driver> HeldStream<D> {
    /// Ends what a failed stream still holds, whoever has its turn. Says whether there is anything to pump.
    fn clear_failed(&self) -> bool {
        let order = self.order();
        let Some(failure) = self.timeline.failure() else { return true };
        self.abandon(order, &failure);
        false
    }

    pub(super) fn take_turn(&self) -> bool {
        let mut order = self.order();
        if order.turn != Turn::Parked {
            return false;
        }
        order.turn = Turn::Taken;
        let parked = order.parked.take();
        drop(order);
        if let Some(parked) = parked {
            parked.unlist();
        }
        true
    }

    /// Offers the item at the front. Says whether the caller, who has the turn, goes on.
    pub(super) fn step(self: &Arc<Self>) -> bool {
        let mut order = self.order();
        if let Some(failure) = self.timeline.failure() {
            order.turn = Turn::Parked;
            self.abandon(order, &failure);
            return false;
        }
        let Some(entry) = order.row.pass() else {
            order.give_back_turn();
            return false;
        };
        // Before the driver has it: whoever sees it complete sees it held no more.
        self.flight().held -= 1;
        let value = order.row.passed();
        match self.offer(value, entry) {
            Offer::Taken(news, left) => {
                self.go_on(order, value, news);
                drop(left);
                true
            }
            Offer::Failed(error) => self.fail_and_go_on(order, value, &error),
            Offer::Refused(entry, error) => {
                let going_on = self.fail_and_go_on(order, value, &error);
                entry.discard(&error);
                going_on
            }
            Offer::Held(entry, Hold::Call) => {
                order.turn = Turn::Away;
                self.call(order, value, entry);
                false
            }
            Offer::Held(entry, hold) => {
                order.row.put_back(entry);
                self.flight().held += 1;
                self.stop(order, hold)
            }
        }
    }

    /// The item of `value` is held no more: answers who asked for it.
    fn go_on(self: &Arc<Self>, mut order: MutexGuard<'_, Order<D>>, value: u64, news: News) {
        let marked = if order.take_ask(value) { self.mark(value) } else { Ok(news) };
        drop(order);
        self.tell_marked(value, marked, news);
    }

    /// Tells the news of a mark, or that there is none: nobody could ask for the value.
    fn tell_marked(self: &Arc<Self>, value: u64, marked: Result<News, Error>, before: News) {
        match marked {
            Ok(news) => self.tell(news),
            Err(error) => {
                self.tell(before);
                self.fail(value, &error);
            }
        }
    }

    fn fail_and_go_on(&self, order: MutexGuard<'_, Order<D>>, value: u64, error: &Error) -> bool {
        let failing = self.begin_failure(value, error);
        drop(order);
        self.tell_failure(failing, error);
        true
    }

    /// Parks, unless the item can go after all.
    fn stop(self: &Arc<Self>, mut order: MutexGuard<'_, Order<D>>, hold: Hold<D>) -> bool {
        // A failure that came while the item was offered found nothing held, and roused nobody.
        if self.timeline.has_failed() {
            return true;
        }
        let value = order.row.at();
        let after = match self.park(&mut order, hold) {
            Ok(after) => after,
            Err(error) => {
                order.turn = Turn::Taken;
                drop(order);
                self.fail(value, &error);
                return true;
            }
        };
        drop(order);
        // Parked in between, it may be pumped elsewhere already.
        self.see_to(after) && self.take_turn()
    }

    /// Calls a function of the user's, in the stream's turn and outside every lock. The turn is *away*.
    pub(super) fn call(
        self: &Arc<Self>,
        order: MutexGuard<'_, Order<D>>,
        value: u64,
        entry: Entry<D>,
    ) {
        self.flight().begin(value);
        drop(order);
        let Entry { step: Step::Task(task), place } = entry else {
            unreachable!("only tasks are functions")
        };
        self.domain.crew().about_to_run();
        let called = Called { timeline: &self.timeline, value, name: task.name(), place };
        match (self.run(called, task), self.driver.native()) {
            (Err(error), _) => self.call_failed(value, &error),
            (Ok(Ran::Submission), Some(_)) => self.submission_ended(value),
            (Ok(_), _) => D::ran(self, value),
        }
    }

    fn run(&self, called: Called<'_>, task: Task) -> Result<Ran, Error> {
        match task {
            Task::Host(work) => run_function(called, || work.run()).map(|()| Ran::Work),
            Task::Submit(submit) => {
                let submission =
                    self.driver.native().map_or_else(Submission::plain, Submission::with);
                run_function(called, || submit.call(&submission)).map(|()| Ran::Submission)
            }
            _ => unreachable!("only functions are called"),
        }
    }

    fn call_failed(&self, value: u64, error: &Error) {
        let mut order = self.order();
        order.give_back_turn();
        let failing = self.begin_failure(value, error);
        // Failed first: nobody is to see it complete in between.
        self.flight().end();
        drop(order);
        self.tell_failure(failing, error);
    }

    /// The user's own work was submitted; nobody knows whether it signals, so it is marked where every operation is.
    fn submission_ended(self: &Arc<Self>, value: u64) {
        let order = self.order();
        let mut flight = self.flight();
        flight.end();
        let _nothing_kept = flight.submit(value, false, None);
        drop(flight);
        self.come_back(order, value, D::SIGNALS_EACH);
    }

    /// The function of `value` is over: its turn is given back, and what was asked for in the meantime is marked. More
    /// than `value` has passed where the stream recovered while the function was at work.
    fn come_back(
        self: &Arc<Self>,
        mut order: MutexGuard<'_, Order<D>>,
        value: u64,
        must_mark: bool,
    ) {
        let (passed, news) = (order.row.passed(), self.flight().news());
        let marked = if order.take_ask(passed) || must_mark { self.mark(passed) } else { Ok(news) };
        let held = order.give_back_turn();
        drop(order);
        self.tell_marked(value, marked, news);
        if held {
            self.rouse();
        }
    }
}

/// What kind of function ran.
enum Ran {
    Work,
    Submission,
}

impl<D: Driver> HeldStream<D> {
    /// Host work is over, and so is the device's time for it: what is behind it goes on. Called once for each
    /// [`Driver::ran`], under no lock.
    pub fn finish(&self, value: u64) {
        let order = self.order();
        self.flight().end();
        self.this().come_back(order, value, false);
    }
}
