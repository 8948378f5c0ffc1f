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
        stream
    }

    /// Takes the older half, or the only one. Under the lock, whatever the length says: who is about to sleep must see
    /// what was put there before its owner looked for sleepers.
    pub(super) fn take_half(&self) -> VecDeque<Arc<S>> {
        let mut streams = lock(&self.streams);
        let half = streams.len().div_ceil(2);
        let later = streams.split_off(half);
        let taken = std::mem::replace(&mut *streams, later);
        self.note(&streams);
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
