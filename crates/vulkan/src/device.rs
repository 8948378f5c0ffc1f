//! Devices: those of the machine that have timeline semaphores, each opened with one queue.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{LEVELS, RawBuffer, RawDevice, RawStream};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{
    Capabilities, Clock, Device, Error, Kind, PriorityRange, Reason, Result, Timeline,
};

use crate::buffer::VulkanBuffer;
use crate::context::Context;
use crate::driver::{self, Machine};
use crate::stream::VulkanStream;
use crate::sync::{AtomicBool, Ordering};
use crate::sys::Timing;

/// One device, over a context that it shares with what was made of it.
#[derive(Debug)]
struct VulkanDevice {
    context: Arc<Context>,
    capabilities: Capabilities,
    clock: Clock,
    /// Whether it was shut down.
    is_closed: AtomicBool,
}

/// Opens a device, by its number among those of the loader that have timeline semaphores. Begins the driver; makes no
/// thread.
///
/// Each call gives a device of its own: `syncpoint::open("vulkan:0")` gives the same one to everybody. Two of one device
/// of the machine wait for each other through the host, and share no memory.
///
/// # Errors
/// `Unavailable`: there is no loader, no driver can begin, or none has a device with timeline semaphores; the message
/// says what was tried and what was left out. `Misuse(OutOfRange)`: there are fewer. The driver's.
pub fn open(index: u32) -> Result<Device> {
    open_with(index, None)
}

/// The same with another bound on how far the values of one semaphore may differ, for tests.
///
/// # Errors
/// As [`open`].
#[doc(hidden)]
pub fn open_with_difference(index: u32, most: u64) -> Result<Device> {
    open_with(index, Some(most))
}

fn open_with(index: u32, most: Option<u64>) -> Result<Device> {
    Ok(device_over(Context::open(driver::begin()?, index, most)?))
}

/// A device over a context.
pub(crate) fn device_over(context: Arc<Context>) -> Device {
    let name = context.name().to_owned();
    Device::new(name, Arc::new(VulkanDevice::new(context)))
}

/// The context of a device.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no device of Vulkan.
pub(crate) fn context_of(device: &Device) -> Result<Arc<Context>> {
    device.check_process()?;
    let raw: &dyn Any = device.raw().as_ref();
    let context = raw.downcast_ref::<VulkanDevice>().map(|device| Arc::clone(&device.context));
    context.ok_or_else(|| {
        let message = format!("{device} is no device of Vulkan; open one, such as vulkan:0");
        Error::misuse(Reason::WrongDevice, message)
    })
}

/// How many devices there are. Begins the driver.
///
/// # Errors
/// `Unavailable`: there is no loader, or no driver can begin.
pub fn count() -> Result<u32> {
    driver::begin().map(Machine::count)
}

/// Whether there is a loader, and how many devices there are where the driver has begun: `None` where it has not, since
/// that takes long and cannot be undone.
///
/// # Errors
/// `Unavailable`: there is no loader; the message says what was tried.
pub fn available() -> Result<Option<u32>> {
    driver::found().map(|_found| driver::counted())
}

/// The priorities of streams: as many as the workers tell apart. Of the streams whose host work can begin, the more
/// urgent begins first; the queue of the device takes what comes.
fn priorities() -> PriorityRange {
    let greatest = i32::try_from(LEVELS).map_or(0, |levels| 1 - levels);
    PriorityRange::new(0, greatest)
}

impl VulkanDevice {
    fn new(context: Arc<Context>) -> Self {
        let physical = context.device().physical();
        let capabilities = Capabilities::new(priorities()).with_interprocess();
        let timing = physical.timing();
        let capabilities = if timing.is_some() { capabilities.with_timing() } else { capabilities };
        let name = format!("{} ({}) timestamps", context.name(), physical.name());
        let resolution = timing.map_or(Duration::from_nanos(1), Timing::resolution);
        let clock = Clock::new(name, resolution);
        Self { context, capabilities, clock, is_closed: AtomicBool::new(false) }
    }

    fn check(&self) -> Result<()> {
        // Relaxed: a call beside the shutdown may come before it.
        if !self.is_closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let message = format!("{} was shut down; open it again", self.context.name());
        Err(Error::new(Kind::Unavailable, message))
    }
}

impl RawDevice for VulkanDevice {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        self.check()?;
        let driver = VulkanStream::new(&self.context)?;
        let level = usize::try_from(priority - self.capabilities.priorities.greatest());
        let level = level.unwrap_or(0).min(LEVELS - 1);
        let stream = HeldStream::new(timeline, self.context.domain(), driver, level);
        stream.driver().lend_to(&stream);
        Ok(stream)
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        self.check()?;
        Ok(Arc::new(VulkanBuffer::new(&self.context, bytes)?))
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        // Relaxed: as in `check`.
        self.is_closed.store(true, Ordering::Relaxed);
        self.context.domain().wait_for_begun(|_stream| true, deadline).map_err(|left| {
            if left.kind() != Kind::TimedOut {
                return left;
            }
            let message = format!(
                "work still runs on {} at the deadline of its shutdown; let it end, or leave it",
                self.context.name()
            );
            Error::new(Kind::TimedOut, message)
        })
    }
}
