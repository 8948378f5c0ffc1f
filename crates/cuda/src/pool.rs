//! Pools of the driver's events, and leases of them: an event goes back when nobody has a lease of it any more.

use std::fmt;
use std::sync::Arc;

use syncpoint_core::Result;

use crate::context::Context;
use crate::sync::{AtomicUsize, Mutex, Ordering, lock};
use crate::sys::{Event, Timing};

/// The events of one context and kind that nobody has.
#[derive(Debug)]
pub(crate) struct Pool {
    timing: Timing,
    /// Guards the list alone.
    free: Mutex<Vec<Arc<Pooled>>>,
}

#[derive(Debug)]
struct Pooled {
    event: Event,
    /// How many leases there are.
    leases: AtomicUsize,
}

/// A lease of an event: it is recorded by one holder, and lives for as long as anybody has a lease. Dropping the last
/// gives it back and calls no driver.
pub(crate) struct Lease {
    /// There until the drop.
    pooled: Option<Arc<Pooled>>,
    /// After the event: the context goes last.
    context: Arc<Context>,
    timing: Timing,
}

impl Pool {
    pub(crate) fn new(timing: Timing) -> Self {
        Self { timing, free: Mutex::new(Vec::new()) }
    }

    /// A lease of an event that nobody has; the driver makes one where there is none.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn lease(&self, context: &Arc<Context>) -> Result<Lease> {
        let free = lock(&self.free).pop();
        let pooled = match free {
            Some(pooled) => pooled,
            None => Arc::new(Pooled::new(context, self.timing)?),
        };
        // Relaxed: nobody else has it.
        pooled.leases.store(1, Ordering::Relaxed);
        Ok(Lease { pooled: Some(pooled), context: Arc::clone(context), timing: self.timing })
    }

    /// Takes every event out, as the context ends: then nobody has a lease.
    pub(crate) fn empty(&self) -> impl Iterator<Item = Event> + use<> {
        let free = std::mem::take(&mut *lock(&self.free));
        free.into_iter().filter_map(Arc::into_inner).map(|pooled| pooled.event)
    }
}

impl Pooled {
    #[cold]
    fn new(context: &Arc<Context>, timing: Timing) -> Result<Self> {
        let created = Event::create(context.primary(), timing);
        let event = created.map_err(|refusal| context.refused(&refusal))?;
        Ok(Self { event, leases: AtomicUsize::new(0) })
    }
}

impl Lease {
    /// The event.
    #[inline]
    pub(crate) fn event(&self) -> &Event {
        &self.pooled().event
    }

    fn pooled(&self) -> &Arc<Pooled> {
        self.pooled.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// The context of the event.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }
}

impl Clone for Lease {
    fn clone(&self) -> Self {
        let pooled = self.pooled();
        // Relaxed: whoever clones has a lease, so that the count is not zero meanwhile.
        pooled.leases.fetch_add(1, Ordering::Relaxed);
        let (pooled, context) = (Some(Arc::clone(pooled)), Arc::clone(&self.context));
        Self { pooled, context, timing: self.timing }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What a child inherited is the parent's, its locks included; of a broken context nothing is used again.
        if !self.context.is_usable() {
            return;
        }
        let Some(pooled) = self.pooled.take() else { return };
        // Acquire and release: who takes it anew sees all that was done with it.
        if pooled.leases.fetch_sub(1, Ordering::AcqRel) == 1 {
            lock(&self.context.pool(self.timing).free).push(pooled);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Lease({:?})", self.pooled)
    }
}
