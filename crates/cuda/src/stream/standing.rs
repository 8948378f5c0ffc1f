//! Where the device itself holds a stream: behind an event of another process, or before a latch.

use std::sync::Arc;

use syncpoint_core::Result;
use syncpoint_core::hold::HeldStream;

use super::CudaStream;
use crate::latch::{Deadline, Latch};
use crate::sys::{Event, Refusal};

impl CudaStream {
    /// Has the device wait for an event of another process.
    pub(crate) fn give_wait(&self, event: &Event) -> Result<(), Refusal> {
        self.count(1);
        self.handle().wait(event)
    }

    /// Has the device stand before a latch.
    pub(crate) fn stand_before(&self, latch: &Latch) -> Result<(), Refusal> {
        self.count(1);
        latch.hold(self.handle())
    }

    /// Has the device stand before a latch, until its deadline at most. Somebody looks at that before it stands there.
    pub(super) fn stand(stream: &Arc<HeldStream<Self>>, value: u64, latch: &Latch) -> Result<()> {
        let driver = stream.driver();
        let longest = driver.context.gates().unwrap_or_default();
        driver.context.keep(Deadline::new(longest, stream, value, latch))?;
        driver.stand_before(latch).map_err(|refusal| driver.context.refused(&refusal))
    }
}
