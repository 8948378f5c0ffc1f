//! Quick: the usual record and the usual wait where nobody observes, on a managed stream that holds nothing.
//!
//! Each makes one call to the driver. What is not usual goes the long way (`mark`, `offer`), which does the same and asks
//! more: both keep one order of steps. A record is a mark of what has passed; a wait is noted, given to the driver, and passed.

use std::sync::Arc;

use super::driver::signals_waits;
use super::flight::Flight;
use super::order::{Order, OrderLocked};
use super::{Driver, HeldStream};
use crate::contract::{Edge, Waited};
use crate::error::{Error, Origin, Result};
use crate::place::Place;
use crate::point::Point;
use crate::sync::Locked;

impl<D: Driver> HeldStream<D> {
    /// Whether what is put goes to the driver at once, and nothing need be asked first.
    #[inline]
    pub(super) fn is_usual(&self, order: &Order<D>) -> bool {
        order.is_usual() && !self.timeline.has_failed()
    }

    /// A record, where it is usual.
    #[inline]
    pub(super) fn record_quickly(&self) -> Option<Result<u64>> {
        if let Some(value) = self.signalled_end() {
            return Some(Ok(value));
        }
        let mut order = self.order();
        if !self.is_usual(&order) {
            return None;
        }
        let value = order.row.passed();
        if self.needs_no_mark(value) {
            return Some(Ok(value));
        }
        if let Err(error) = D::mark(self, &mut order.driver, value) {
            return Some(Err(error));
        }
        let mut flight = self.flight();
        flight.signal_last(value);
        if flight.is_calm() {
            drop(flight);
            drop(order);
            self.signals.complete(value);
        } else {
            self.go_on_with(order, flight, value);
        }
        Some(Ok(value))
    }

    /// The end, where that is signalled: a record of it takes no lock, and waits for nobody who stands inside the driver. Of a
    /// driver that signals marks alone it seldom is.
    #[inline]
    fn signalled_end(&self) -> Option<u64> {
        if !D::SIGNALS_EACH {
            return None;
        }
        // First: what others enqueue, expose or fail from here on comes after the record.
        let end = self.timeline.enqueued();
        let is_signalled = self.signals.completed() >= end;
        (is_signalled && self.is_managed() && !self.timeline.has_failed()).then_some(end)
    }

    /// What is complete needs no mark, and neither does what is signalled; by another thread that has not told it yet,
    /// too, where the driver is a counter, which takes no value twice. To mark it twice with an event costs a call in the
    /// rare case, and the look a lock in every other.
    #[inline]
    fn needs_no_mark(&self, value: u64) -> bool {
        self.signals.completed() >= value || (D::SIGNALS_EACH && !self.flight().needs_mark(value))
    }

    /// A wait for what another stream of the domain has signalled, where it is usual.
    #[inline]
    pub(super) fn wait_quickly(
        &self,
        point: &Point,
        stream: &Arc<Self>,
        place: Place,
    ) -> Option<Result<Waited>> {
        let mut order = self.order();
        if !(self.is_usual_wait(&order, point) && self.may_stand_before(stream, point.value())) {
            return None;
        }
        let value = order.row.passed() + 1;
        let mut flight = self.flight();
        if flight.waits.cover(point) {
            return Some(Ok(Waited::Already));
        }
        // On the list before the driver can come to it.
        flight.waits.push(Edge::new(value, point.clone(), place));
        drop(flight);
        Some(match D::wait(self, &mut order.driver, value, (stream, point.value())) {
            Ok(()) => {
                order.note_latest(point);
                self.pass_wait(order, value, point);
                Ok(Waited::Anew)
            }
            Err(error) => Err(self.refused_wait(order, (value, place), error)),
        })
    }

    #[inline]
    fn is_usual_wait(&self, order: &Order<D>, point: &Point) -> bool {
        let timeline = point.timeline();
        // One that has ever failed may have failed at this point.
        let may_go = self.is_usual(order) && self.driver.has_room() && timeline.has_no_failure();
        // Behind the look at the signal, as in `offer_wait`: the device signals no value that passed on the host.
        may_go && !timeline.has_come_to(point.value())
    }

    #[inline]
    fn pass_wait(&self, mut order: OrderLocked<'_, D>, value: u64, point: &Point) {
        let mut flight = self.flight();
        if signals_waits::<D>() {
            flight.signal_last(value);
        } else {
            flight.submit_last(value);
        }
        self.pass_at_once(&mut order);
        let is_told = if signals_waits::<D>() { flight.is_calm() } else { flight.is_quiet() };
        if !is_told || !point.timeline().has_no_failure() {
            return self.go_on_past(order, flight, (value, point));
        }
        drop(flight);
        drop(order);
        if signals_waits::<D>() {
            self.signals.complete(value);
        }
    }

    #[cold]
    fn refused_wait(
        &self,
        order: OrderLocked<'_, D>,
        (value, place): (u64, Place),
        error: Error,
    ) -> Error {
        error.began_at(|| Origin::new("wait", self.timeline.to_string()).placed(place));
        let edge = self.flight().waits.take_back(value);
        drop(order);
        drop(edge);
        error
    }

    /// Somebody has to be told of a wait, or its point has failed while the driver was told to wait.
    #[cold]
    pub(super) fn go_on_past(
        &self,
        order: OrderLocked<'_, D>,
        flight: Locked<'_, Flight>,
        (value, point): (u64, &Point),
    ) {
        self.go_on_with(order, flight, value);
        self.look_again(value, point);
    }

    /// Somebody has to be told.
    #[cold]
    pub(super) fn go_on_with(
        &self,
        order: OrderLocked<'_, D>,
        mut flight: Locked<'_, Flight>,
        value: u64,
    ) {
        flight.answer_signalled();
        let (news, untold) = (flight.news(), flight.is_long_untold());
        drop(flight);
        let this = self.this();
        // Refused, it is asked for again with the next operation.
        let news = if untold { this.mark(value).unwrap_or(news) } else { news };
        this.go_on(order, value, news);
    }
}
