//! Quick: the usual record and the usual wait, on a managed stream that holds nothing, each with one call to the driver.
//!
//! What is not usual goes the long way (`mark`, `offer`), which does the same and asks more: both keep one order of steps.
//! A record is a mark of what has passed; a wait is noted, given to the driver, and passed.

use std::sync::Arc;

use super::flight::Flight;
use super::order::{Order, Turn};
use super::{Driver, HeldStream, Operation};
use crate::contract::{Edge, Placed};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::point::Point;
use crate::sync::MutexGuard;

impl<D: Driver> HeldStream<D> {
    /// Whether what is put goes to the driver at once, and nothing need be asked first.
    #[inline]
    fn is_usual(&self, order: &Order<D>) -> bool {
        order.turn == Turn::Free
            && self.is_managed()
            && !self.timeline.has_failed()
            && order.cancelled.is_none()
    }

    /// A record, where it is usual.
    #[inline]
    pub(super) fn record_quickly(self: &Arc<Self>) -> Option<Result<Placed>> {
        let order = self.order();
        if !self.is_usual(&order) {
            return None;
        }
        let value = order.row.passed();
        // What is complete needs no mark, and neither does what is signalled; by another thread that has not told it yet,
        // too: a counter takes no value twice.
        if self.signals.completed() >= value || !self.flight().needs_mark(value) {
            return Some(Ok(Placed::new(value)));
        }
        if let Err(error) = D::submit(self, value, Operation::Mark) {
            return Some(Err(error));
        }
        let flight = self.submitted(value, true);
        let (is_calm, placed) = (flight.is_calm(), Placed::new(value));
        if is_calm {
            drop(flight);
            drop(order);
            self.signals.complete(value);
        } else {
            self.go_on_with(order, flight, value);
        }
        Some(Ok(placed))
    }

    /// A wait for what another stream of the domain has signalled, where it is usual.
    #[inline]
    pub(super) fn wait_quickly(
        self: &Arc<Self>,
        point: &Point,
        stream: &Arc<Self>,
        place: Place,
    ) -> Option<Result<Option<Placed>>> {
        let order = self.order();
        // One that has ever failed may have failed at this point.
        if !self.is_usual(&order) || !point.timeline().never_failed(&self.timeline) {
            return None;
        }
        // Behind the look at the signal, as in `offer_wait`: the device signals no value that passed on the host.
        if point.timeline().is_known_complete(point.value()) {
            return None;
        }
        let value = order.row.passed() + 1;
        let mut flight = self.flight();
        if flight.waits.cover(point) {
            return Some(Ok(None));
        }
        // On the list before the driver can come to it.
        flight.waits.push(Edge::new(value, point.clone(), place));
        drop(flight);
        let operation = Operation::Wait { stream, value: point.value() };
        Some(match D::submit(self, value, operation) {
            Ok(()) => Ok(Some(self.pass_wait(order, value))),
            Err(error) => Err(self.refused_wait(order, value, error)),
        })
    }

    #[inline]
    fn pass_wait(self: &Arc<Self>, mut order: MutexGuard<'_, Order<D>>, value: u64) -> Placed {
        let flight = self.submitted(value, D::SIGNALS_EACH);
        let placed = self.pass_at_once(&mut order);
        if !flight.is_calm() || flight.is_long_untold() {
            self.go_on_with(order, flight, value);
        } else {
            drop(flight);
            drop(order);
            if D::SIGNALS_EACH {
                self.signals.complete(value);
            }
        }
        placed
    }

    #[cold]
    fn refused_wait(&self, order: MutexGuard<'_, Order<D>>, value: u64, error: Error) -> Error {
        let edge = self.flight().waits.take_back(value);
        drop(order);
        drop(edge);
        error
    }

    /// The driver has `value`.
    #[inline]
    fn submitted(&self, value: u64, signals: bool) -> MutexGuard<'_, Flight> {
        let mut flight = self.flight();
        flight.submit(value, signals);
        flight
    }

    /// Somebody has to be told.
    #[cold]
    fn go_on_with(
        self: &Arc<Self>,
        order: MutexGuard<'_, Order<D>>,
        flight: MutexGuard<'_, Flight>,
        value: u64,
    ) {
        let (news, untold) = (flight.news(), flight.is_long_untold());
        drop(flight);
        // Refused, it is asked for again with the next operation.
        let news = if untold { self.mark(value).unwrap_or(news) } else { news };
        self.go_on(order, value, news);
    }
}
