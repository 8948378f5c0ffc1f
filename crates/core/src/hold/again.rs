//! Again: the usual wait for the stream that was waited for last, which asks nobody who that is.
//!
//! It differs from the other usual wait (`quick`) in the order of its steps: given to the driver, and only then noted and
//! passed, all at once. Until it is passed nothing lands that is behind it, because only marks are told of, and the next
//! comes later. What looks at the list of waits finds it before its value is enqueued: the search for a cycle, which
//! refuses an opening where the value has changed since; and a failure of the point, which either finds the wait or is
//! found by it (`look_again`).

use super::order::{Latest, Order, OrderLocked};
use super::{Driver, HeldStream};
use crate::contract::{Edge, Waited};
use crate::error::{Error, Origin, Result};
use crate::place::Place;
use crate::point::Point;

impl<D: Driver> HeldStream<D> {
    /// A wait for a later value of the timeline that was waited for last, where it is usual.
    #[inline]
    pub(super) fn wait_again(&self, point: &Point, place: Place) -> Option<Result<Waited>> {
        if !D::WAITS_AGAIN {
            return None;
        }
        let timeline = point.timeline();
        let mut order = self.order();
        if order.latest.timeline != timeline.id()
            || !self.is_usual(&order)
            || !self.driver.has_room()
        {
            return None;
        }
        if !timeline.has_no_failure() {
            return None;
        }
        if order.latest.value >= point.value() {
            return Some(Ok(Waited::Already));
        }
        match D::wait_again(self, &mut order.driver, point.value())? {
            Ok(()) => self.note_again(order, point, place),
            Err(error) => return Some(Err(self.refused_again(order, place, error))),
        }
        Some(Ok(Waited::Anew))
    }

    /// Nothing was noted.
    #[cold]
    fn refused_again(&self, order: OrderLocked<'_, D>, place: Place, error: Error) -> Error {
        drop(order);
        error.began_at(|| Origin::new("wait", self.timeline.to_string()).placed(place));
        error
    }

    /// The driver has it.
    #[expect(
        clippy::inline_always,
        reason = "a frame of its own is 14 instructions of the 200 of a wait"
    )]
    #[inline(always)]
    fn note_again(&self, mut order: OrderLocked<'_, D>, point: &Point, place: Place) {
        order.latest.value = point.value();
        let value = order.row.skip();
        let mut flight = self.flight();
        flight.waits.push(Edge::new(value, point.clone(), place));
        flight.submit_last(value);
        self.timeline.enqueue(value);
        if !flight.is_quiet() || !point.timeline().has_no_failure() {
            self.go_on_past(order, flight, (value, point));
        }
    }
}

impl<D: Driver> Order<D> {
    /// The latest wait is a quick one, for this point.
    #[inline]
    pub(super) fn note_latest(&mut self, point: &Point) {
        if D::WAITS_AGAIN {
            self.latest = Latest { timeline: point.timeline().id(), value: point.value() };
        }
    }

    /// The latest wait is another, or what was waited for has failed.
    pub(super) fn forget_latest(&mut self) {
        self.latest = Latest::default();
    }
}
