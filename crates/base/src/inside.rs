//! The end of the process, as a driver meets it: threads of ours leave the driver before it takes itself down.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Process;

/// How many threads of ours are inside a driver, and whether the process comes to its end: one word, so that either a
/// thread sees the end or the end sees the thread.
static INSIDE: AtomicU64 = AtomicU64::new(0);

/// The process whose threads are counted. A child of a fork has none of them, and its count says nothing.
static DRIVEN: OnceLock<Process> = OnceLock::new();

/// The process comes to its end.
const ENDING: u64 = 1 << 63;

/// How long the end waits for them: much longer than any call that does not block.
const PATIENCE: Duration = Duration::from_millis(100);

thread_local! {
    /// How many times this thread is inside.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// A thread of ours is inside a driver, until this is dropped.
#[derive(Debug)]
#[must_use = "the thread leaves as this is dropped"]
pub struct Inside {
    /// It is left on the thread that has entered.
    _here: PhantomData<*const ()>,
}

impl Inside {
    /// Enters, unless the process comes to its end: then the driver may be gone. Who is inside already may go on.
    #[inline]
    pub fn enter() -> Option<Self> {
        // Relaxed: nothing is read that the end wrote before.
        let before = INSIDE.fetch_add(1, Ordering::Relaxed);
        let depth = DEPTH.get();
        DEPTH.set(depth + 1);
        let inside = Self { _here: PhantomData };
        (before & ENDING == 0 || depth > 0).then_some(inside)
    }

    /// Enters, on a thread of ours; once the process comes to its end it rests here to the end of that, and begins nothing
    /// more.
    #[inline]
    pub fn enter_or_rest() -> Self {
        Self::enter().unwrap_or_else(|| rest())
    }
}

#[cold]
fn rest() -> ! {
    loop {
        thread::park();
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        // Release: pairs with the loads in `end`.
        INSIDE.fetch_sub(1, Ordering::Release);
    }
}

/// From now on the end of the process waits for threads of ours that are inside a driver, a moment at most. Called each
/// time that a driver has begun, because handlers run in the reverse order of their registration, and a driver registers
/// its own as it begins.
pub fn watch_driver() {
    // The first stays: it is the same process.
    let _the_same = DRIVEN.set(Process::current());
    register();
}

#[cfg(any(unix, windows))]
#[expect(unsafe_code, reason = "a call of C")]
fn register() {
    // SAFETY: the handler touches atomics and yields. Where there is no room for it a driver may end under a thread of
    // ours, which nobody can be told here.
    unsafe { libc::atexit(end) };
}

#[cfg(not(any(unix, windows)))]
fn register() {
    let _never_called = end;
}

extern "C" fn end() {
    // Acquire: pairs with the drop, so that what the threads did in the driver is done.
    let before = INSIDE.fetch_or(ENDING, Ordering::Acquire);
    let is_driven = DRIVEN.get().is_some_and(|process| process.is_current());
    if before & ENDING != 0 || !is_driven {
        // One handler has waited already, or nobody is there to wait for.
        return;
    }
    let begin = Instant::now();
    while are_others_inside() && begin.elapsed() < PATIENCE {
        thread::yield_now();
    }
}

/// Whether other threads than this are inside: one that exits from within a driver does not wait for itself.
fn are_others_inside() -> bool {
    // Acquire: pairs with the drop, as in `end`.
    INSIDE.load(Ordering::Acquire) & !ENDING > u64::from(DEPTH.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_inside_until_it_leaves_and_others_wait_for_it() {
        let inside = Inside::enter();
        assert!(inside.is_some());
        // Relaxed: a count of this thread's own.
        assert!(INSIDE.load(Ordering::Relaxed) >= 1);
        assert_eq!(DEPTH.get(), 1);
        assert!(!are_others_inside(), "a thread does not wait for itself");
        let seen_by_another = thread::spawn(are_others_inside).join();
        assert!(seen_by_another.is_ok_and(|are_inside| are_inside));
        drop(inside);
        assert_eq!(DEPTH.get(), 0);
    }
}
