//! Landing: what the driver's word becomes for everybody else.
//!
//! A value lands when the driver has come to it and every wait up to it is known to be complete; then the gates that
//! were to open before it are opened, and then it is completed. One thread lands at a time, because gates are opened
//! without the lock and nobody may see a value complete whose gate is still closed. What is kept for work that failed is
//! let go here too, once that is over.

use super::flight::{Flight, Kept, Landing};
use super::order::OrderLocked;
use super::{Driver, HeldStream};
use crate::bridge;
use crate::contract::{RawStream, discard};
use crate::inherited::Own;
use crate::point::Point;

/// What a driver says of completions. Never under a lock of its own.
impl<D: Driver> HeldStream<D> {
    /// All operations up to `value` have ended, and what they wrote is visible.
    pub fn complete(&self, value: u64) {
        let mut flight = self.flight();
        let done = Own::new(flight.reach(value));
        if flight.hear() {
            // Under the flight lock, as a refusal leaves its mark: behind it, this would take away that of a later one.
            self.timeline.hear();
        }
        drop(flight);
        self.land();
        drop(done);
    }
}

impl<D: Driver> HeldStream<D> {
    /// Lands what can, unless somebody does already: then what the caller changed is seen there.
    pub(super) fn land(&self) {
        let Some((landed, retired)) = self.take_landed() else { return };
        let_go(retired);
        // Where a waker, an observer or a drop of the user's forked, the rest is the parent's.
        if self.timeline.is_inherited() {
            return;
        }
        self.timeline.complete(landed);
        if self.timeline.is_inherited() {
            return;
        }
        // After the timeline: who sees the value here and not complete there may wait for it natively.
        self.signals.complete(landed);
        // After it too: the work that is let go sees complete what it waited for.
        let wanted = self.flight().take_wanted(self.timeline.completed());
        if wanted {
            self.rouse();
        }
    }

    /// Keeps what was left to whoever pumps, or drops it: the device may be past it by now.
    pub(super) fn retire_left(&self) {
        if self.flight().has_left() {
            self.retire(self.order(), Flight::retire_left);
            self.land();
        }
    }

    /// Keeps something for work that has failed. Under the order lock nothing is on its way to the driver, and what is held
    /// never will be.
    pub(super) fn retire(
        &self,
        order: OrderLocked<'_, D>,
        retire: impl FnOnce(&mut Flight) -> u64,
    ) {
        let begun = retire(&mut self.flight());
        drop(order);
        self.expect(begun);
    }

    /// Takes the steps before what can land: gives the last value that can be completed, and what was kept until then.
    /// `None`: somebody lands already, or a fork left the rest to the parent.
    fn take_landed(&self) -> Option<(u64, Vec<Kept>)> {
        let mut flight = self.flight();
        if std::mem::replace(&mut flight.landing, true) {
            return None;
        }
        loop {
            let next = flight.land();
            if matches!(next, Landing::Done) {
                flight.landing = false;
                return Some((flight.landed, flight.take_retired()));
            }
            // Under the lock under which the wait was found: behind a recovery, it would fail an era that it is none of.
            let failing =
                next.failed().map(|(own, error)| self.begin_failure_of(&mut flight, own, error));
            drop(flight);
            match failing {
                Some(failing) => self.tell_failure(failing),
                None => self.take_step(next),
            }
            if self.timeline.is_inherited() {
                return None;
            }
            flight = self.flight();
        }
    }

    fn take_step(&self, landing: Landing) {
        match landing {
            // It may hold the last name of a timeline, and with it errors of the user's.
            Landing::Over(wait) => discard(wait),
            Landing::Open(opening) => opening.open(),
            Landing::Seek(point) => self.seek(&point),
            Landing::Fail(..) => unreachable!("a wait that failed is no step of landing"),
            Landing::Done => {}
        }
    }

    /// The driver is past a wait whose point nobody has seen complete yet: asks to be woken then. Its stream is not
    /// asked here and now, because it may wait in the same way, and so on.
    fn seek(&self, point: &Point) {
        let listed = point.timeline().register(point.value(), self.waker());
        if let Some(_woken_once) = listed {
            bridge::expect(point);
        }
    }
}

/// Drops what nothing uses any more. Outside every lock; a child that a drop forked drops no more.
fn let_go(retired: Vec<Kept>) {
    let mut retired = Own::new(retired);
    while let Some(kept) = retired.get().and_then(Vec::pop) {
        discard(kept);
    }
}
