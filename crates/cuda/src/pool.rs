//! Pools of the driver's events, and leases of them: an event goes back when nobody has it any more.
//!
//! Whoever uses an event has a name of it. A stream keeps those that it is done with for its next records; what is too
//! many for it, and what somebody else was last to have, goes back to the pool of the context.

use std::fmt;
use std::sync::Arc;

use syncpoint_core::Result;

use crate::context::Context;
use crate::sync::Lock;
use crate::sys::{Event, Timing};

/// The events of one context and kind that nobody has.
#[derive(Debug)]
pub(crate) struct Pool {
    timing: Timing,
    /// Guards the list alone.
    free: Lock<Vec<Arc<Event>>>,
}

impl Pool {
    pub(crate) fn new(timing: Timing) -> Self {
        Self { timing, free: Lock::new(Vec::new()) }
    }

    /// An event that nobody has; the driver makes one where there is none.
    ///
    /// # Errors
    /// The driver's.
    #[cold]
    pub(crate) fn take(&self, context: &Arc<Context>) -> Result<Arc<Event>> {
        let free = self.free.lock().pop();
        if let Some(event) = free {
            return Ok(event);
        }
        let created = Event::create(context.primary(), self.timing);
        Ok(Arc::new(created.map_err(|refusal| context.refused(&refusal))?))
    }

    /// Takes an event back that nobody has any more.
    #[cold]
    pub(crate) fn take_back(&self, event: Event) {
        self.free.lock().push(Arc::new(event));
    }

    /// Takes every event out, as the context ends: then nobody has one.
    pub(crate) fn empty(&self) -> impl Iterator<Item = Event> + use<> {
        let free = std::mem::take(&mut *self.free.lock());
        free.into_iter().filter_map(Arc::into_inner)
    }
}

/// A lease of an event, for as long as somebody has a time of it. Dropping it calls no driver.
pub(crate) struct Lease {
    /// There until the drop.
    event: Option<Arc<Event>>,
    /// After the event: the context goes last.
    context: Arc<Context>,
}

impl Lease {
    /// A lease of an event that notes its time.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn timed(context: &Arc<Context>) -> Result<Self> {
        let event = context.pool(Timing::Timed).take(context)?;
        Ok(Self { event: Some(event), context: Arc::clone(context) })
    }

    /// The event.
    #[inline]
    pub(crate) fn event(&self) -> &Arc<Event> {
        self.event.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// The context of the event.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What a child inherited is the parent's, its locks included; of a broken context nothing is used again.
        if !self.context.is_usable() {
            return;
        }
        if let Some(event) = self.event.take() {
            self.context.give_back(event);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Lease({:?})", self.event)
    }
}
