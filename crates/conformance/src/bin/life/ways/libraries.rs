//! Libraries that have a copy of syncpoint each, loaded, used and unloaded.

use std::ffi::CString;
use std::time::Duration;

use syncpoint::Result;

use super::{host, leave_work_behind};

/// Each library has its own copy of syncpoint, with threads that sleep in it when it is unloaded.
pub(crate) fn libraries_are_used_and_unloaded(
    paths: &mut dyn Iterator<Item = String>,
) -> Result<()> {
    leave_work_behind()?;
    let libraries: Vec<_> = paths.map(|path| load(&path)).collect();
    for library in &libraries {
        // SAFETY: the name is a text of C.
        let function = unsafe { libc::dlsym(*library, c"use_syncpoint".as_ptr()) };
        assert!(!function.is_null(), "the library exports its function");
        // SAFETY: the library declares it so.
        let function: extern "C" fn() -> i32 = unsafe { std::mem::transmute(function) };
        assert_eq!(function(), 0, "the library can use its own copy");
    }
    for library in libraries {
        // SAFETY: it was loaded above, and nothing of it is called from here any more.
        unsafe { libc::dlclose(library) };
    }
    // Long enough for a nap of a worker to end in what was unloaded.
    let stream = host()?.stream()?;
    stream.delay(Duration::from_millis(200))?;
    stream.synchronize()
}

fn load(path: &str) -> *mut libc::c_void {
    let path = CString::new(path).expect("a path has no zeros");
    // SAFETY: the path is a text of C; what the library does when it is loaded is known.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!library.is_null(), "{path:?} cannot be loaded");
    library
}
