//! The run queue: which streams are ready, and whose turn is next.

use std::collections::VecDeque;
use std::sync::Arc;

use syncpoint_core::PriorityRange;

use crate::stream::HostStream;

/// The priorities of host streams: four levels, as PyTorch has on CUDA.
pub(crate) fn priorities() -> PriorityRange {
    PriorityRange::new(0, -3)
}

/// One level for each priority.
const LEVELS: usize = 4;

/// Every so many picks the stream that has waited longest goes first whatever its priority, so that the least urgent
/// is late and never starved. A prime, so that it meets no period of a program.
const ELDEST_EVERY: u64 = 61;

/// Ready streams: first in, first out on each level of priority.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    levels: [VecDeque<Waiting>; LEVELS],
    length: usize,
    arrivals: u64,
    picks: u64,
}

#[derive(Debug)]
struct Waiting {
    arrival: u64,
    stream: Arc<HostStream>,
}

impl Ready {
    /// Puts a stream at the end of its level.
    pub(crate) fn push(&mut self, stream: Arc<HostStream>) {
        let level = level(stream.priority);
        self.arrivals += 1;
        self.length += 1;
        self.levels[level].push_back(Waiting { arrival: self.arrivals, stream });
    }

    /// Takes the next stream.
    pub(crate) fn pick(&mut self) -> Option<Arc<HostStream>> {
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
    pub(crate) fn len(&self) -> usize {
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

/// The level of a priority, the most urgent first.
fn level(priority: i32) -> usize {
    let level = priorities().clamp(priority) - priorities().greatest();
    usize::try_from(level).unwrap_or(LEVELS - 1)
}
