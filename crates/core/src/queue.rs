//! A queue whose entries lie one behind the other: to add one asks for nothing but room.

/// Entries, the oldest first.
///
/// Those that were taken leave their places empty until the rest is moved to the front, which is done where there would be
/// no room otherwise: so each entry is moved twice at most on average.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// Empty but from `first` to `end`. All that there is room for, so that to add an entry is to fill a place.
    places: Vec<Option<T>>,
    first: usize,
    end: usize,
}

/// How many places there are at first.
const FEW: usize = 4;

impl<T> Queue<T> {
    /// Adds the latest.
    #[expect(
        clippy::inline_always,
        reason = "called, it costs twice as much: the entry is moved twice"
    )]
    #[inline(always)]
    pub(crate) fn push(&mut self, entry: T) {
        let Some(place) = self.places.get_mut(self.end) else { return self.push_with_room(entry) };
        *place = Some(entry);
        self.end += 1;
    }

    /// Makes room: the places of those that were taken, where they are the half at least; otherwise there are more.
    #[cold]
    fn push_with_room(&mut self, entry: T) {
        let left = self.end - self.first;
        if self.first > 0 && left * 2 <= self.places.len() {
            self.places.rotate_left(self.first);
        } else {
            self.places.drain(..self.first);
            self.places.resize_with((left * 2).max(FEW), || None);
        }
        (self.first, self.end) = (0, left);
        self.push(entry);
    }

    /// Takes the oldest.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let oldest = self.places.get_mut(self.first)?.take()?;
        self.first += 1;
        self.tidy();
        Some(oldest)
    }

    /// Takes the latest.
    pub(crate) fn pop_latest(&mut self) -> Option<T> {
        let latest = self.entries_mut().last_mut()?.take();
        self.end -= 1;
        self.tidy();
        latest
    }

    /// Where none is left all places are free.
    #[inline]
    fn tidy(&mut self) {
        if self.first == self.end {
            (self.first, self.end) = (0, 0);
        }
    }

    /// The oldest.
    #[inline]
    pub(crate) fn front(&self) -> Option<&T> {
        self.places.get(self.first).and_then(Option::as_ref)
    }

    /// The latest.
    #[inline]
    pub(crate) fn back(&self) -> Option<&T> {
        // Where there is none it ends at 0.
        self.places.get(self.end.wrapping_sub(1)).and_then(Option::as_ref)
    }

    /// The latest, to be changed.
    pub(crate) fn back_mut(&mut self) -> Option<&mut T> {
        self.entries_mut().last_mut().and_then(Option::as_mut)
    }

    /// All, the oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.from(0)
    }

    /// All behind the first `count`.
    pub(crate) fn from(&self, count: usize) -> impl DoubleEndedIterator<Item = &T> {
        self.entries()[count..].iter().flatten()
    }

    /// How many of the oldest are so, where none behind one that is not is.
    pub(crate) fn count_while(&self, is_so: impl Fn(&T) -> bool) -> usize {
        self.entries().partition_point(|place| place.as_ref().is_some_and(&is_so))
    }

    /// Takes all behind the first `count`.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let places: Vec<_> = self.entries_mut()[count..].iter_mut().map(Option::take).collect();
        self.end = self.first + count;
        self.tidy();
        Self { first: 0, end: places.len(), places }
    }

    /// Gives back the memory of more than so many, where none is left.
    pub(crate) fn shrink(&mut self, kept: usize) {
        if self.first == self.end && self.places.len() > kept {
            *self = Self::default();
        }
    }

    #[inline]
    fn entries(&self) -> &[Option<T>] {
        &self.places[self.first..self.end]
    }

    #[inline]
    fn entries_mut(&mut self) -> &mut [Option<T>] {
        &mut self.places[self.first..self.end]
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { places: Vec::new(), first: 0, end: 0 }
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    fn assert_same(queue: &Queue<u64>, plain: &VecDeque<u64>) {
        assert!(queue.iter().eq(plain.iter()), "{queue:?} {plain:?}");
        assert_eq!((queue.front(), queue.back()), (plain.front(), plain.back()));
        let few = plain.len().min(3);
        assert!(queue.from(plain.len() - few).eq(plain.range(plain.len() - few..)));
    }

    #[test]
    fn it_is_a_queue_whatever_is_added_and_taken() {
        let (mut queue, mut plain, mut seed) = (Queue::default(), VecDeque::new(), 7_u64);
        for entry in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            match seed >> 60 {
                0..7 => {
                    queue.push(entry);
                    plain.push_back(entry);
                }
                7..13 => assert_eq!(queue.pop(), plain.pop_front()),
                13 => assert_eq!(queue.pop_latest(), plain.pop_back()),
                14 => {
                    let oldest = plain.front().copied().unwrap_or(0);
                    let count = queue.count_while(|entry| *entry < oldest + 40);
                    assert_eq!(count, plain.partition_point(|entry| *entry < oldest + 40));
                    let (behind, of_plain) = (queue.split_off(count), plain.split_off(count));
                    assert_same(&behind, &of_plain);
                }
                _ => queue.shrink(4),
            }
            assert_same(&queue, &plain);
        }
    }

    #[test]
    fn one_that_is_never_empty_takes_no_more_room_than_twice_its_entries() {
        let mut queue = Queue::default();
        (0..5).for_each(|entry| queue.push(entry));
        for entry in 5..10_000 {
            queue.push(entry);
            assert_eq!(queue.pop(), Some(entry - 5));
        }
        assert!(queue.places.len() <= 16, "{}", queue.places.len());
    }

    #[test]
    fn an_empty_one_gives_back_what_a_burst_left() {
        let mut queue = Queue::default();
        (0..1000).for_each(|entry| queue.push(entry));
        while queue.pop().is_some() {}
        queue.shrink(4);
        assert_eq!(queue.places.capacity(), 0);
    }
}
