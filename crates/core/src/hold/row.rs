//! A row of entries with values: what a stream has been given and has not passed.
//!
//! The value of an entry is its place in the row, counted from the stream's beginning, so value and place cannot
//! disagree. Lives under the stream's order lock.

use std::collections::VecDeque;

/// Entries in the order of their values.
#[derive(Debug)]
pub(super) struct Row<E> {
    queue: VecDeque<E>,
    /// The value before that of the front of the queue.
    passed: u64,
}

/// A buffer larger than this is given back when the row is empty: a hundred thousand streams keep at most this many
/// entries of memory each.
const KEPT: usize = 4;

impl<E> Row<E> {
    /// The latest value.
    #[inline]
    pub(super) fn enqueued(&self) -> u64 {
        self.passed + self.queue.len() as u64
    }

    /// The latest value that was passed.
    #[inline]
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// How many entries are not passed.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether everything is passed.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Puts an entry at the end and gives its value.
    #[inline]
    pub(super) fn push(&mut self, entry: E) -> u64 {
        self.queue.push_back(entry);
        self.enqueued()
    }

    /// The value of the entry at the front, which the owner is at.
    #[inline]
    pub(super) fn at(&self) -> u64 {
        self.passed + 1
    }

    /// Takes the entry at the front: the owner has begun it.
    #[inline]
    pub(super) fn pass(&mut self) -> Option<E> {
        let entry = self.queue.pop_front();
        self.passed += u64::from(entry.is_some());
        entry
    }

    /// Takes a value that passes at once, on a row where everything is passed.
    #[inline]
    pub(super) fn skip(&mut self) -> u64 {
        debug_assert!(self.is_empty(), "a value may not overtake those before it");
        self.passed += 1;
        self.passed
    }

    /// Puts back the entry that was passed last: it could not be begun after all.
    pub(super) fn put_back(&mut self, entry: E) {
        self.queue.push_front(entry);
        self.passed -= 1;
    }

    /// Takes everything: it will never run. To be dropped outside the lock.
    pub(super) fn abandon(&mut self) -> VecDeque<E> {
        self.passed = self.enqueued();
        std::mem::take(&mut self.queue)
    }

    /// Gives back memory that a burst left behind, once everything is passed.
    #[inline]
    pub(super) fn shrink(&mut self) {
        if self.queue.is_empty() && self.queue.capacity() > KEPT {
            self.queue = VecDeque::new();
        }
    }
}

impl<E> Default for Row<E> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), passed: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_an_entry_is_its_place() {
        let mut row = Row::default();
        assert_eq!((row.push('a'), row.push('b')), (1, 2));
        assert_eq!((row.at(), row.pass()), (1, Some('a')));
        assert_eq!((row.at(), row.enqueued(), row.len()), (2, 2, 1));
        row.put_back('a');
        assert_eq!((row.at(), row.pass(), row.pass(), row.pass()), (1, Some('a'), Some('b'), None));
        assert_eq!((row.skip(), row.push('c')), (3, 4));
    }

    #[test]
    fn abandoned_entries_keep_their_values() {
        let mut row = Row::default();
        row.push('a');
        row.push('b');
        assert_eq!(row.abandon(), ['a', 'b']);
        assert_eq!((row.passed(), row.enqueued(), row.push('c')), (2, 2, 3));
    }

    #[test]
    fn an_empty_row_gives_back_what_a_burst_left() {
        let mut row = Row::default();
        for entry in 0..1000 {
            row.push(entry);
        }
        while row.pass().is_some() {}
        row.shrink();
        assert_eq!(row.queue.capacity(), 0);
    }
}
