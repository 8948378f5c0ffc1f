//! What a stream that was given out keeps for whoever takes it in: its device and its priority.

use syncpoint_core::{Device, Stream};

use super::CudaStream;

impl CudaStream {
    /// The stream was given out, under this name of it.
    pub(crate) fn give(&self, named: &Stream) {
        self.given.get_or_init(|| (named.device().clone(), named.priority()));
    }

    /// The device and the priority of a stream that was given out.
    pub(crate) fn given(&self) -> Option<&(Device, i32)> {
        self.given.get()
    }
}
