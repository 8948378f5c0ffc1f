//! Failure of a held stream: what it takes along, and how a new era begins.

use std::collections::VecDeque;
use std::sync::Arc;

use super::flight::{Fallen, Flight};
use super::losing::Losing;
use super::order::{Entry, Order, OrderLocked, Parked, Turn};
use super::{A_MOMENT, Domain, Driver, HeldStream};
use crate::contract::{Untold, Waits, discard, tell_all};
use crate::error::{Error, Result};
use crate::gate::Opening;
use crate::inherited::Own;
use crate::point::State;
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

/// A failure that has begun: nobody sees the values complete any more, the gates that were to open at them have failed
/// too, and those who wait have still to be told.
#[must_use = "whoever waits sleeps until the failure is told"]
pub(super) struct Failing {
    /// Who waits for the values, for their signals, and for the gates.
    woken: Vec<Woken>,
    /// What is over with it.
    waits: Waits,
    /// Whether somebody has to pump: what is held ends, and what was asked for is marked.
    pump: bool,
    /// Whether others may wait natively for what has failed.
    pub(super) submitted: bool,
}

/// What a driver says of failures. Never under a lock of its own.
impl<D: Driver> HeldStream<D> {
    /// The operation of `value` failed: it and everything behind it must not be used. What is held is not run; what was
    /// submitted runs, and its points fail all the same. Said before whoever waits natively for the value is let
    /// through.
    pub fn fail(&self, value: u64, error: &Error) {
        let failing = self.begin_failure(value, error);
        self.tell_failure(failing);
    }

    /// The same, unless the value has settled: of one that has failed what came behind may be of another era by now, which
    /// a later cause of the old one is none of.
    pub fn fail_pending(&self, value: u64, error: &Error) {
        if let Some(failing) = self.begin_pending(value, error) {
            self.tell_failure(failing);
        }
    }

    /// The same, with `let_through` between the failure and the telling: nobody finds the value complete any more, and no
    /// waker has run yet. There a driver signals whoever waits for the value on the device, so that none stands there for
    /// as long as wakers take; of a value that has failed already too, since a device may take along what is behind a
    /// failure and say so of each. Says whether it fails of this.
    pub fn fail_pending_then(&self, value: u64, error: &Error, let_through: impl FnOnce()) -> bool {
        let failing = self.begin_pending(value, error);
        let_through();
        let fails = failing.is_some();
        if let Some(failing) = failing {
            self.tell_failure(failing);
        }
        fails
    }

    /// The same, where whoever waits is told by the caller later, and where it likes: ours first, and then the user's, who
    /// may do anything.
    pub fn fail_pending_untold(&self, value: u64, error: &Error) -> Option<Box<dyn Untold + Send>> {
        let failing = self.begin_pending(value, error)?;
        Some(Box::new(self.spreading(failing)))
    }

    /// The driver does not say whether it has come to `value`: it and everything behind it fails. What was submitted may
    /// run still, so what that uses outlives the stream, unless the driver says later that it has come so far.
    pub fn fail_unnoticed(&self, value: u64, error: &Error) {
        let failing = self.begin_unnoticed(value, error);
        self.tell_failure(failing);
    }

    /// The same, where nobody is told yet.
    pub(super) fn begin_unnoticed(&self, value: u64, error: &Error) -> Failing {
        // Of a lost device nothing runs.
        let may_run = !self.driver.is_lost();
        let mut flight = self.flight();
        let is_news = may_run && flight.go_unnoticed();
        let failing = self.begin_failure_of(&mut flight, value, error);
        if flight.was_refused() {
            // Under the flight lock still: whoever hears of it takes the mark away under the same.
            self.timeline.leave_unheard();
        }
        drop(flight);
        if is_news {
            D::leave_unnoticed(&self.this());
        }
        failing
    }
}

impl<D: Driver> HeldStream<D> {
    /// Fails the values from `from` on, unless they are complete. Under the order lock where the values are about to be
    /// passed: nobody is to have them marked and completed in between.
    pub(super) fn begin_failure(&self, from: u64, error: &Error) -> Failing {
        self.begin_failure_of(&mut self.flight(), from, error)
    }

    /// The same, where the caller has the flight lock.
    pub(super) fn begin_failure_of(
        &self,
        flight: &mut Flight,
        from: u64,
        error: &Error,
    ) -> Failing {
        // Under the flight lock: what is latched later finds the stream failed.
        let latched = self.has_latches();
        // What is about to be completed is complete.
        let from = from.max(flight.landed + 1);
        let Fallen { openings, waits } = flight.fail(from);
        let pump = flight.held > 0 || flight.has_due_ask() || latched;
        let submitted = flight.submitted() >= from;
        let is_later = self.timeline.failure().is_some_and(|first| !first.is_same(error));
        flight.later_failures += u64::from(is_later);
        // Both under the flight lock, as in a recovery: one between them would leave signals that have failed on a stream
        // that has not, or the other way round.
        let of_timeline = self.timeline.fail(from, error.clone());
        let mut woken = vec![of_timeline, self.signals.fail(from, error.clone())];
        woken.extend(self.fail_gates(openings, from, error));
        Failing { woken, waits, pump, submitted }
    }

    /// Fails a value that has not settled.
    fn begin_pending(&self, value: u64, error: &Error) -> Option<Failing> {
        let mut flight = self.flight();
        // Under the flight lock, as a recovery: one between the look and the failure would begin the era that fails.
        let is_pending =
            value > flight.landed && matches!(self.timeline.state(value), State::Pending);
        is_pending.then(|| self.begin_failure_of(&mut flight, value, error))
    }

    /// Counts another cause of a value that has failed already.
    pub fn count_later_failure(&self, value: u64, error: &Error) {
        let mut flight = self.flight();
        if let State::Failed(first) = self.timeline.state(value) {
            flight.later_failures += u64::from(!first.is_same(error));
        }
    }

    /// The wait that has failed of those that are passed, or that the stream is held for, fails the stream, if there is one.
    pub(super) fn begin_failed_wait(&self) -> Option<Failing> {
        let mut flight = self.flight();
        // Under one lock: behind a recovery, the wait would fail an era that it is none of.
        let (own, error) = flight.failed_wait()?;
        Some(self.begin_failure_of(&mut flight, own, &error))
    }

    /// Tells whoever waits, once what waits natively has failed too. Under no lock.
    pub(super) fn tell_failure(&self, failing: Failing) {
        let alone: Box<dyn Untold> = Box::new(self.spreading(failing));
        tell_all([alone]);
    }

    fn spreading(&self, failing: Failing) -> Spreading<D> {
        // A driver tells nobody that a signal which it passed on was a failure.
        let domain = failing.submitted.then(|| Arc::clone(&self.domain));
        Spreading { losing: Losing::of(self.this(), failing), domain }
    }

    /// Tells ours, who run nothing of the user's. Under no lock.
    pub(super) fn tell_ours(&self, failing: &mut Failing) {
        failing.woken.iter_mut().for_each(Woken::wake_ours);
        if failing.pump {
            self.rouse();
        }
    }

    /// Tells the others.
    pub(super) fn tell_users(&self, failing: Failing) {
        let Failing { woken, waits, .. } = failing;
        let waits = Own::new(waits);
        Woken::wake_each(woken);
        end_waits(waits);
        // Where a waker, an observer or a drop of the user's forked, the rest is the parent's.
        if !self.timeline.is_inherited() {
            self.land();
        }
    }

    /// Fails the gates that were to open at values that have failed, with the first cause.
    fn fail_gates(
        &self,
        openings: Vec<Opening>,
        from: u64,
        error: &Error,
    ) -> impl Iterator<Item = Woken> + use<D> {
        let cause = match self.timeline.state(from) {
            State::Failed(first) => first,
            State::Pending | State::Complete => error.clone(),
        };
        openings.into_iter().map(move |mut opening| opening.begin_failure(cause.clone()))
    }

    /// Why the stream takes nothing: it has failed, or its device was shut down.
    #[inline]
    pub(super) fn refusal(&self) -> Option<Error> {
        if self.timeline.has_failed() { self.timeline.failure() } else { None }
    }

    /// What is held will never run: takes it off the queue and ends it, outside every lock.
    pub(super) fn abandon(&self, mut order: OrderLocked<'_, D>, cause: &Error) {
        let abandoned = Self::take_held(&mut order, &mut self.flight());
        drop(order);
        abandoned.end(cause);
    }

    fn take_held(order: &mut Order<D>, flight: &mut Flight) -> Abandoned<D> {
        // Who has the turn finds nothing left and gives it back.
        if order.turn == Turn::Parked {
            order.turn = Turn::Free;
        }
        flight.held = 0;
        Abandoned { entries: order.row.abandon(), parked: order.parked.take() }
    }

    /// Fails what has not begun, for good. Nobody is told yet; nobody waits natively for what was not submitted. What is
    /// being given to a driver that takes nothing now fails too: nobody knows when that returns.
    pub(super) fn cancel_held(&self, error: &Error) -> Losing<D> {
        let order = self.order_within(A_MOMENT);
        let mut flight = self.flight();
        // Under it: where the order lock was not to be had, its holder may just be passing a wait with a latch.
        let latched = self.first_latched();
        let next = match &order {
            Some(order) => {
                flight.cancel();
                order.row.at()
            }
            None => flight.cancel_in_a_call(),
        };
        let failing = self.begin_failure_of(&mut flight, latched.unwrap_or(next), error);
        drop(flight);
        drop(order);
        Losing::of(self.this(), failing)
    }

    /// Ends the failing era, unless the device was shut down: then it never ends.
    pub(super) fn begin_anew(&self) -> Result<Option<Error>> {
        let mut order = self.order();
        // From the look on: a cancellation takes this lock too.
        let mut flight = self.flight();
        if let Some(lost) = flight.lost.clone() {
            return Err(lost);
        }
        let Some(failure) = self.timeline.failure().filter(|_| !flight.is_cancelled()) else {
            return Ok(None);
        };
        let abandoned = Self::take_held(&mut order, &mut flight);
        order.forget_latest();
        let enqueued = order.row.enqueued();
        // The first value of the new era has nothing to do: what is recorded before new work does not inherit.
        let first = order.row.skip();
        let Fallen { openings, waits } = flight.renew(first);
        self.timeline.renew(enqueued, first);
        self.signals.recover(enqueued);
        let gates = self.fail_gates(openings, enqueued, &failure).collect();
        drop(flight);
        drop(order);
        abandoned.end(&failure);
        end_waits(Own::new(waits));
        Woken::wake_each(gates);
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

/// The failure of a stream, and of what waits natively for it once it is told.
struct Spreading<D: Driver> {
    losing: Losing<D>,
    /// Where somebody may wait so, until that has failed too.
    domain: Option<Arc<Domain<D>>>,
}

impl<D: Driver> Untold for Spreading<D> {
    fn tell_ours(&mut self) {
        if let Some(domain) = self.domain.take() {
            self.losing.spread(|| domain.streams());
        }
        self.losing.tell_ours();
    }

    fn tell_users(self: Box<Self>) {
        Box::new(self.losing).tell_users();
    }
}

/// Drops waits that are over with a failure. Each may have the last name of a timeline, and with it errors of the user's; a
/// child that a drop forked drops no more.
fn end_waits(mut waits: Own<Waits>) {
    while let Some(wait) = waits.get().and_then(Waits::pop) {
        discard(wait);
    }
}
