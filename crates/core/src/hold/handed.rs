//! Handed: the usual fill or copy where the driver keeps what it works on, on a managed stream that holds nothing.
//!
//! It is given to the driver and passed, and nothing of it is left here. What is not usual goes the long way (`offer`),
//! which does the same and asks more: both keep one order of steps.

use std::sync::Arc;

use super::{Driver, HeldStream, Operation};
use crate::contract::{Item, Placed, Task};
use crate::error::{Error, Origin, Result};
use crate::observe;

impl<D: Driver> HeldStream<D> {
    /// Gives a task to the driver, where that is usual. What it works on is the caller's to drop, under no lock. `None`:
    /// nothing was done.
    #[inline]
    pub(super) fn hand(self: &Arc<Self>, item: &Item) -> Option<Result<Placed>> {
        let operation = operation_of::<D>(&item.task)?;
        // Observers hear of a buffer's end when nothing uses it any more: then it is kept here too.
        if observe::active() {
            return None;
        }
        let mut order = self.order();
        if !(self.is_usual(&order) && self.driver.has_room()) {
            return None;
        }
        let value = order.row.passed() + 1;
        if let Err(error) = D::submit(self, value, operation) {
            return Some(Err(self.began(item, error)));
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
    fn began(&self, item: &Item, error: Error) -> Error {
        let name = item.task.name();
        error.began_at(|| Origin::new(name, self.timeline.to_string()).placed(item.place));
        error
    }
}

/// What the driver does for a task, of which nothing need be kept here.
#[inline]
fn operation_of<D: Driver>(task: &Task) -> Option<Operation<'_, D>> {
    const {
        assert!(
            D::SIGNALS_EACH || !D::KEEPS,
            "nobody tells of what a driver keeps and does not signal"
        );
    };
    match task {
        Task::Fill(fill) if D::KEEPS => Some(Operation::Fill(fill)),
        Task::Copy(copy) if D::KEEPS => Some(Operation::Copy(copy)),
        _ => None,
    }
}
