//! Buffers: memory of a device, and of the host for its operations.

use std::sync::Arc;

use syncpoint_core::contract::RawBuffer;
use syncpoint_core::{Result, Span};

use crate::context::Context;
use crate::reaper::Remains;
use crate::staging::Staging;
use crate::sys::{Event, HostMemory, Memory, Part, Refusal, Timing};

/// Memory for operations of a device, for as long as somebody has the buffer or an operation on it is not complete.
#[derive(Debug)]
pub(crate) struct CudaBuffer {
    /// There until the drop.
    home: Option<Home>,
    context: Arc<Context>,
}

/// Where the bytes lie.
#[derive(Debug)]
enum Home {
    Device(Memory),
    Host(HostMemory),
}

impl CudaBuffer {
    /// So many bytes, all zero. Waits on this thread for the device to have filled them.
    ///
    /// # Errors
    /// `Exhausted` when there is not enough; the driver's.
    pub(crate) fn new(context: &Arc<Context>, bytes: u64) -> Result<Self> {
        context.check()?;
        let memory = Memory::allocate(bytes, context.way(), context.transfers());
        let memory = memory.map_err(|refusal| context.refused(&refusal))?;
        let buffer = Self { home: Some(Home::Device(memory)), context: Arc::clone(context) };
        buffer.clear().map_err(|refusal| context.refused(&refusal))?;
        Ok(buffer)
    }

    /// So many bytes of the host, all zero.
    ///
    /// # Errors
    /// `Exhausted` when there is not enough; the driver's.
    pub(crate) fn on_host(context: &Arc<Context>, bytes: u64) -> Result<Self> {
        context.check()?;
        let memory = HostMemory::allocate(context.primary(), bytes);
        let memory = memory.map_err(|refusal| context.refused(&refusal))?;
        Ok(Self { home: Some(Home::Host(memory)), context: Arc::clone(context) })
    }

    fn clear(&self) -> Result<(), Refusal> {
        let transfers = self.context.transfers();
        self.cut(0, u64::MAX).fill(0, transfers)?;
        let event = Event::create(self.context.primary(), Timing::Untimed)?;
        let filled = event.record(transfers).and_then(|()| event.settle());
        self.context.reap(Remains::Event(event));
        filled
    }

    fn home(&self) -> &Home {
        self.home.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    fn cut(&self, offset: u64, bytes: u64) -> Part<'_> {
        match self.home() {
            Home::Device(memory) => memory.part(offset, bytes),
            Home::Host(memory) => memory.part(offset, bytes),
        }
    }

    /// The memory of a span.
    pub(crate) fn part(span: &Span) -> Part<'_> {
        span.memory::<Self>().cut(span.offset(), span.len())
    }
}

impl RawBuffer for CudaBuffer {
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        match self.home() {
            Home::Device(memory) => Staging::read(&self.context, memory, offset, bytes),
            Home::Host(memory) => self.context.check().map(|()| memory.read(offset, bytes)),
        }
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        match self.home() {
            Home::Device(memory) => Staging::write(&self.context, memory, offset, bytes),
            Home::Host(memory) => self.context.check().map(|()| memory.write(offset, bytes)),
        }
    }
}

impl Drop for CudaBuffer {
    fn drop(&mut self) {
        if !self.context.is_usable() {
            return;
        }
        match self.home.take() {
            Some(Home::Device(memory)) => {
                let transfers = Arc::clone(self.context.transfers());
                self.context.reap(Remains::Memory(memory, transfers));
            }
            Some(Home::Host(memory)) => self.context.reap(Remains::HostMemory(memory)),
            None => {}
        }
    }
}
