//! Failure of a held stream: what it takes along, and how a new era begins.

use super::flight::Fallen;
use super::order::{Order, Turn};
use super::{Driver, HeldStream};
use crate::error::{Error, Result};
use crate::point::State;
use crate::sync::MutexGuard;

/// What a driver says of failures. Never under a lock of its own.
impl<D: Driver> HeldStream<D> {
    /// The operation of `value` failed: it and everything behind it must not be used. What is held is not run; what was
    /// submitted runs, and its points fail all the same. Said before whoever waits natively for the value is let
    /// through.
    pub fn fail(&self, value: u64, error: &Error) {
        let submitted = self.flight().submitted() >= value;
        self.fail_alone(value, error);
        if submitted {
            self.domain.spread();
        }
    }
}

impl<D: Driver> HeldStream<D> {
    /// Fails the values from `from` on, unless they are complete. Who waits natively is not asked.
    pub(super) fn fail_alone(&self, from: u64, error: &Error) {
        let mut flight = self.flight();
        // What is about to be completed is complete.
        let from = from.max(flight.landed + 1);
        let fallen = flight.fail(from);
        let held = flight.held > 0;
        let woken = self.timeline.fail(from, error.clone());
        drop(flight);
        woken.wake();
        self.signals.fail(from, error.clone()).wake();
        self.drop_fallen(fallen, from, error);
        self.land();
        if held {
            self.rouse();
        }
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
    pub(super) fn refusal(&self, order: &Order<D>) -> Option<Error> {
        self.timeline.failure().or_else(|| order.cancelled.clone())
    }

    /// What is held will never run: takes it off the queue and ends it, outside every lock.
    pub(super) fn abandon(&self, mut order: MutexGuard<'_, Order<D>>, cause: &Error) {
        let (abandoned, parked) = (order.row.abandon(), order.parked.take());
        order.asks.clear();
        // Who has the turn finds nothing left and gives it back.
        if order.turn == Turn::Parked {
            order.turn = Turn::Free;
        }
        self.flight().held = 0;
        drop(order);
        if let Some(parked) = parked {
            parked.unlist();
        }
        for entry in abandoned {
            entry.discard(cause);
        }
    }

    /// Fails what has not begun, for good.
    pub(super) fn cancel_held(&self, error: &Error) {
        let mut order = self.order();
        let from = order.row.at();
        order.cancelled.get_or_insert_with(|| error.clone());
        drop(order);
        self.fail_alone(from, error);
    }

    /// Ends the failing era.
    pub(super) fn begin_anew(&self) -> Result<Option<Error>> {
        let order = self.order();
        if let Some(lost) = self.flight().lost.clone() {
            return Err(lost);
        }
        let Some(failure) = self.timeline.failure() else { return Ok(None) };
        let enqueued = order.row.enqueued();
        let mut flight = self.flight();
        let fallen = flight.renew(enqueued);
        self.timeline.recover(enqueued);
        drop(flight);
        self.signals.recover(enqueued);
        self.abandon(order, &failure);
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
