//! The kernel that lets time pass on a device, written as the text that every driver compiles for its own device.

use std::ffi::c_void;
use std::time::Duration;

use super::code::Refusal;
use super::context::Primary;
use super::stream::Stream;
use super::types::{FunctionHandle, ModuleHandle};

/// Looks at the device's global timer until so many nanoseconds have passed. One thread, which ends by itself.
///
/// NVIDIA's assembler takes it (12.9 for devices from 5.0 to 10.0, 13.5 from 7.5 to 12.0), and what it makes of it for 7.5
/// and 9.0 reads the timer anew in each turn of the loop.
const TEXT: &str = include_str!("delay.ptx");

/// The kernel, compiled for a device. Dropping it leaks it: a drop calls no driver. [`unload`](Self::unload) ends it.
#[derive(Debug)]
pub(crate) struct Delay {
    primary: Primary,
    module: ModuleHandle,
    function: FunctionHandle,
}

/// The longest that one launch takes: watchdogs of displays end a kernel after about two seconds.
const LONGEST: Duration = Duration::from_secs(1);

impl Delay {
    /// Compiles it. Takes some milliseconds.
    pub(crate) fn load(primary: &Primary) -> Result<Self, Refusal> {
        let text = format!("{TEXT}\0");
        let make = || {
            let (table, image) = (primary.library().table(), text.as_ptr().cast::<c_void>());
            let (mut module, mut function) = (ModuleHandle::NULL, FunctionHandle::NULL);
            // SAFETY: the pointer is to a module, and the image is a text that ends with a zero.
            unsafe { table.load_module(&raw mut module, image) }?;
            let name = c"syncpoint_delay".as_ptr();
            // SAFETY: the pointer is to a function, the module was just loaded, and the name is a text of C.
            let found = unsafe { table.module_function(&raw mut function, module, name) };
            found.inspect_err(|_told| {
                // SAFETY: the module was just loaded, and nobody has it. That it stays is the lesser trouble.
                let _left = unsafe { table.unload_module(module) };
            })?;
            Ok(Self { primary: primary.clone(), module, function })
        };
        primary.making(make, Self::unload)
    }

    /// Ends it. No stream has a launch of it any more.
    pub(crate) fn unload(self) -> Result<(), Refusal> {
        self.primary.within(|| {
            // SAFETY: the module is loaded, and its kernel is launched no more.
            unsafe { self.primary.library().table().unload_module(self.module) }
        })
    }

    /// Lets time pass on the stream: one launch for each second, so that no watchdog bites. Gives the number of launches.
    pub(crate) fn launch(&self, duration: Duration, stream: &Stream) -> Result<u64, Refusal> {
        let (mut left, mut launches) = (duration, 0);
        self.primary.within(|| {
            while !left.is_zero() {
                let now = left.min(LONGEST);
                self.launch_once(now, stream)?;
                left -= now;
                launches += 1;
            }
            Ok(launches)
        })
    }

    fn launch_once(&self, duration: Duration, stream: &Stream) -> Result<(), Refusal> {
        let mut nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let mut parameters = [(&raw mut nanoseconds).cast::<c_void>()];
        let (first, none) = (parameters.as_mut_ptr(), std::ptr::null_mut());
        let (function, stream) = (self.function, stream.handle());
        // SAFETY: the function has one parameter of 64 bits, which the driver copies before it returns, and the stream
        // lives.
        unsafe {
            let table = self.primary.library().table();
            table.launch(function, 1, 1, 1, 1, 1, 1, 0, stream, first, none)
        }
    }
}
