//! Failure of a held stream: what it takes along, and how a new era begins.

use std::collections::VecDeque;

use super::flight::Fallen;
use super::order::{Entry, Order, Parked, Turn};
use super::{Driver, HeldStream};
use crate::error::{Error, Result};
use crate::inherited::Own;
use crate::point::State;
use crate::sync::MutexGuard;
use crate::timeline::Woken;

/// What was held when its stream failed.
struct Abandoned<D: Driver> {
    entries: VecDeque<Entry<D>>,
    parked: Option<Parked<D>>,
}

impl<D: Driver> Abandoned<D> {
    /// Ends it. Outside every lock.
    fn end(self, cause: &Error) {
        if let Some(parked) = self.parked {
            parked.unlist();
        }
        for entry in self.entries {
            entry.discard(cause);
        }
    }
}

/// A failure that has begun: nobody sees the values complete any more, and those who wait have still to be told.
#[must_use = "whoever waits sleeps until the failure is told"]
pub(super) struct Failing {
    from: u64,
    woken: [Woken; 2],
    fallen: Fallen,
    /// Whether somebody has to pump: what is held ends, and what was asked for is marked.
    pump: bool,
    submitted: bool,
}

/// What a driver says of failures. Never under a lock of its own.
impl<D: Driver> HeldStream<D> {
    /// The operation of `value` failed: it and everything behind it must not be used. What is held is not run; what was
    /// submitted runs, and its points fail all the same. Said before whoever waits natively for the value is let
    /// through.
    pub fn fail(&self, value: u64, error: &Error) {
        let failing = self.begin_failure(value, error);
        self.tell_failure(failing, error);
    }

    /// The driver does not say whether it has come to `value`: it and everything behind it fails. What was submitted may
    /// run still, so what that uses outlives the stream, unless the driver says later that it has come so far.
    pub fn fail_unnoticed(&self, value: u64, error: &Error) {
        self.flight().go_unnoticed();
        self.fail(value, error);
    }
}

impl<D: Driver> HeldStream<D> {
    /// Fails the values from `from` on, unless they are complete. Under the order lock where the values are about to be
    /// passed: nobody is to have them marked and completed in between.
    pub(super) fn begin_failure(&self, from: u64, error: &Error) -> Failing {
        let mut flight = self.flight();
        // Under the flight lock: what is latched later finds the stream failed.
        let latched = self.has_latches();
        // What is about to be completed is complete.
        let from = from.max(flight.landed + 1);
        let fallen = flight.fail(from);
        let pump = flight.held > 0 || flight.has_due_ask() || latched;
        let submitted = flight.submitted() >= from;
        // Both under the flight lock, as in a recovery: one between them would leave signals that have failed on a stream
        // that has not, or the other way round.
        let of_timeline = self.timeline.fail(from, error.clone());
        let woken = [of_timeline, self.signals.fail(from, error.clone())];
        drop(flight);
        Failing { from, woken, fallen, pump, submitted }
    }

    /// Tells whoever waits. Under no lock.
    pub(super) fn tell_failure(&self, failing: Failing, error: &Error) {
        let submitted = failing.submitted;
        self.tell_failure_here(failing, error);
        if submitted && !self.timeline.is_inherited() {
            self.domain.spread();
        }
    }

    /// The same, but whoever waits natively is not told.
    fn tell_failure_here(&self, failing: Failing, error: &Error) {
        let fallen = Own::new(failing.fallen);
        let [of_timeline, of_signals] = failing.woken;
        let of_signals = Own::new(of_signals);
        of_timeline.wake();
        // Where a waker or an observer forked, the rest is the parent's.
        let Some(of_signals) = of_signals.take() else { return };
        of_signals.wake();
        let Some(fallen) = fallen.take() else { return };
        self.drop_fallen(fallen, failing.from, error);
        if self.timeline.is_inherited() {
            return;
        }
        self.land();
        if failing.pump {
            self.rouse();
        }
    }

    /// Fails the values from `from` on. Who waits natively is not told.
    pub(super) fn fail_alone(&self, from: u64, error: &Error) {
        let failing = self.begin_failure(from, error);
        self.tell_failure_here(failing, error);
    }

    /// The device is lost: what is not known complete has failed, and nothing ever touches its resources again.
    pub(super) fn lose_alone(&self, error: &Error) {
        let mut flight = self.flight();
        let (from, kept) = (flight.landed + 1, flight.lose(error));
        drop(flight);
        drop(kept);
        self.fail_alone(from, error);
    }

    /// Fails the gates that were to open at values that have failed, with the first cause.
    fn drop_fallen(&self, fallen: Fallen, from: u64, error: &Error) {
        let cause = match self.timeline.state(from) {
            State::Failed(first) => first,
            State::Pending | State::Complete => error.clone(),
        };
        for opening in fallen.openings {
            opening.fail(cause.clone());
        }
        drop(fallen.waits);
    }

    /// Why the stream takes nothing: it has failed, or its device was shut down.
    #[inline]
    pub(super) fn refusal(&self, order: &Order<D>) -> Option<Error> {
        if !self.timeline.has_failed() && order.cancelled.is_none() {
            return None;
        }
        self.timeline.failure().or_else(|| order.cancelled.clone())
    }

    /// What is held will never run: takes it off the queue and ends it, outside every lock.
    pub(super) fn abandon(&self, mut order: MutexGuard<'_, Order<D>>, cause: &Error) {
        let abandoned = self.take_held(&mut order);
        drop(order);
        abandoned.end(cause);
    }

    fn take_held(&self, order: &mut Order<D>) -> Abandoned<D> {
        // Who has the turn finds nothing left and gives it back.
        if order.turn == Turn::Parked {
            order.turn = Turn::Free;
        }
        self.flight().held = 0;
        Abandoned { entries: order.row.abandon(), parked: order.parked.take() }
    }

    /// Fails what has not begun, for good.
    pub(super) fn cancel_held(&self, error: &Error) {
        let mut order = self.order();
        let from = self.first_latched().unwrap_or_else(|| order.row.at());
        order.cancelled.get_or_insert_with(|| error.clone());
        drop(order);
        self.fail_alone(from, error);
    }

    /// Ends the failing era, unless the device was shut down: then it never ends.
    pub(super) fn begin_anew(&self) -> Result<Option<Error>> {
        let mut order = self.order();
        if let Some(lost) = self.flight().lost.clone() {
            return Err(lost);
        }
        let Some(failure) = self.timeline.failure().filter(|_| order.cancelled.is_none()) else {
            return Ok(None);
        };
        let abandoned = self.take_held(&mut order);
        let enqueued = order.row.enqueued();
        // The first value of the new era has nothing to do: what is recorded before new work does not inherit.
        let first = order.row.skip();
        let mut flight = self.flight();
        let fallen = flight.renew(first);
        self.timeline.recover(enqueued);
        self.signals.recover(enqueued);
        drop(flight);
        self.timeline.enqueue(first);
        drop(order);
        abandoned.end(&failure);
        self.drop_fallen(fallen, enqueued, &failure);
        self.land();
        Ok(Some(failure))
    }

    /// The value of a record on a stream that fails: one that has failed.
    pub(super) fn failed_value(&self, order: &mut Order<D>) -> u64 {
        let enqueued = order.row.enqueued();
        if matches!(self.timeline.state(enqueued), State::Failed(_)) {
            return enqueued;
        }
        // Everything so far was complete or has begun when the stream failed: the failure is a value of its own.
        let value = order.row.skip();
        self.timeline.enqueue(value);
        value
    }
}
