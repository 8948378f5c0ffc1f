//! A batch: what the owner of a stream holds of it.

use std::collections::VecDeque;

use syncpoint_core::Timeline;
use syncpoint_core::contract::{Edge, discard};

use crate::order::Entry;

/// The values from `at` up to `end`, and of these the items that are no waits.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) items: VecDeque<Entry>,
    /// The value that the owner is at.
    pub(crate) at: u64,
    /// The first value that it does not hold.
    pub(crate) end: u64,
    /// The value of the next wait, as the owner saw it under the lock; beyond the end, if there is none before.
    pub(crate) wait: u64,
}

/// What is left of waits that were passed under the order lock, to be dropped outside: a wait may hold the last name of a
/// timeline, and with it errors of the user's. The first lies in place: most are passed alone.
#[derive(Debug)]
#[must_use = "their values are to be completed"]
pub(crate) struct Passed {
    first: Timeline,
    more: Vec<Timeline>,
}

impl Batch {
    /// Whether everything is passed.
    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// Whether the owner is at a wait.
    pub(crate) fn is_at_wait(&self) -> bool {
        self.at == self.wait
    }

    /// The item that the owner is at, if it is no wait.
    #[inline]
    pub(crate) fn item(&mut self) -> Option<&mut Entry> {
        if self.is_at_wait() { None } else { self.items.front_mut() }
    }
}

impl Passed {
    /// The first.
    pub(crate) fn new(first: Edge) -> Self {
        Self { first: first.point.into_timeline(), more: Vec::new() }
    }

    /// Adds the next.
    pub(crate) fn add(&mut self, edge: Edge) {
        self.more.push(edge.point.into_timeline());
    }

    /// How many they are.
    pub(crate) fn count(&self) -> u64 {
        self.more.len() as u64 + 1
    }

    /// Drops them. Outside every lock.
    pub(crate) fn discard(self) {
        discard(self.first);
        self.more.into_iter().for_each(discard);
    }
}
