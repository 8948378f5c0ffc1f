//! A simulated device: what core asks of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{LEVELS, Memory, RawBuffer, RawDevice, RawStream};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Capabilities, Clock, PriorityRange, Result, Timeline};

use crate::driver::SimStream;
use crate::owner::Owner;
use crate::sync::AtomicU64;
use crate::world::World;

/// One device of a world.
#[derive(Debug)]
pub(crate) struct SimDevice {
    owner: Arc<Owner>,
    index: usize,
    capabilities: Capabilities,
    clock: Clock,
}

/// The priorities of simulated streams: as many as the workers tell apart. Of the streams whose host work can begin,
/// the more urgent begins first.
fn priorities() -> PriorityRange {
    let greatest = i32::try_from(LEVELS).map_or(0, |levels| 1 - levels);
    PriorityRange::new(0, greatest)
}

impl SimDevice {
    pub(crate) fn new(owner: &Arc<Owner>, index: usize) -> Self {
        let name = format!("{} virtual", owner.world.name(index));
        Self {
            owner: Arc::clone(owner),
            index,
            capabilities: Capabilities::new(priorities()).with_timing().with_interprocess(),
            clock: Clock::new(name, Duration::from_nanos(1)),
        }
    }

    fn world(&self) -> &Arc<World> {
        &self.owner.world
    }
}

impl RawDevice for SimDevice {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        if let Some(error) = self.world().refusal(self.index) {
            return Err(error);
        }
        let lane = self.world().state().add_lane(self.index);
        let level = usize::try_from(priority - priorities().greatest()).unwrap_or(0);
        let (world, device) = (Arc::clone(self.world()), self.index);
        let driver = SimStream { world, device, lane, calls: AtomicU64::new(0) };
        Ok(HeldStream::new(timeline, &self.owner.domain, driver, level))
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        match self.world().refusal(self.index) {
            Some(error) => Err(error),
            None => Ok(Arc::new(Memory::new(bytes)?)),
        }
    }

    fn is_lost(&self) -> bool {
        self.world().refusal(self.index).is_some()
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        let is_its = |driver: &SimStream| driver.is_of(self.world(), self.index);
        self.owner.domain.shut_down(self.world().name(self.index), is_its, deadline)
    }
}
