//! The places that a stream of others has of its driver's room: each is taken before it is used, and none is left over.

use crate::sync::{Mutex, lock};

/// The places of one stream.
#[derive(Debug, Default)]
pub(in crate::hold::tests) struct Places(Mutex<Counts>);

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::hold::tests) struct Counts {
    /// Of the item of now, until the order lock is released.
    pub(in crate::hold::tests) in_hand: u32,
    /// Of functions at work, for their marks.
    pub(in crate::hold::tests) kept: u32,
}

impl Places {
    pub(in crate::hold::tests) fn counts(&self) -> Counts {
        *lock(&self.0)
    }

    pub(super) fn take(&self) {
        let mut counts = lock(&self.0);
        assert_eq!(counts.in_hand, 0, "what an item before had in hand was not left");
        counts.in_hand = 1;
    }

    pub(super) fn leave(&self) {
        lock(&self.0).in_hand = 0;
    }

    pub(super) fn keep(&self) {
        let mut counts = lock(&self.0);
        assert_eq!(counts.in_hand, 1, "a function keeps what was taken for it");
        *counts = Counts { in_hand: 0, kept: counts.kept + 1 };
    }

    pub(super) fn use_kept(&self) {
        let mut counts = lock(&self.0);
        assert!(counts.kept > 0, "a mark uses what was kept for it");
        *counts = Counts { in_hand: 1, kept: counts.kept - 1 };
    }
}
