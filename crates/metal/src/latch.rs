//! Latches: a shared event of ours for which the device waits until the host raises it.

use std::fmt;
use std::sync::Arc;

use syncpoint_base::Inside;
use syncpoint_core::Result;

use crate::calls::Calls;
use crate::code::no_room;
use crate::context::Context;
use crate::own::Own;

/// What the device stands before until the host lets it go on. Command buffers keep what they wait for, so it may be
/// dropped open.
pub(crate) struct Latch<C: Calls> {
    event: Own<C, C::Event>,
}

impl<C: Calls> Latch<C> {
    /// The value of an open latch.
    pub(crate) const OPEN: u64 = 1;

    /// A latch, closed.
    ///
    /// # Errors
    /// `Exhausted`: there is no room for another event.
    pub(crate) fn new(context: &Arc<Context<C>>) -> Result<Self> {
        let _inside = context.enter()?;
        let event = context.calls().event();
        let event = event.ok_or_else(|| no_room("a shared event", context.name()))?;
        Ok(Self { event: Own::new(event) })
    }

    pub(crate) fn event(&self) -> &C::Event {
        &self.event
    }

    /// Lets the device go on.
    pub(crate) fn open(self) {
        // While the process exits the device is left where it is.
        let Some(_inside) = Inside::enter() else { return };
        C::raise(&self.event, Self::OPEN);
    }
}

impl<C: Calls> fmt::Debug for Latch<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Latch({:?})", self.event)
    }
}
