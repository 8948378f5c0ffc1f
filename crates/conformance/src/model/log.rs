//! The log: which work began and ended, in the order in which it did.

use std::sync::{Arc, Mutex, PoisonError};

/// Marks in the order in which they were made, by any thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Mark>>>);

/// What happened, by the number of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its work began, or the host is about to open its gate.
    Begin(usize),
    /// Its work has ended.
    End(usize),
}

impl Log {
    pub(super) fn mark(&self, mark: Mark) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(mark);
    }

    pub(super) fn marks(&self) -> Vec<Mark> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Work that begins, does this, and ends.
    pub(super) fn during<T>(&self, number: usize, act: impl FnOnce() -> T) -> T {
        self.mark(Mark::Begin(number));
        let outcome = act();
        self.mark(Mark::End(number));
        outcome
    }

    /// Work that begins, takes a moment, and ends.
    pub(super) fn work(&self, number: usize, length: u8) {
        self.during(number, || {
            for _ in 0..u32::from(length) * 8 {
                std::hint::spin_loop();
            }
        });
    }
}
