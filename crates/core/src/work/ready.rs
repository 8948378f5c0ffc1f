//! The run queue: which streams are ready, and whose turn is next.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Serve;

/// How many levels of urgency there are: as many as PyTorch has priorities on CUDA.
pub const LEVELS: usize = 4;

/// Every so many picks the stream that has waited longest goes first whatever its level, so that the least urgent is
/// late and never starved. A prime, so that it meets no period of a program.
const ELDEST_EVERY: u64 = 61;

/// Ready streams: first in, first out on each level.
#[derive(Debug)]
pub(super) struct Ready<S: ?Sized> {
    levels: [VecDeque<Waiting<S>>; LEVELS],
    length: usize,
    arrivals: u64,
    picks: u64,
}

#[derive(Debug)]
struct Waiting<S: ?Sized> {
    arrival: u64,
    stream: Arc<S>,
}

impl<S: Serve + ?Sized> Ready<S> {
    /// Puts a stream at the end of its level.
    pub(super) fn push(&mut self, stream: Arc<S>) {
        let level = stream.level().min(LEVELS - 1);
        self.arrivals += 1;
        self.length += 1;
        self.levels[level].push_back(Waiting { arrival: self.arrivals, stream });
    }

    /// Takes the next stream.
    pub(super) fn pick(&mut self) -> Option<Arc<S>> {
        self.picks += 1;
        let level = if self.picks.is_multiple_of(ELDEST_EVERY) {
            self.eldest()
        } else {
            self.most_urgent()
        }?;
        let waiting = self.levels[level].pop_front()?;
        self.length -= 1;
        Some(waiting.stream)
    }

    /// How many streams are ready.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    fn most_urgent(&self) -> Option<usize> {
        self.levels.iter().position(|level| !level.is_empty())
    }

    fn eldest(&self) -> Option<usize> {
        let fronts = self.levels.iter().enumerate();
        let fronts = fronts.filter_map(|(index, level)| Some((level.front()?.arrival, index)));
        fronts.min().map(|(_arrival, index)| index)
    }
}

impl<S: ?Sized> Default for Ready<S> {
    fn default() -> Self {
        Self { levels: Default::default(), length: 0, arrivals: 0, picks: 0 }
    }
}
