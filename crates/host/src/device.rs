//! The host device.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::Process;
use syncpoint_core::contract::{Memory, RawBuffer, RawDevice, RawStream};
use syncpoint_core::{Capabilities, Clock, Device, Error, Kind, Result, Timeline, work};

use crate::clock::HostClock;
use crate::serve::{Scheduler, Shared};
use crate::stream::HostStream;

/// A host device under a name such as `host:0`. Makes no thread: the first item does.
pub fn open(name: &str) -> Device {
    device(name, Scheduler::new(Shared::new(HostClock::begin(), BOUND)))
}

fn device(name: &str, scheduler: Arc<Scheduler>) -> Device {
    let capabilities = Capabilities::new(work::priorities()).with_timing().with_interprocess();
    // `Instant` counts nanoseconds on every system that has a finer clock than milliseconds.
    let clock = Clock::new(format!("{name} monotonic"), Duration::from_nanos(1));
    let raw = HostDevice { scheduler, process: Process::current() };
    Device::new(name, Arc::new(raw), (capabilities, clock))
}

/// A device over a scheduler of a model.
#[cfg(all(test, syncpoint_loom))]
pub(crate) fn modelled(scheduler: Arc<Scheduler>) -> Device {
    device("host:model", scheduler)
}

/// How many items a stream holds at most: beyond it an enqueue is refused, and never blocks.
const BOUND: u64 = 1 << 20;

#[derive(Debug)]
struct HostDevice {
    scheduler: Arc<Scheduler>,
    process: Process,
}

/// Every stream keeps its device, so nobody has a stream to enqueue on any more.
impl Drop for HostDevice {
    fn drop(&mut self) {
        if self.process.is_current() {
            self.scheduler.orphan();
        } else {
            // Whoever drops the last count drops the parent's work, so it is never the last.
            let _kept_for_ever = ManuallyDrop::new(Arc::clone(&self.scheduler));
        }
    }
}

impl RawDevice for HostDevice {
    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        Ok(HostStream::new(timeline, Arc::clone(&self.scheduler), priority))
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(Memory::new(bytes)?))
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        self.scheduler.close();
        if self.scheduler.wait_for_quiet(deadline.saturating_duration_since(Instant::now())) {
            return Ok(());
        }
        let message =
            "work still runs on the host at the deadline of its shutdown; let it end, or leave it";
        Err(Error::new(Kind::TimedOut, message))
    }
}
