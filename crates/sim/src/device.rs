//! A simulated device: what core asks of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{Memory, RawBuffer, RawDevice, RawStream};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Capabilities, Clock, Device, Result, Timeline, work};

use crate::driver::SimStream;
use crate::owner::Owner;
use crate::sync::AtomicU64;
use crate::world::World;

/// One device of a world.
#[derive(Debug)]
pub(crate) struct SimDevice {
    owner: Arc<Owner>,
    index: usize,
}

impl SimDevice {
    /// A device of a world, from 0.
    pub(crate) fn open(owner: &Arc<Owner>, index: usize) -> Device {
        let name = owner.world.name(index);
        let capabilities = Capabilities::new(work::priorities()).with_timing().with_interprocess();
        let clock = Clock::new(format!("{name} virtual"), Duration::from_nanos(1));
        let raw = Arc::new(Self { owner: Arc::clone(owner), index });
        Device::new(name, raw, (capabilities, clock))
    }

    fn world(&self) -> &Arc<World> {
        &self.owner.world
    }
}

impl RawDevice for SimDevice {
    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        if let Some(error) = self.world().refusal(self.index) {
            return Err(error);
        }
        let lane = self.world().state().add_lane(self.index);
        let level = work::level_of(priority, work::priorities());
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
