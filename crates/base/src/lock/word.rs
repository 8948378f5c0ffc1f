//! The word of a lock: who has it, and whether somebody may sleep for it.
//!
//! ```text
//! take:    sets TAKEN; where that was not set, it is ours; otherwise, after a few looks:
//!          until TAKEN was not set as both are: sleep while both are
//! let go:  clears TAKEN; where AWAITED is left: unless another has taken it meanwhile, who then does this as it lets
//!          go, clears AWAITED and wakes one
//! ```
//!
//! Who comes out of a sleep sets AWAITED, although nobody else may sleep: it cannot know, and the price is one wake too
//! many (after U. Drepper, *Futexes are tricky*).

use std::time::{Duration, Instant};

use super::sleepers::{AtomicU32, Ordering, Sleepers};

/// Nobody has the lock, and nobody sleeps for it.
const FREE: u32 = 0;
/// Somebody has it.
const TAKEN: u32 = 1;
/// Somebody may sleep for it.
const AWAITED: u32 = 2;

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
        if !self.set(TAKEN) {
            self.take_from_another();
        }
    }

    /// Sets TAKEN, with AWAITED or without. Says whether it is ours: one bit that is set and tested is one instruction.
    #[inline]
    fn set(&self, bits: u32) -> bool {
        // Acquire: pairs with the release in `let_go`, so that what was done under the lock before is seen.
        self.word.fetch_or(bits, Ordering::Acquire) & TAKEN == 0
    }

    #[cold]
    fn take_from_another(&self) {
        // Who sees it free may take it as if nobody slept: one that does has left AWAITED, or was woken.
        if self.look() & TAKEN == 0 && self.set(TAKEN) {
            return;
        }
        while !self.set(TAKEN | AWAITED) {
            self.sleepers.sleep_while(&self.word, TAKEN | AWAITED, None);
        }
    }

    /// Takes it, unless somebody has it.
    pub(super) fn try_take(&self) -> bool {
        self.set(TAKEN)
    }

    /// Takes it within this time. Who sleeps tries once more before it gives up: with that, a wake that it was given goes on
    /// to the next.
    pub(super) fn take_within(&self, longest: Duration) -> bool {
        if self.set(TAKEN) || (self.look() & TAKEN == 0 && self.set(TAKEN)) {
            return true;
        }
        let begun = Instant::now();
        while !self.set(TAKEN | AWAITED) {
            let left = longest.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return false;
            }
            self.sleepers.sleep_while(&self.word, TAKEN | AWAITED, Some(left));
        }
        true
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
        // Release: pairs with the acquire in `set`.
        if self.word.fetch_sub(TAKEN, Ordering::Release) != TAKEN {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        // Relaxed: whoever has taken it meanwhile saw what was let go of, and whoever is woken takes it anew.
        let left = self.word.compare_exchange(AWAITED, FREE, Ordering::Relaxed, Ordering::Relaxed);
        if left.is_ok() {
            self.sleepers.wake_one(&self.word);
        }
    }

    /// Whether somebody may sleep for it.
    #[cfg(all(test, not(syncpoint_loom)))]
    pub(super) fn is_awaited(&self) -> bool {
        // Relaxed: a look of a test.
        self.word.load(Ordering::Relaxed) & AWAITED != 0
    }

    /// Lets go of it and wakes nobody: a mistake that the model must catch.
    #[cfg(all(test, syncpoint_loom))]
    pub(super) fn let_go_in_silence(&self) {
        self.word.fetch_and(AWAITED, Ordering::Release);
    }

    /// Lets go of it without what was written under it: a mistake that the model must catch.
    #[cfg(all(test, syncpoint_loom))]
    pub(super) fn let_go_unseen(&self) {
        if self.word.fetch_sub(TAKEN, Ordering::Relaxed) != TAKEN {
            self.wake();
        }
    }
}
