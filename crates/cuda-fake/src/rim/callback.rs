//! Functions of the program that streams call.

use std::ffi::c_void;

use crate::code::{Code, Result};
use crate::current;
use crate::table::Handle;

/// What `cuLaunchHostFunc` is given.
pub(super) type HostFunction = Option<unsafe extern "C" fn(*mut c_void)>;

/// What `cuStreamAddCallback` is given.
pub(super) type StreamFunction = Option<unsafe extern "C" fn(Handle, i32, *mut c_void)>;

/// What the program wants to be given back.
#[derive(Clone, Copy)]
pub(super) struct Given(*mut c_void);

// SAFETY: the driver only passes it on, to a function that the program wrote for any thread.
unsafe impl Send for Given {}
// SAFETY: as above.
unsafe impl Sync for Given {}

impl Given {
    pub(super) fn new(data: *mut c_void) -> Self {
        Self(data)
    }
}

/// A function of the program with what it wants back.
#[derive(Clone, Copy)]
pub(super) struct Call<F> {
    function: F,
    data: Given,
}

impl<F: Copy> Call<F> {
    pub(super) fn new(function: Option<F>, data: *mut c_void) -> Result<Self> {
        let function = function.ok_or(Code::INVALID_VALUE)?;
        Ok(Self { function, data: Given::new(data) })
    }
}

impl Call<unsafe extern "C" fn(*mut c_void)> {
    pub(super) fn run(&self) {
        // SAFETY: the program gave the function to be called so, once for each launch.
        current::in_callback(|| unsafe { (self.function)(self.data.0) });
    }
}

impl Call<unsafe extern "C" fn(Handle, i32, *mut c_void)> {
    pub(super) fn run(&self, stream: Handle, fate: Result) {
        let code = fate.map_or_else(|code| code.0, |()| 0);
        // SAFETY: as above.
        current::in_callback(|| unsafe { (self.function)(stream, code, self.data.0) });
    }
}
