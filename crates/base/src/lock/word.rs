//! The word of a lock: who has it, and whether somebody may sleep for it.
//!
//! ```text
//! take:    FREE -> TAKEN, and it is ours; otherwise, after a few looks:
//!          until the exchange of AWAITED finds FREE: sleep while the word is AWAITED
//! let go:  the exchange of FREE; where it finds AWAITED, wake one
//! ```
//!
//! Who comes out of a sleep leaves AWAITED, although nobody else may sleep: it cannot know, and the price is one wake too
//! many (after U. Drepper, *Futexes are tricky*).

use super::sleepers::{AtomicU32, Ordering, Sleepers};

/// Nobody has the lock.
const FREE: u32 = 0;
/// Somebody has it, and nobody sleeps for it.
const TAKEN: u32 = 1;
/// Somebody has it, and somebody may sleep for it.
pub(super) const AWAITED: u32 = 2;

/// How often one looks before one sleeps: mostly what is done under a lock takes less than a sleep and a wake. A submission
/// under the order lock of a stream may take long, where the driver's queue is full: who wants the lock meanwhile sleeps. As
/// many looks as the standard library's lock takes.
const LOOKS: u32 = if cfg!(syncpoint_loom) { 0 } else { 100 };

/// The word, and where those sleep who wait for it.
#[derive(Default)]
pub(super) struct Word {
    word: AtomicU32,
    sleepers: Sleepers,
}

impl Word {
    #[inline]
    pub(super) fn take(&self) {
        // Acquire: pairs with the release in `let_go`, so that what was done under the lock before is seen. Relaxed: one
        // that fails reads nothing else.
        let taken = self.word.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            self.take_from_another();
        }
    }

    #[cold]
    fn take_from_another(&self) {
        // Who sees it free may take it as if nobody slept: one that does is woken by whoever woke it from AWAITED.
        if self.look() == FREE {
            // Acquire, relaxed: as in `take`.
            let taken =
                self.word.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed);
            if taken.is_ok() {
                return;
            }
        }
        // Acquire: as in `take`.
        while self.word.swap(AWAITED, Ordering::Acquire) != FREE {
            self.sleepers.sleep_while(&self.word, AWAITED);
        }
    }

    /// Looks while it is taken and nobody sleeps. Gives what was seen last.
    fn look(&self) -> u32 {
        let mut looks = LOOKS;
        loop {
            // Relaxed: a guess, which the exchange checks.
            let seen = self.word.load(Ordering::Relaxed);
            if seen != TAKEN || looks == 0 {
                return seen;
            }
            std::hint::spin_loop();
            looks -= 1;
        }
    }

    #[inline]
    pub(super) fn let_go(&self) {
        // Release: pairs with the acquire in `take`.
        if self.word.swap(FREE, Ordering::Release) == AWAITED {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.sleepers.wake_one(&self.word);
    }

    /// Whether somebody may sleep for it.
    #[cfg(all(test, not(syncpoint_loom)))]
    pub(super) fn is_awaited(&self) -> bool {
        // Relaxed: a look of a test.
        self.word.load(Ordering::Relaxed) == AWAITED
    }

    /// Lets go of it and wakes nobody: a mistake that the model must catch.
    #[cfg(all(test, syncpoint_loom))]
    pub(super) fn let_go_in_silence(&self) {
        self.word.swap(FREE, Ordering::Release);
    }

    /// Lets go of it without what was written under it: a mistake that the model must catch.
    #[cfg(all(test, syncpoint_loom))]
    pub(super) fn let_go_unseen(&self) {
        if self.word.swap(FREE, Ordering::Relaxed) == AWAITED {
            self.wake();
        }
    }
}
