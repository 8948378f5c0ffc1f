//! Devices: those of the machine that have timeline semaphores, each opened with the queues of one family.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{RawBuffer, RawDevice, RawStream};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Capabilities, Clock, Device, Result, Timeline, work};

use crate::buffer::VulkanBuffer;
use crate::context::Context;
use crate::driver::{self, Machine};
use crate::stream::VulkanStream;
use crate::sys::Timing;

/// One device, over a context that it shares with what was made of it.
#[derive(Debug)]
struct VulkanDevice(Arc<Context>);

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
    let (name, face) = (context.name().to_owned(), (capabilities(&context), clock(&context)));
    Device::new(name, Arc::new(VulkanDevice(context)), face)
}

/// The context of a device.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no device of Vulkan.
pub(crate) fn context_of(device: &Device) -> Result<Arc<Context>> {
    let VulkanDevice(context) = device.of_backend("Vulkan", "vulkan:0")?;
    Ok(Arc::clone(context))
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

/// What the clock of a device is called besides whose driver refuses what others like it do.
const OWN: &str = " of its own, since the driver refused to read the host's clock too";

fn capabilities(context: &Context) -> Capabilities {
    let capabilities = Capabilities::new(work::priorities()).with_interprocess();
    let is_timed = context.device().physical().timing().is_some();
    if is_timed { capabilities.with_timing() } else { capabilities }
}

fn clock(context: &Context) -> Clock {
    let physical = context.device().physical();
    let whose = if context.is_uncalibrated() { OWN } else { "" };
    let name = format!("{} ({}) timestamps{whose}", context.name(), physical.name());
    let resolution = physical.timing().map_or(Duration::from_nanos(1), Timing::resolution);
    Clock::new(name, resolution)
}

impl RawDevice for VulkanDevice {
    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        let driver = VulkanStream::new(&self.0)?;
        let level = work::level_of(priority, work::priorities());
        let stream = HeldStream::new(timeline, self.0.domain(), driver, level);
        stream.driver().lend_to(&stream);
        // Behind the list of streams: a loss that did not find it there is found here.
        self.0.check()?;
        Ok(stream)
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(VulkanBuffer::new(&self.0, bytes)?))
    }

    fn is_lost(&self) -> bool {
        self.0.is_lost()
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        self.0.domain().shut_down(self.0.name(), |_stream| true, deadline)
    }
}
