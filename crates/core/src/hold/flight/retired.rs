//! Retired: what others keep for work that has failed, until nothing of that runs any more.

use super::{Flight, Kept};

impl Flight {
    /// Keeps what work up to `value` may use, where nothing more of that begins. Gives the last value that has begun.
    pub(in super::super) fn retire(&mut self, value: u64, kept: Kept) -> u64 {
        let begun = value.min(self.submitted.max(self.running.unwrap_or(0)));
        self.retired.push((begun, kept));
        begun
    }

    /// Leaves it to whoever pumps.
    pub(in super::super) fn leave(&mut self, value: u64, kept: Kept) {
        self.left.push((value, kept));
    }

    pub(in super::super) fn has_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Keeps what was left. Gives the last value that has begun, of those that work on it.
    pub(in super::super) fn retire_left(&mut self) -> u64 {
        let left = std::mem::take(&mut self.left);
        left.into_iter().map(|(value, kept)| self.retire(value, kept)).max().unwrap_or(0)
    }

    /// What was kept for work that is over, to be dropped outside the lock.
    pub(in super::super) fn take_retired(&mut self) -> Vec<Kept> {
        if self.retired.is_empty() {
            return Vec::new();
        }
        let retired = std::mem::take(&mut self.retired);
        let (over, kept): (Vec<_>, _) =
            retired.into_iter().partition(|(value, _)| self.is_over(*value));
        self.retired = kept;
        over.into_iter().map(|(_, kept)| kept).collect()
    }

    /// Whether nothing up to `value` runs any more, of what has begun, although it may have failed.
    fn is_over(&self, value: u64) -> bool {
        let is_at_work = self.running.is_some_and(|running| running <= value);
        !is_at_work && (self.lost.is_some() || self.reached >= value.min(self.submitted))
    }
}
