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
    /// A wait for a later value of the timeline that was waited for last, where it is usual; otherwise one that asks more.
    /// The caller has seen that nothing on the timeline had failed; what fails meanwhile is found behind the call.
    #[inline]
    pub(super) fn wait_again(&self, point: &Point, place: Place) -> Result<Waited> {
        let (timeline, mut order) = (point.timeline(), self.order());
        if order.latest.timeline != timeline.id()
            || !self.is_usual(&order)
            || !self.driver.has_room()
        {
            return self.wait_otherwise(order, point, place);
        }
        if order.latest.value >= point.value() {
            return Ok(Waited::Already);
        }
        match D::wait_again(self, &mut order.driver, point.value()) {
            Some(Ok(())) => self.note_again(order, point, place),
            Some(Err(error)) => return Err(self.refused_again(order, place, error)),
            None => return self.wait_otherwise(order, point, place),
        }
        Ok(Waited::Anew)
    }

    /// Apart and cold: behind many branches to what is not, the compiler takes the usual wait for rare.
    #[cold]
    fn wait_otherwise(
        &self,
        order: OrderLocked<'_, D>,
        point: &Point,
        place: Place,
    ) -> Result<Waited> {
        drop(order);
        self.wait_anew(point, place)
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
