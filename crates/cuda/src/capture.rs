//! Records of captures: nodes of a graph, each with an event of its own that is used for nothing else.

use std::sync::Arc;

use syncpoint_core::contract::Captured;
use syncpoint_core::{Error, Reason, Result};

use crate::context::Context;
use crate::reaper::Remains;
use crate::sync::{Mutex, lock};
use crate::sys::{Event, Timing};

/// The records of the capture that a stream is in. Their events are kept until that has ended: whoever recorded one again
/// before would change what the capture means.
#[derive(Debug, Default)]
pub(crate) struct Captures(Mutex<Vec<Arc<Record>>>);

/// One record.
#[derive(Debug)]
pub(crate) struct Record {
    /// There until the drop.
    event: Option<Event>,
    context: Arc<Context>,
}

impl Captures {
    /// A record, as `put` gives its event to the driver.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn record(
        &self,
        context: &Arc<Context>,
        put: impl FnOnce(&Event) -> Result<()>,
    ) -> Result<Arc<Record>> {
        let made = Event::create(context.primary(), Timing::Untimed);
        let event = made.map_err(|refusal| context.refused(&refusal))?;
        let record = Arc::new(Record { event: Some(event), context: Arc::clone(context) });
        put(record.event())?;
        lock(&self.0).push(Arc::clone(&record));
        Ok(record)
    }

    /// The stream is in no capture any more.
    pub(crate) fn end(&self) {
        let ended = std::mem::take(&mut *lock(&self.0));
        drop(ended);
    }
}

impl Record {
    /// The record behind a captured point.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another backend's.
    pub(crate) fn of(captured: &Captured) -> Result<Arc<Self>> {
        Arc::clone(captured).downcast().map_err(|_| {
            let message = "the captured point is another backend's; wait with a stream of that";
            Error::misuse(Reason::WrongDevice, message)
        })
    }

    pub(crate) fn event(&self) -> &Event {
        self.event.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(event) = self.event.take().filter(|_| self.context.is_usable()) {
            self.context.reap(Remains::Event(event));
        }
    }
}
