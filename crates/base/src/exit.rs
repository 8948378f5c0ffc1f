//! The end of the process: from then on nothing is begun any more.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The mark of the thread that runs the exit handlers, 0 before.
static EXITING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// A thing of each thread's own, whose address tells threads apart. Needs no destructor, so it is there to the end.
    static HERE: u8 = const { 0 };
}

/// Whether the process exits. False for ever unless [`watch_exit`] was called.
#[inline]
pub fn is_exiting() -> bool {
    // Relaxed: whoever misses it begins one thing more, as if it had come a moment earlier.
    EXITING.load(Ordering::Relaxed) != 0
}

/// Whether the process exits and this is the thread that brings it to its end: it must not wait for others, who begin
/// nothing any more.
#[inline]
pub fn is_exiting_here() -> bool {
    // Relaxed: a thread sees what it has written itself.
    let exiting = EXITING.load(Ordering::Relaxed);
    exiting != 0 && exiting == here()
}

fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// From now on [`is_exiting`] tells of the exit of the process: of a return from `main`, and of `exit` called anywhere.
/// Handlers run in the reverse order of their registration, so what was registered before is called after this one.
/// Costs nothing when it is called again.
pub fn watch_exit() {
    // Not a `Once`: a fork in the middle of one leaves the child a `Once` that is never over. Two handlers do no harm.
    static WATCHED: AtomicBool = AtomicBool::new(false);
    // Relaxed: whoever comes second needs nothing of the first.
    if !WATCHED.load(Ordering::Relaxed) {
        register();
        WATCHED.store(true, Ordering::Relaxed);
    }
}

/// Ends this process, a child of a fork in a process of several threads, at once and with success. No exit handler runs:
/// they take locks of the C library, which a thread of the parent that had just begun may have held at the fork.
#[cfg(unix)]
#[expect(unsafe_code, reason = "a call of C")]
pub fn end_child() -> ! {
    // SAFETY: the call takes a number and does not return.
    unsafe { libc::_exit(0) }
}

/// Ends this process. Without fork there is no child.
#[cfg(not(unix))]
pub fn end_child() -> ! {
    std::process::abort()
}

extern "C" fn begin() {
    // Relaxed: as in `is_exiting`.
    EXITING.store(here(), Ordering::Relaxed);
}

#[cfg(any(unix, windows))]
#[expect(unsafe_code, reason = "a call of C")]
fn register() {
    // SAFETY: the handler stores to an atomic and nothing else. Where there is no room for it work may be begun while
    // the process exits, which nobody can be told here.
    unsafe { libc::atexit(begin) };
}

#[cfg(not(any(unix, windows)))]
fn register() {
    let _never_called = begin;
}
