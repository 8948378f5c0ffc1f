//! Handed: the usual fill or copy where the driver keeps what it works on, on a managed stream that holds nothing.
//!
//! It is given to the driver and passed, and nothing of it is left here. What is not usual goes the long way (`offer`),
//! which does the same and asks more: both keep one order of steps.

use super::{Driver, HeldStream, Operation};
use crate::contract::{Handed, Placed};
use crate::error::{Error, Origin, Result};
use crate::observe;
use crate::place::Place;

impl<D: Driver> HeldStream<D> {
    /// Gives it to the driver, where that is usual. `None`: nothing was done.
    #[inline]
    pub(super) fn hand(&self, handed: Handed<'_>, place: Place) -> Option<Result<Placed>> {
        let operation = operation_of::<D>(handed)?;
        // Observers hear of a buffer's end when nothing uses it any more: then it is kept here too.
        if observe::active() {
            return None;
        }
        let mut order = self.order();
        if !(self.is_usual(&order) && self.driver.has_room()) {
            return None;
        }
        let value = order.row.passed() + 1;
        if let Err(error) = D::hand(self, value, operation) {
            return Some(Err(self.began((handed, place), error)));
        }
        let mut flight = self.flight();
        flight.signal_last(value);
        let placed = self.pass_at_once(&mut order);
        if flight.is_calm() {
            drop(flight);
            drop(order);
            self.signals.complete(value);
        } else {
            self.go_on_with(order, flight, value);
        }
        Some(Ok(placed))
    }

    /// The driver refused it, which says where the error began.
    #[cold]
    fn began(&self, (handed, place): (Handed<'_>, Place), error: Error) -> Error {
        let name = match handed {
            Handed::Fill(_) => "fill",
            Handed::Copy(_) => "copy",
        };
        error.began_at(|| Origin::new(name, self.timeline.to_string()).placed(place));
        error
    }
}

/// What the driver does, where nothing need be kept here.
#[inline]
fn operation_of<D: Driver>(handed: Handed<'_>) -> Option<Operation<'_, D>> {
    const {
        assert!(
            D::SIGNALS_EACH || !D::KEEPS,
            "nobody tells of what a driver keeps and does not signal"
        );
    };
    D::KEEPS.then_some(match handed {
        Handed::Fill(fill) => Operation::Fill(fill),
        Handed::Copy(copy) => Operation::Copy(copy),
    })
}
