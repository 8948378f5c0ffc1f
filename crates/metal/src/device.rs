//! Devices: what core asks of one, over whatever makes the calls.

use std::sync::Arc;
use std::time::Instant;

use syncpoint_core::contract::{NativeEvent, RawBuffer, RawDevice, RawStream};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{
    Capabilities, Clock, Device, Error, EventOptions, Kind, Result, Timeline, work,
};

use crate::buffer::MetalBuffer;
use crate::calls::Calls;
use crate::context::{Context, Limits};
use crate::event::MetalEvent;
use crate::stream::MetalStream;
use crate::time::RESOLUTION;

/// One device, over a context that it shares with what was made of it.
#[derive(Debug)]
struct MetalDevice<C: Calls>(Arc<Context<C>>);

/// A device over these calls.
pub fn device_over<C: Calls>(name: impl Into<String>, calls: C, limits: Limits) -> Device {
    let context = Context::over(name.into(), calls, limits);
    let capabilities = Capabilities::new(work::priorities()).with_interprocess();
    let capabilities = capabilities.with_timing().with_native_handles();
    let name = context.name().to_owned();
    let clock = Clock::new(format!("{name} ({}) end times", context.calls().name()), RESOLUTION);
    Device::new(name, Arc::new(MetalDevice(context)), (capabilities, clock))
}

/// The same, where Metal makes what every stream of it needs.
///
/// # Errors
/// `Unavailable`: it makes no shared event there.
pub fn open_over<C: Calls>(name: impl Into<String>, calls: C, limits: Limits) -> Result<Device> {
    let (name, mut has_events) = (name.into(), false);
    C::pooled(&mut || has_events = calls.event().is_some());
    if has_events { Ok(device_over(name, calls, limits)) } else { Err(no_events(&name)) }
}

#[cold]
fn no_events(name: &str) -> Error {
    let message = format!(
        "Metal makes no shared event of {name}, as in some sandboxes and virtual machines; run outside of them"
    );
    Error::new(Kind::Unavailable, message)
}

/// The context of a device.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no device over such calls.
pub(crate) fn context_of<C: Calls>(device: &Device) -> Result<Arc<Context<C>>> {
    let MetalDevice(context) = device.of_backend::<MetalDevice<C>>("Metal", "metal:0")?;
    Ok(Arc::clone(context))
}

impl<C: Calls> RawDevice for MetalDevice<C> {
    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        let driver = MetalStream::new(&self.0, &timeline)?;
        let level = work::level_of(priority, work::priorities());
        let stream = HeldStream::new(timeline, self.0.domain(), driver, level);
        // Behind the list of streams: a loss that did not find it there is found here.
        self.0.check()?;
        Ok(stream)
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(MetalBuffer::new(&self.0, bytes)?))
    }

    fn event(&self, _options: EventOptions) -> Result<Arc<dyn NativeEvent>> {
        MetalEvent::owned(&self.0)
    }

    fn is_lost(&self) -> bool {
        self.0.is_lost()
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        self.0.domain().shut_down(self.0.name(), |_stream| true, deadline)
    }
}
