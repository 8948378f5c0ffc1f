//! Signals: what blocks in this process is interrupted, in all of its threads, and nothing else happens to them.

#![expect(unsafe_code, reason = "signals are calls of C")]

use std::fs;
use std::process;

/// A signal that the system sends to nobody.
const SIGNAL: libc::c_int = libc::SIGUSR1;

/// From now on, [`interrupt`] interrupts: a call that blocks ends with `EINTR` instead of going on by itself.
pub fn heed() {
    extern "C" fn nothing(_signal: libc::c_int) {}
    // SAFETY: all zeros is an action without flags, so that no call goes on by itself, and with an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(libc::c_int) = nothing;
    action.sa_sigaction = handler as libc::sighandler_t;
    // SAFETY: the handler touches nothing, and there is no room for the old action.
    let done = unsafe { libc::sigaction(SIGNAL, &raw const action, std::ptr::null_mut()) };
    assert_eq!(done, 0, "the signal is heeded");
}

/// Interrupts whatever each thread of this process is in. Gives how many there are.
pub fn interrupt() -> usize {
    let process = i64::from(process::id());
    let threads = fs::read_dir("/proc/self/task").expect("the threads are listed").flatten();
    let numbers = threads.filter_map(|thread| thread.file_name().to_str()?.parse::<i64>().ok());
    numbers
        .inspect(|thread| {
            // A thread may have ended meanwhile: then nobody gets it.
            // SAFETY: the call takes numbers.
            unsafe { libc::syscall(libc::SYS_tgkill, process, *thread, SIGNAL) };
        })
        .count()
}
