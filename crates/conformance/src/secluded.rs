//! Seclusion: code runs on a thread that the kernel ends as soon as it makes a system call.

#![expect(unsafe_code, reason = "a thread gives up its system calls by a call of C")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use crate::patience::{heard, say, until};

/// Runs `prepare` on a thread of its own, and then what that gives, where no system call is possible. Says whether it came
/// to its end.
///
/// The thread is never joined and frees nothing: even its end would be a system call too many.
pub fn without_system_calls<C: FnOnce()>(prepare: impl FnOnce() -> C + Send + 'static) -> bool {
    let (sender, receiver) = channel();
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let spawned = thread::Builder::new().spawn(move || {
        let code = prepare();
        // SAFETY: the call takes nothing.
        say(&sender, unsafe { libc::gettid() });
        seclude();
        code();
        // Release: pairs with the load below, behind which the thread has ended.
        is_done.store(true, Ordering::Release);
        leave();
    });
    drop(spawned.expect("a thread can be made"));
    let thread = heard(&receiver, "the preparation");
    let task = format!("/proc/self/task/{thread}");
    until("the end of the thread", || !Path::new(&task).exists());
    // Acquire: as above.
    done.load(Ordering::Acquire)
}

/// From now on this thread may read, write and end, and is killed for anything else.
fn seclude() {
    // SAFETY: the call takes numbers, and is about this thread alone.
    let strict = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_STRICT) };
    assert_eq!(strict, 0, "the kernel secludes a thread");
}

/// Ends this thread and nothing else.
fn leave() -> ! {
    loop {
        // SAFETY: the thread holds no lock, and what it has is leaked.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_computes_comes_to_the_end_and_who_asks_the_kernel_does_not() {
        assert!(without_system_calls(|| || assert_eq!(std::hint::black_box(1) + 1, 2)));
        let asks = || {
            // SAFETY: the call takes nothing, and always succeeds.
            assert!(unsafe { libc::syscall(libc::SYS_getppid) } > 0);
        };
        assert!(!without_system_calls(move || asks));
    }
}
