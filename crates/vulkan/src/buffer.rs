//! Buffers: memory of a device that the host reaches too.

use std::any::Any;
use std::sync::Arc;

use syncpoint_core::contract::RawBuffer;
use syncpoint_core::{Error, Reason, Result, Span};

use crate::context::Context;
use crate::sys::Memory;

/// Memory of a device, for as long as somebody has the buffer or an operation on it is not complete.
#[derive(Debug)]
pub(crate) struct VulkanBuffer {
    memory: Arc<Memory>,
    context: Arc<Context>,
}

impl VulkanBuffer {
    /// So many bytes, all zero.
    ///
    /// # Errors
    /// `Exhausted` when there is not enough; the driver's.
    pub(crate) fn new(context: &Arc<Context>, bytes: u64) -> Result<Self> {
        let _inside = context.enter()?;
        let memory = Memory::allocate(context.device(), bytes);
        let memory = memory.map_err(|refusal| context.refused(refusal))?;
        Ok(Self { memory: Arc::new(memory), context: Arc::clone(context) })
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// The memory of a span, on a device.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another device's.
    pub(crate) fn of(span: &Span, context: &Arc<Context>) -> Result<Arc<Self>> {
        let raw: Arc<dyn RawBuffer> = Arc::clone(span.raw());
        let raw: Arc<dyn Any + Send + Sync> = raw;
        let buffer = raw.downcast::<Self>().ok();
        buffer.filter(|buffer| Arc::ptr_eq(&buffer.context, context)).ok_or_else(|| {
            let message = format!(
                "{span} is no memory of {}; use a buffer of the stream's device",
                context.name()
            );
            Error::misuse(Reason::WrongDevice, message)
        })
    }
}

impl RawBuffer for VulkanBuffer {
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.context.check()?;
        self.memory.read(offset, bytes);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.context.check()?;
        self.memory.write(offset, bytes);
        Ok(())
    }
}
