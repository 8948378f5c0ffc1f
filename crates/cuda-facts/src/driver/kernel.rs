//! A kernel that stores where no memory is, for questions about what a broken context says.

use std::ffi::CStr;

use super::Driver;
use super::calls::Said;
use super::handle::{Function, Module, Stream};
use crate::answer::Asked;

/// PTX for every GPU since Volta, translated by the driver itself, so that no toolkit is needed. The stand-in driver
/// knows the kernel by its name.
const IMAGE: &CStr = c"\
.version 6.0
.target sm_70
.address_size 64
.visible .entry syncpoint_fault()
{
    .reg .u64 %address;
    .reg .u32 %value;
    mov.u64 %address, 0;
    mov.u32 %value, 1;
    st.global.u32 [%address], %value;
    ret;
}
";

impl Driver {
    /// Breaks the current context by a store to address zero.
    pub(crate) fn fault(&self, stream: &Stream) -> Asked<Said> {
        let (mut module, mut function) = (Module::default(), Function::default());
        self.module_load(&mut module, IMAGE)?.needed()?;
        self.module_function(&mut function, &module, c"syncpoint_fault")?.needed()?;
        self.launch(&function, 1, 1, 1, 1, 1, 1, 0, stream, 0, 0)
    }
}
