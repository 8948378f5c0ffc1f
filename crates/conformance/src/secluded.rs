//! Seclusion: a thread gives up system calls, all of them or those that make threads, and code runs without.

#![expect(unsafe_code, reason = "a thread gives up its system calls by a call of C")]

use std::io;
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

/// From now on this thread makes no thread and no process: the kernel says that there is no room. What it made lives on.
///
/// # Panics
/// The kernel knows no such filters.
pub fn refuse_new_threads() {
    let (refuse, allow) = (libc::SECCOMP_RET_ERRNO | EAGAIN, libc::SECCOMP_RET_ALLOW);
    let mut filter = [
        // The number of the call, which comes first in what the filter sees.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 2, number(libc::SYS_clone)),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, number(libc::SYS_clone3)),
        step(libc::BPF_RET | libc::BPF_K, 0, allow),
        step(libc::BPF_RET | libc::BPF_K, 0, refuse),
    ];
    let program = libc::sock_fprog { len: 5, filter: filter.as_mut_ptr() };
    // SAFETY: the call takes numbers, and is about this thread and its children alone.
    let bound = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(bound, 0, "{}", io::Error::last_os_error());
    // SAFETY: the program and its five steps live until the call returns.
    let bound =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(bound, 0, "the kernel filters calls: {}", io::Error::last_os_error());
}

/// Resource temporarily unavailable, as a filter gives it.
const EAGAIN: u32 = libc::EAGAIN.unsigned_abs();

/// A step of a filter, which goes on so many steps further where what it compares is equal.
fn step(code: u32, further: u8, operand: u32) -> libc::sock_filter {
    let code = u16::try_from(code).unwrap_or_else(|_| unreachable!("codes are short"));
    libc::sock_filter { code, jt: further, jf: 0, k: operand }
}

fn number(call: libc::c_long) -> u32 {
    u32::try_from(call).unwrap_or_else(|_| unreachable!("calls are counted from zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_makes_none_does_all_else() {
        let made = thread::spawn(|| {
            refuse_new_threads();
            drop(vec![1_u8; 1 << 20]);
            thread::Builder::new().spawn(|| {}).map(drop)
        });
        let refused = made.join().expect("it does not panic").expect_err("no room for a thread");
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        thread::spawn(|| {}).join().expect("others make threads");
    }

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
