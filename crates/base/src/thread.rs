//! Threads of ours, in a child of a fork too.

use std::io;
use std::thread::Builder;

#[cfg(unix)]
use crate::Process;

/// Makes a thread of this name that nobody joins.
///
/// In a child of a fork it is made without the standard library. That locks a list of its own as a thread of a program of
/// Rust's begins and as it ends; where a thread of the parent had the lock as the process was forked, nobody lets go of it
/// in the child, and every thread that the standard library makes there sleeps for ever before it begins. A thread that is
/// made without it has the name with Linux alone, 2 MiB of stack, and one that overflows ends the process without words.
/// A child whose parent had used nothing of the library is not known for one: it may meet that lock.
///
/// # Errors
/// The system's: there is no room for a thread.
pub fn spawn(name: &'static str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    #[cfg(unix)]
    if Process::is_child() {
        return bare::spawn(name, Box::new(run));
    }
    Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "calls of C")]
mod bare {
    //! Threads by the calls of C.

    use std::ffi::c_void;
    use std::io::{Error, Result};
    use std::mem::MaybeUninit;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr;

    /// As much as the standard library gives a thread, in bytes.
    const STACK: usize = 2 << 20;

    struct Start {
        name: &'static str,
        run: Box<dyn FnOnce() + Send>,
    }

    pub(super) fn spawn(name: &'static str, run: Box<dyn FnOnce() + Send>) -> Result<()> {
        let mut how = MaybeUninit::uninit();
        // SAFETY: there is room for what it writes.
        checked(unsafe { libc::pthread_attr_init(how.as_mut_ptr()) })?;
        let made = spawn_with(how.as_mut_ptr(), Box::new(Start { name, run }));
        // SAFETY: it was made above, and is used no more.
        unsafe { libc::pthread_attr_destroy(how.as_mut_ptr()) };
        made
    }

    fn spawn_with(how: *mut libc::pthread_attr_t, start: Box<Start>) -> Result<()> {
        // SAFETY: the attributes were made.
        checked(unsafe { libc::pthread_attr_setstacksize(how, STACK) })?;
        // SAFETY: as above.
        checked(unsafe { libc::pthread_attr_setdetachstate(how, libc::PTHREAD_CREATE_DETACHED) })?;
        let (mut thread, start) = (MaybeUninit::uninit(), Box::into_raw(start));
        // SAFETY: there is room for the thread's name; what it is given is its own from then on, and may be used there.
        let made = unsafe { libc::pthread_create(thread.as_mut_ptr(), how, begin, start.cast()) };
        checked(made).inspect_err(|_refused| {
            // SAFETY: no thread was made, so nobody else has it.
            drop(unsafe { Box::from_raw(start) });
        })
    }

    /// The thread. A panic was told of as it began, and ends the thread alone.
    extern "C" fn begin(start: *mut c_void) -> *mut c_void {
        // SAFETY: `spawn_with` has given it away, once.
        let start = unsafe { Box::from_raw(start.cast::<Start>()) };
        set_name(start.name);
        let _told = catch_unwind(AssertUnwindSafe(start.run));
        ptr::null_mut()
    }

    #[cfg(target_os = "linux")]
    fn set_name(name: &str) {
        // The system keeps 15 bytes of it. A name is for who looks on: without one nothing is lost.
        let _unnamed = std::ffi::CString::new(name).map(|name| rustix::thread::set_name(&name));
    }

    #[cfg(not(target_os = "linux"))]
    fn set_name(_name: &str) {}

    fn checked(code: libc::c_int) -> Result<()> {
        if code == 0 { Ok(()) } else { Err(Error::from_raw_os_error(code)) }
    }
}
