//! A turn: whoever pumps a stream gives to the driver, and runs, what can be, one item at a time.

use std::sync::Arc;
use std::time::Duration;

use super::flight::Flight;
use super::offer::{Hold, Offer};
use super::order::{Entry, OrderLocked, Step, Turn};
use super::{Driver, HeldStream};
use crate::contract::{Submission, Submit, Task, discard};
use crate::error::Error;
use crate::function::{Called, run_function};
use crate::sync::Ordering;
use crate::work::Pump;

/// A stream gives way to others after this many items.
const ITEMS: u32 = 64;

impl<D: Driver> Pump for HeldStream<D> {
    fn pump(self: Arc<Self>) {
        // Acquire and release: pair with the exchange in `rouse`. Before the look, so that what comes later rouses it
        // anew.
        self.roused.swap(false, Ordering::AcqRel);
        self.land();
        if self.timeline.is_inherited() {
            return;
        }
        // First: whoever has the order lock may wait for the driver until a latch is opened.
        self.serve_latches();
        if self.timeline.is_inherited() {
            return;
        }
        self.answer_asked();
        self.retire_left();
        if self.timeline.is_inherited() {
            return;
        }
        if !self.clear_failed() || !self.take_turn() {
            return;
        }
        for _ in 0..ITEMS {
            // A waker, an observer or a drop of the user's may have forked: the rest is the parent's.
            if !self.step() || self.timeline.is_inherited() {
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
        let Some((mut order, mut entry)) = self.take_front() else { return false };
        let value = order.row.passed();
        match self.offer(value, &mut entry) {
            Offer::Taken(news) => {
                self.go_on(order, value, news);
                self.look_at_wait(value, &entry);
                drop(entry);
            }
            Offer::Failed(error) => self.fail_here(order, value, &error),
            Offer::Refused(error) => {
                entry.began(&error, &self.timeline);
                self.fail_here(order, value, &error);
                entry.discard(&error);
            }
            Offer::Held(Hold::Call) => {
                order.turn = Turn::Away;
                self.call(order, value, entry);
                return false;
            }
            Offer::Held(hold) => return self.stop(order, entry, hold),
        }
        true
    }

    /// Takes the item at the front, for the owner of the turn to offer it. `None`: there is none, and the turn is given
    /// back.
    fn take_front(&self) -> Option<(OrderLocked<'_, D>, Entry<D>)> {
        let mut order = self.order();
        if let Some(failure) = self.timeline.failure() {
            order.turn = Turn::Parked;
            self.abandon(order, &failure);
            return None;
        }
        let Some(entry) = order.row.pass() else {
            order.give_back_turn();
            return None;
        };
        // Before the driver has it: whoever sees it complete sees it held no more.
        self.flight().held -= 1;
        Some((order, entry))
    }

    /// The stream fails at the item that it has come to.
    pub(super) fn fail_here(&self, order: OrderLocked<'_, D>, value: u64, error: &Error) {
        let failing = self.begin_failure(value, error);
        drop(order);
        self.tell_failure(failing);
    }

    /// The item stays at the front: parks, unless it can go after all.
    fn stop(
        self: &Arc<Self>,
        mut order: OrderLocked<'_, D>,
        entry: Entry<D>,
        hold: Hold<D>,
    ) -> bool {
        order.row.put_back(entry);
        self.flight().held += 1;
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
    pub(super) fn call(self: &Arc<Self>, order: OrderLocked<'_, D>, value: u64, entry: Entry<D>) {
        self.flight().begin(value);
        drop(order);
        let Entry { step: Step::Task(task), place } = entry else {
            unreachable!("only tasks are functions")
        };
        self.domain.crew().about_to_run();
        let called = Called { timeline: &self.timeline, value, name: task.name(), place };
        let submits = matches!(task, Task::Submit(_)) && self.driver.native().is_some();
        let outcome = self.run(called, task);
        if self.timeline.is_inherited() {
            // The function forked, and this is the child's copy of the worker: the rest is the parent's work.
            return;
        }
        match outcome {
            Err(error) if submits => {
                // What it had submitted runs all the same, and what that uses stays until the device is through with it.
                self.call_failed(value, &error, |flight| flight.submit(value, false));
            }
            Err(error) => self.call_failed(value, &error, |_flight| {}),
            Ok(Ran::Submission) if submits => self.submission_ended(value),
            Ok(Ran::Delay(duration)) => self.domain.delays().begin(self, value, duration),
            Ok(_) => D::ran(self, value),
        }
    }

    pub(super) fn run(&self, called: Called<'_>, task: Task) -> Result<Ran, Error> {
        match task {
            Task::Host(work) => run_function(called, || work.run()).map(|()| Ran::Work),
            Task::Submit(submit) => self.run_submission(called, submit),
            Task::Delay(duration) => Ok(Ran::Delay(duration)),
            _ => unreachable!("only functions are called"),
        }
    }

    /// Calls a function that submits by itself, where the driver makes current what that needs.
    pub(super) fn run_submission(&self, called: Called<'_>, submit: Submit) -> Result<Ran, Error> {
        let submission = self.driver.native().map_or_else(Submission::plain, Submission::with);
        let (mut submit, mut outcome) = (Some(submit), Ok(()));
        let lent = self.driver.lend(&mut || {
            if let Some(submit) = submit.take() {
                outcome = run_function(called, || submit.call(&submission));
            }
        });
        discard(submit);
        let lent = lent.inspect_err(|error| error.began_at(|| called.origin()));
        outcome.and(lent).map(|()| Ran::Submission)
    }

    fn call_failed(self: &Arc<Self>, value: u64, error: &Error, note: impl FnOnce(&mut Flight)) {
        let mut order = self.order();
        order.give_back_turn();
        let failing = self.begin_failure(value, error);
        // Failed first: nobody is to see it complete in between.
        let mut flight = self.flight();
        flight.end();
        note(&mut flight);
        drop(flight);
        drop(order);
        self.tell_failure(failing);
        if !self.timeline.is_inherited() {
            self.answer_asked();
        }
    }

    /// The user's own work was submitted; nobody knows whether it signals, so it is marked where every operation is.
    fn submission_ended(self: &Arc<Self>, value: u64) {
        let order = self.order();
        let mut flight = self.flight();
        flight.end();
        flight.submit(value, false);
        drop(flight);
        self.come_back(order, D::SIGNALS_EACH);
    }

    /// A function of the user's is over: its turn is given back, and what was asked for in the meantime is marked. More
    /// than its value has passed where the stream recovered while it was at work.
    fn come_back(self: &Arc<Self>, mut order: OrderLocked<'_, D>, must_mark: bool) {
        let (passed, news) = (order.row.passed(), self.flight().news());
        let marked = if news.asked || must_mark { self.answer(passed) } else { Ok(news) };
        let held = order.give_back_turn();
        drop(order);
        self.tell_marked(marked, news);
        if held {
            self.rouse();
        }
    }
}

/// What kind of function ran.
pub(super) enum Ran {
    Work,
    Submission,
    /// Nothing: time has still to pass.
    Delay(Duration),
}

impl<D: Driver> HeldStream<D> {
    /// Host work is over, and so is the device's time for it: what is behind it goes on. Called once for each
    /// [`Driver::ran`], under no lock.
    pub fn finish(&self) {
        let this = self.this();
        if this.end_pause() {
            return;
        }
        let order = self.order();
        self.flight().end();
        this.come_back(order, false);
    }
}
