//! Captures: what a stream of others does while they capture it into a graph.
//!
//! What is given to the driver meanwhile becomes a node and runs at no time that anybody here knows, so it takes no
//! value. A record is a node that other streams may wait for, which takes them into the capture; a function that submits
//! is called at once; everything else is refused. A managed stream is never captured, and joins no capture.

use std::sync::Arc;

use super::{Driver, HeldStream};
use crate::contract::{Captured, Item, Placed, Task};
use crate::error::{Error, Reason, Result};
use crate::function::Called;

impl<D: Driver> HeldStream<D> {
    /// Whether others capture the stream. Nobody can capture a managed one: that costs no call.
    #[inline]
    pub(super) fn is_captured(&self) -> Result<bool> {
        if self.is_managed() { Ok(false) } else { self.driver.is_capturing() }
    }

    #[inline]
    pub(super) fn refuse_capturing(&self) -> Result<()> {
        if self.is_captured()? { Err(Error::captured()) } else { Ok(()) }
    }

    /// A function that submits adds nodes, now and on this thread, and so does what is the backend's own. A failure is the
    /// caller's: no work has failed.
    pub(super) fn put_captured(self: &Arc<Self>, item: Item) -> Result<Placed> {
        let value = self.timeline.enqueued();
        match item.task {
            Task::Submit(submit) if self.driver.native().is_some() => {
                let (timeline, place) = (&self.timeline, item.place);
                let called = Called { timeline, value, name: "submit", place };
                self.run_submission(called, submit)?;
            }
            Task::Native(act) => D::act(self, value, act.as_ref())?,
            _ => return Err(Error::captured()),
        }
        Ok(Placed::new(value))
    }

    /// A record in the capture, unless that ends meanwhile: then the record may lie outside of it.
    pub(super) fn record_in_capture(&self) -> Result<Option<Captured>> {
        let record = self.driver.record_captured()?;
        Ok(self.driver.is_capturing()?.then_some(record))
    }

    pub(super) fn join_capture(&self, record: &Captured) -> Result<()> {
        if self.is_managed() {
            let message = format!(
                "{} would be captured, and its work with it; wait with a stream whose handle was given out",
                self.timeline
            );
            return Err(Error::misuse(Reason::Capturing, message));
        }
        self.driver.wait_captured(record)
    }
}
