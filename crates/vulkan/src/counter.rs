//! A counter: what a semaphore of the device's was last seen at, and what it was last told to become.

use crate::sync::{AtomicU64, Ordering};

/// Both numbers of one semaphore, which starts at zero.
#[derive(Debug)]
pub(crate) struct Counter {
    /// What it was last seen at.
    seen: AtomicU64,
    /// What it was told to become. It is never seen beyond.
    promised: AtomicU64,
}

impl Counter {
    pub(crate) fn new() -> Self {
        Self { seen: AtomicU64::new(0), promised: AtomicU64::new(0) }
    }

    /// What it was last seen at.
    pub(crate) fn seen(&self) -> u64 {
        // Acquire: pairs with `note`, so that what the device wrote before is seen by who sees the value.
        self.seen.load(Ordering::Acquire)
    }

    /// What it was last told to become.
    pub(crate) fn promised(&self) -> u64 {
        // Acquire: pairs with `promise`. Who saw the device keep a promise sees the promise.
        self.promised.load(Ordering::Acquire)
    }

    /// Says what it will become, before the device is told. Called by the one stream that signals it, under its order
    /// lock.
    pub(crate) fn promise(&self, value: u64) {
        // Release: pairs with `promised`.
        self.promised.store(value, Ordering::Release);
    }

    /// Whether who asks for `value` is to hear that the device is at `come`: that is as far, or all that was promised. Behind
    /// that lie values that pass on the host.
    pub(crate) fn answers(&self, value: u64, come: u64) -> bool {
        come >= value.min(self.promised())
    }

    /// The device says that it is at `value`. `false`: nobody signalled that, and drivers say so of lost devices (seen: the
    /// largest number).
    #[must_use = "a device that says so is lost"]
    pub(crate) fn learn(&self, value: u64) -> bool {
        let is_promised = value <= self.promised();
        if is_promised {
            self.note(value);
        }
        is_promised
    }

    /// It has come to `value`.
    pub(crate) fn note(&self, value: u64) {
        // Release: pairs with `seen`.
        self.seen.fetch_max(value, Ordering::Release);
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_asks_hears_of_what_has_come_and_of_the_end_of_all_that_was_promised() {
        let counter = Counter::new();
        counter.promise(5);
        let answers = |value| [3, 4, 5].map(|come| counter.answers(value, come));
        assert_eq!(answers(4), [false, true, true]);
        assert_eq!(answers(5), [false, false, true]);
        assert_eq!(answers(9), [false, false, true], "what is behind it passes on the host");
    }
}
