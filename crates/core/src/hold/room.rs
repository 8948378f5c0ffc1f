//! Room: what becomes of an item for which the driver has none now.
//!
//! A managed stream keeps the item, as any other that cannot go yet, and goes on when the driver calls. Nothing is kept on
//! a stream that others launch on too: there who puts the item sleeps until there is room, under no lock, since what makes
//! room may need a thread that asks for the order lock. A promise to open a gate is made under a lock of all streams, so
//! there it is taken back first: what makes room may be such a promise of another thread.

use std::sync::Arc;
use std::time::Instant;

use super::order::{Order, OrderLocked};
use super::{Driver, HeldStream, Need};
use crate::contract::Line;
use crate::error::{Kind, Result};

impl<D: Driver> HeldStream<D> {
    /// The driver has room again that it was [asked for](Driver::await_room): what is held goes on. From any thread, under no
    /// lock.
    pub fn go_on_in_room(self: &Arc<Self>) {
        self.rouse();
    }

    /// Whether an item may go to the driver. On a stream of others, who has the order lock has taken room for it.
    #[inline]
    pub(super) fn may_go(&self) -> bool {
        !self.is_managed() || self.driver.has_room()
    }

    /// The order lock, with room for an item where nothing can be held: nobody else takes it, and what the item does not use
    /// is left as the lock is released.
    #[inline]
    pub(super) fn order_in_room(&self, need: Need) -> Result<OrderLocked<'_, D>> {
        let order = self.order_at_once(need);
        order.map_or_else(|| self.order_behind_a_sleep(need, None, &mut Line::default()), Ok)
    }

    /// The same, where the caller has a deadline, and a place in the line, which only one whose deadline comes first keeps:
    /// others would stand behind one that needs no room any more.
    #[inline]
    pub(super) fn order_in_room_by(
        &self,
        need: Need,
        deadline: Instant,
        line: &mut Line,
    ) -> Result<OrderLocked<'_, D>> {
        let order = self.order_at_once(need);
        let order = order.map_or_else(|| self.order_behind_a_sleep(need, Some(deadline), line), Ok);
        if !order.as_ref().is_err_and(|refused| refused.kind() == Kind::TimedOut) {
            *line = Line::default();
        }
        order
    }

    /// The same, where there is room now.
    #[inline]
    fn order_at_once(&self, need: Need) -> Option<OrderLocked<'_, D>> {
        let order = self.order();
        self.takes(&order, need).then_some(order)
    }

    /// There was no room. In line until there is: who comes later would be quicker each time.
    #[cold]
    fn order_behind_a_sleep(
        &self,
        need: Need,
        deadline: Option<Instant>,
        line: &mut Line,
    ) -> Result<OrderLocked<'_, D>> {
        loop {
            self.driver.wait_for_room(need, deadline, line)?;
            if let Some(order) = self.order_at_once(need) {
                return Ok(order);
            }
        }
    }

    /// Whether an item can be taken or refused now, without a sleep. Takes room for it where nothing can be held.
    #[inline]
    pub(super) fn takes(&self, order: &Order<D>, need: Need) -> bool {
        // One that has failed refuses the item by itself.
        order.is_plain
            || self.is_managed()
            || self.timeline.has_failed()
            || self.driver.take_room(need)
    }
}
