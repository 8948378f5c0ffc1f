//! Devices: what core asks of one, over whatever makes the calls.

use std::sync::Arc;
use std::time::Instant;

use syncpoint_core::contract::{NativeEvent, RawBuffer, RawDevice, RawStream};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Capabilities, Clock, Device, EventOptions, Result, Timeline, work};

use crate::buffer::MetalBuffer;
use crate::calls::Calls;
use crate::context::{Context, Limits};
use crate::event::MetalEvent;
use crate::stream::MetalStream;
use crate::time::RESOLUTION;

/// One device, over a context that it shares with what was made of it.
#[derive(Debug)]
struct MetalDevice<C: Calls> {
    context: Arc<Context<C>>,
    capabilities: Capabilities,
    clock: Clock,
}

/// A device over these calls.
pub fn device_over<C: Calls>(name: impl Into<String>, calls: C, limits: Limits) -> Device {
    let context = Context::over(name.into(), calls, limits);
    let name = context.name().to_owned();
    Device::new(name, Arc::new(MetalDevice::new(context)))
}

/// The context of a device.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no device over such calls.
pub(crate) fn context_of<C: Calls>(device: &Device) -> Result<Arc<Context<C>>> {
    let device = device.of_backend::<MetalDevice<C>>("Metal", "metal:0")?;
    Ok(Arc::clone(&device.context))
}

impl<C: Calls> MetalDevice<C> {
    fn new(context: Arc<Context<C>>) -> Self {
        let capabilities =
            Capabilities::new(work::priorities()).with_timing().with_native_handles();
        // Elsewhere core has no pages that processes share.
        let shares = cfg!(target_os = "linux");
        let capabilities = if shares { capabilities.with_interprocess() } else { capabilities };
        let name = format!("{} ({}) end times", context.name(), context.calls().name());
        let clock = Clock::new(name, RESOLUTION);
        Self { context, capabilities, clock }
    }
}

impl<C: Calls> RawDevice for MetalDevice<C> {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        let driver = MetalStream::new(&self.context, &timeline)?;
        let level = work::level_of(priority, self.capabilities.priorities);
        let stream = HeldStream::new(timeline, self.context.domain(), driver, level);
        // Behind the list of streams: a loss that did not find it there is found here.
        self.context.check()?;
        Ok(stream)
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(MetalBuffer::new(&self.context, bytes)?))
    }

    fn event(&self, _options: EventOptions) -> Result<Arc<dyn NativeEvent>> {
        MetalEvent::owned(&self.context)
    }

    fn is_lost(&self) -> bool {
        self.context.is_lost()
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        self.context.domain().shut_down(self.context.name(), |_stream| true, deadline)
    }
}
