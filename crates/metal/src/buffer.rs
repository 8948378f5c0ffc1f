//! Buffers: memory of a device that the host reaches too.

use std::sync::{Arc, PoisonError};

use syncpoint_core::Result;
use syncpoint_core::contract::RawBuffer;

use crate::calls::Calls;
use crate::code::no_room;
use crate::context::Context;
use crate::own::Own;
use crate::sync::RwLock;

/// Memory of a device, for as long as somebody has the buffer or an operation on it is not complete.
#[derive(Debug)]
pub(crate) struct MetalBuffer<C: Calls> {
    memory: Own<C, C::Memory>,
    /// Guards the bytes from threads of the host: one writes, or some read. From the device nothing does but order.
    bytes: RwLock<()>,
    context: Arc<Context<C>>,
}

impl<C: Calls> MetalBuffer<C> {
    /// So many bytes, all zero.
    ///
    /// # Errors
    /// `Exhausted` when there is not enough.
    pub(crate) fn new(context: &Arc<Context<C>>, bytes: u64) -> Result<Self> {
        let _inside = context.enter()?;
        // Metal has no buffers without bytes.
        let memory = context.calls().memory(bytes.max(1));
        let memory = memory.ok_or_else(|| no_room("a buffer", context.name()))?;
        let memory = Own::new(memory);
        context.prepare();
        Ok(Self { memory, bytes: RwLock::default(), context: Arc::clone(context) })
    }

    pub(crate) fn memory(&self) -> &C::Memory {
        &self.memory
    }
}

impl<C: Calls> RawBuffer for MetalBuffer<C> {
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.context.check()?;
        let _reads = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        self.context.calls().read(&self.memory, offset, bytes);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.context.check()?;
        let _writes = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        self.context.calls().write(&self.memory, offset, bytes);
        Ok(())
    }
}
