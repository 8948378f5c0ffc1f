//! Buffers: memory of a device that the host reaches too.

use std::sync::Arc;

use syncpoint_core::Result;
use syncpoint_core::contract::RawBuffer;

use crate::context::Context;
use crate::sys::Memory;

/// Memory of a device. The buffer goes with its last name, or with what core keeps of operations on it; the memory itself
/// stays until every submission that uses it is over.
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
