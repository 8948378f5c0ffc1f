//! A tray: the streams that a worker has set free and not yet served, which others may take.
//!
//! A worker that is about to run a function of the user's strands nothing: whoever has nothing to do takes from its
//! tray. So the streams need not go through the run queue, whose one lock all workers would take twice for each.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// The tray of one worker.
pub(super) struct Tray<S: ?Sized> {
    /// Taken under the lock of the crew or under none; a leaf.
    streams: Mutex<VecDeque<Arc<S>>>,
    length: AtomicUsize,
}

impl<S: ?Sized> Tray<S> {
    /// Puts a stream at the end.
    pub(super) fn put(&self, stream: Arc<S>) {
        let mut streams = lock(&self.streams);
        streams.push_back(stream);
        self.note(&streams);
    }

    /// Takes the stream at the front. The worker's own: what it has put there it sees without the lock.
    #[inline]
    pub(super) fn take(&self) -> Option<Arc<S>> {
        if self.len() == 0 {
            return None;
        }
        let mut streams = lock(&self.streams);
        let stream = streams.pop_front();
        self.note(&streams);
        give_back(&mut streams);
        stream
    }

    /// Takes the older half, or the only one. Under the lock, whatever the length says: who is about to sleep must see
    /// what was put there before its owner looked for sleepers.
    pub(super) fn take_half(&self) -> VecDeque<Arc<S>> {
        let mut streams = lock(&self.streams);
        let half = streams.len().div_ceil(2);
        let taken = streams.drain(..half).collect();
        self.note(&streams);
        give_back(&mut streams);
        taken
    }

    /// How many streams lie there.
    #[inline]
    pub(super) fn len(&self) -> usize {
        // Relaxed: its owner sees its own writes, others a hint.
        self.length.load(Ordering::Relaxed)
    }

    fn note(&self, streams: &VecDeque<Arc<S>>) {
        // Relaxed: as in `len`.
        self.length.store(streams.len(), Ordering::Relaxed);
    }
}

/// A tray that is empty keeps no more room than this: what a crowd needed is the crowd's.
const KEPT: usize = 64;

fn give_back<S: ?Sized>(streams: &mut VecDeque<Arc<S>>) {
    if streams.is_empty() && streams.capacity() > KEPT {
        *streams = VecDeque::new();
    }
}

impl<S: ?Sized> Default for Tray<S> {
    fn default() -> Self {
        Self { streams: Mutex::default(), length: AtomicUsize::new(0) }
    }
}

impl<S: ?Sized> fmt::Debug for Tray<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tray({} streams)", self.len())
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    fn room(tray: &Tray<u32>) -> usize {
        lock(&tray.streams).capacity()
    }

    #[test]
    fn half_of_nothing_takes_no_room_and_half_of_some_leaves_it() {
        let tray = Tray::default();
        (0..5).for_each(|number| tray.put(Arc::new(number)));
        let before = room(&tray);
        for expected in [vec![0, 1, 2], vec![3], vec![4], vec![]] {
            let taken: Vec<u32> = tray.take_half().iter().map(|number| **number).collect();
            assert_eq!((taken, room(&tray)), (expected, before));
        }
    }

    #[test]
    fn a_tray_that_a_crowd_has_left_is_small() {
        let [tray, halved] = [Tray::default(), Tray::default()];
        for number in 0..1000 {
            tray.put(Arc::new(number));
            halved.put(Arc::new(number));
        }
        assert_eq!(std::iter::from_fn(|| tray.take()).count(), 1000);
        while !halved.take_half().is_empty() {}
        assert!(room(&tray) <= KEPT && room(&halved) <= KEPT);
    }
}
