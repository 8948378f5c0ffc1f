//! Kernels: one that stores where no memory is, for what a broken context says, and the one of the backend's delays.

use std::ffi::{CStr, CString};

use super::Driver;
use super::calls::Said;
use super::handle::{Function, Module, Stream};
use super::kept::Kept;
use crate::answer::{Asked, Unasked};

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

/// The backend's own text.
const DELAY: &str = include_str!("delay.ptx");

impl Driver {
    /// Lets so many nanoseconds pass on a stream, by the kernel of the backend's delays. Gives its module.
    pub(crate) fn delay(&self, stream: &Stream, nanoseconds: u64) -> Asked<Module> {
        let image = CString::new(DELAY).map_err(|_| Unasked::Lacking("text without zeros"))?;
        let (mut module, mut function) = (Module::default(), Function::default());
        self.module_load(&mut module, &image)?.needed()?;
        self.module_function(&mut function, &module, c"syncpoint_delay")?.needed()?;
        // For good: the driver reads them at the launch, and a question is a process.
        let parameter: &'static u64 = Box::leak(Box::new(nanoseconds));
        let parameters: &'static [usize; 1] = Box::leak(Box::new([Kept::of(parameter).address()]));
        self.launch(&function, 1, 1, 1, 1, 1, 1, 0, stream, Kept::of(parameters), 0)?.needed()?;
        Ok(module)
    }

    /// Breaks the current context by a store to address zero.
    pub(crate) fn fault(&self, stream: &Stream) -> Asked<Said> {
        let (mut module, mut function) = (Module::default(), Function::default());
        self.module_load(&mut module, IMAGE)?.needed()?;
        self.module_function(&mut function, &module, c"syncpoint_fault")?.needed()?;
        self.launch(&function, 1, 1, 1, 1, 1, 1, 0, stream, Kept::NONE, 0)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_that_is_asked_about_is_the_one_of_the_backend() {
        assert_eq!(super::DELAY, include_str!("../../../cuda/src/sys/delay.ptx"));
    }
}
