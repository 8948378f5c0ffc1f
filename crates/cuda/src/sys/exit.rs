//! The end of the process, as the driver meets it: threads of ours leave the driver before it takes itself down.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many threads of ours are inside the driver, and whether the process comes to its end: one word, so that either a
/// thread sees the end or the end sees the thread.
static INSIDE: AtomicU64 = AtomicU64::new(0);

/// The process comes to its end.
const ENDING: u64 = 1 << 63;

/// How long the end waits for them: much longer than any call that does not block.
const PATIENCE: Duration = Duration::from_millis(100);

/// A thread of ours is inside the driver, until this is dropped.
#[derive(Debug)]
pub(crate) struct Inside(());

impl Inside {
    /// Enters, unless the process comes to its end: then the driver may be gone.
    pub(crate) fn enter() -> Option<Self> {
        // Relaxed: nothing is read that the end wrote before.
        let before = INSIDE.fetch_add(1, Ordering::Relaxed);
        let inside = Self(());
        (before & ENDING == 0).then_some(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Release: pairs with the loads in `end`.
        INSIDE.fetch_sub(1, Ordering::Release);
    }
}

/// From now on the end of the process waits for threads of ours that are inside the driver. Called after the driver has
/// begun, because handlers run in the reverse order of their registration.
pub(crate) fn watch_exit() {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    // Relaxed: two handlers do no harm.
    if !WATCHED.swap(true, Ordering::Relaxed) {
        // SAFETY: the handler touches atomics and sleeps. Where there is no room for it the driver may end under a
        // thread of ours, which nobody can be told here.
        unsafe { libc::atexit(end) };
    }
}

extern "C" fn end() {
    // Acquire: pairs with the drop, so that what the threads did in the driver is done.
    let mut left = INSIDE.fetch_or(ENDING, Ordering::Acquire) & !ENDING;
    let begin = Instant::now();
    while left > 0 && begin.elapsed() < PATIENCE {
        thread::yield_now();
        // Acquire: as above.
        left = INSIDE.load(Ordering::Acquire) & !ENDING;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_inside_until_it_leaves() {
        let inside = Inside::enter();
        assert!(inside.is_some());
        // Relaxed: a count of this thread's own.
        assert!(INSIDE.load(Ordering::Relaxed) >= 1);
        drop(inside);
    }
}
