//! Parking: where a stream is listed while the item at its front cannot go yet.

use std::sync::Arc;

use super::offer::Hold;
use super::order::{Order, Parked, Turn};
use super::{Driver, HeldStream};
use crate::bridge;
use crate::error::Result;
use crate::point::Point;

/// What is left to do once the order lock is released.
#[derive(Debug)]
pub(super) enum After<D: Driver> {
    /// The item can go after all: whoever holds the turn goes on, or the crew is called.
    Go,
    /// The owner of the point is to notice its completion.
    Expect(Point),
    /// The other stream is to signal this value.
    Ask(Arc<HeldStream<D>>, u64),
    /// The own driver is to notice what was submitted.
    Notice,
}

impl<D: Driver> HeldStream<D> {
    /// Parks on what holds the item at the front back. Called under the order lock, by the owner of the turn or on a
    /// stream where it is free.
    pub(super) fn park(self: &Arc<Self>, order: &mut Order<D>, hold: Hold<D>) -> Result<After<D>> {
        order.turn = Turn::Parked;
        Ok(match hold {
            Hold::Call => After::Go,
            Hold::Until(point) => {
                let timeline = point.timeline();
                match timeline.register(point.value(), self.waker()) {
                    None => After::Go,
                    Some(ticket) => {
                        order.parked = Some(Parked::Settled(timeline.clone(), ticket));
                        After::Expect(point)
                    }
                }
            }
            Hold::Signal(stream, value) => match stream.signals.register(value, self.waker()) {
                None => After::Go,
                Some(ticket) => {
                    order.parked = Some(Parked::Signal(Arc::clone(&stream), ticket));
                    After::Ask(stream, value)
                }
            },
            Hold::Quiet => self.park_until_quiet(order)?,
            Hold::Room if self.driver.await_room() => After::Go,
            Hold::Room => After::Notice,
        })
    }

    fn park_until_quiet(self: &Arc<Self>, order: &Order<D>) -> Result<After<D>> {
        self.notice(order.row.passed())?;
        let mut flight = self.flight();
        let quiet = flight.want(order.row.at(), self.timeline.completed());
        drop(flight);
        Ok(if quiet { After::Go } else { After::Notice })
    }

    /// Does what is left. Says whether the item can go after all.
    pub(super) fn see_to(self: &Arc<Self>, after: After<D>) -> bool {
        match after {
            After::Go => return true,
            After::Expect(point) => bridge::expect(&point),
            After::Ask(stream, value) => stream.ask_for(value),
            After::Notice => self.tell_news(),
        }
        false
    }
}
