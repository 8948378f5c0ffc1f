//! The rest of the driver API: known by name, and not supported.

use std::ffi::c_void;

use crate::code::Code;

/// The names of the driver's functions, one a line, without the numbers of their versions.
const NAMES: &str = include_str!("names.txt");

/// Whether the driver has a function of this name.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.lines().any(|known| known == name)
}

/// The function that stands for all those that are not here.
pub(super) fn address() -> *const c_void {
    (not_supported as *const ()).cast()
}

/// Whatever it is given, it looks at nothing: where C passes arguments, more of them do no harm.
extern "C" fn not_supported() -> i32 {
    Code::NOT_SUPPORTED.0
}
