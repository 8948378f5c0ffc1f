//! Buffers: memory of a device.

use std::any::Any;
use std::sync::Arc;

use syncpoint_core::contract::RawBuffer;
use syncpoint_core::{Error, Reason, Result, Span};

use crate::context::Context;
use crate::reaper::Remains;
use crate::staging::Staging;
use crate::sys::{Event, Memory, Refusal, Timing};

/// Memory of a device, for as long as somebody has the buffer or an operation on it is not complete.
#[derive(Debug)]
pub(crate) struct CudaBuffer {
    /// There until the drop.
    memory: Option<Memory>,
    context: Arc<Context>,
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
        let buffer = Self { memory: Some(memory), context: Arc::clone(context) };
        buffer.clear().map_err(|refusal| context.refused(&refusal))?;
        Ok(buffer)
    }

    fn clear(&self) -> Result<(), Refusal> {
        let transfers = self.context.transfers();
        self.memory().part(0, u64::MAX).fill(0, transfers)?;
        let event = Event::create(self.context.primary(), Timing::Untimed)?;
        let filled = event.record(transfers).and_then(|()| event.settle());
        self.context.reap(Remains::Event(event));
        filled
    }

    pub(crate) fn memory(&self) -> &Memory {
        self.memory.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// The memory of a span.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another backend's.
    pub(crate) fn of(span: &Span) -> Result<Arc<Self>> {
        let raw: Arc<dyn RawBuffer> = Arc::clone(span.raw());
        let raw: Arc<dyn Any + Send + Sync> = raw;
        raw.downcast().map_err(|_| {
            let message =
                format!("{span} is no memory of CUDA; use a buffer of the stream's device");
            Error::misuse(Reason::WrongDevice, message)
        })
    }
}

impl RawBuffer for CudaBuffer {
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        Staging::read(&self.context, self.memory(), offset, bytes)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        Staging::write(&self.context, self.memory(), offset, bytes)
    }
}

impl Drop for CudaBuffer {
    fn drop(&mut self) {
        if !self.context.is_usable() {
            return;
        }
        if let Some(memory) = self.memory.take() {
            self.context.reap(Remains::Memory(memory, Arc::clone(self.context.transfers())));
        }
    }
}
