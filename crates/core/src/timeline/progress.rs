//! Progress: the completed value of a timeline and whether somebody waits, in one word.
//!
//! Both live in one word because "store completed, then look for waiters" on one side and "add a waiter, then look
//! at completed" on the other would need sequential consistency between two words, or a wake-up is lost. Here the
//! side that comes second always sees the other's change.
//!
//! ```text
//! complete(v):  word = max(word, v without the bit)      waiter:  lock; list it
//!               if the bit was set: lock; take the                word |= bit; if completed >= mine: unlist it
//!               due waiters; set the bit if any stay;             unlock; sleep
//!               look again; unlock; wake the taken
//! ```

use crate::sync::{AtomicU64, Ordering};

/// The lowest bit says that somebody waits, so values end at 2^63: at one a nanosecond, in 292 years.
const WAITING: u64 = 1;

/// A completed value that only grows, with the waiting bit.
#[derive(Debug)]
pub(crate) struct Progress(AtomicU64);

impl Progress {
    /// Progress of a timeline on which `completed` is complete.
    pub(crate) fn new(completed: u64) -> Self {
        Self(AtomicU64::new(completed << 1))
    }

    /// The completed value. What its work wrote is visible to the caller.
    #[inline]
    pub(crate) fn completed(&self) -> u64 {
        // Acquire: pairs with the release in `advance`.
        self.0.load(Ordering::Acquire) >> 1
    }

    /// Raises the completed value to `value`, never lowers it, and says whether waiters have to be looked for. Where
    /// it says so the bit is cleared: the caller owes them the look.
    #[inline]
    pub(crate) fn advance(&self, value: u64) -> bool {
        // Relaxed: only a first guess, which the exchange checks. A model guesses without a look: loom tries an exchange
        // against the last look alone, and would take this thread's own for it.
        let mut old = if cfg!(syncpoint_loom) { 0 } else { self.0.load(Ordering::Relaxed) };
        loop {
            if old >> 1 >= value {
                return false;
            }
            // Release: pairs with the acquire in `completed` and `announce`; the work is visible with its value.
            // Acquire: pairs with the release in `announce`; the listed waiter is visible with its bit.
            match self.0.compare_exchange_weak(old, value << 1, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return old & WAITING != 0,
                Err(now) => old = now,
            }
        }
    }

    /// Sets the waiting bit and gives the completed value of that moment: whoever raises it further sees what was written
    /// before. A waiter calls it under the lock of the waiters, after it is listed; without one the bit costs a look.
    pub(crate) fn announce(&self) -> u64 {
        // Release and acquire: pair with the exchange in `advance`, in whichever order the two come.
        self.0.fetch_or(WAITING, Ordering::AcqRel) >> 1
    }
}
