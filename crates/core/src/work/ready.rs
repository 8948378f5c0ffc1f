//! The run queue: which streams are ready, and whose turn is next.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Serve;
use crate::capabilities::PriorityRange;

/// How many levels of urgency there are: as many as PyTorch has priorities on CUDA.
pub const LEVELS: usize = 4;

/// The priorities of streams whose device has none of its own: as many as there are levels. Of the streams whose host work can
/// begin, the more urgent begins first; the device takes what comes.
#[inline]
pub fn priorities() -> PriorityRange {
    let greatest = i32::try_from(LEVELS).map_or(0, |levels| 1 - levels);
    PriorityRange::new(0, greatest)
}

/// The level of a priority of that range.
#[inline]
pub fn level_of(priority: i32, range: PriorityRange) -> usize {
    usize::try_from(priority - range.greatest()).unwrap_or(0).min(LEVELS - 1)
}

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

    /// Whether a stream is ready that is more urgent than most.
    pub(super) fn has_urgent(&self) -> bool {
        self.most_urgent().is_some_and(is_urgent)
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

/// Whether a level is more urgent than the least, which most streams have.
pub(super) fn is_urgent(level: usize) -> bool {
    level < LEVELS - 1
}

impl<S: ?Sized> Default for Ready<S> {
    fn default() -> Self {
        Self { levels: Default::default(), length: 0, arrivals: 0, picks: 0 }
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;
    use crate::work::tests::Listed;

    fn push(ready: &mut Ready<Listed>, level: usize, number: u64) {
        ready.push(Listed::new(level, number));
    }

    /// The numbers of the next so many streams.
    fn pick(ready: &mut Ready<Listed>, count: usize) -> Vec<u64> {
        (0..count).map_while(|_| ready.pick()).map(|stream| stream.number).collect()
    }

    #[test]
    fn the_most_urgent_go_first_and_of_one_level_who_came_first() {
        let mut ready = Ready::default();
        for (level, number) in [(2, 0), (1, 1), (3, 2), (1, 3), (0, 4), (LEVELS + 7, 5)] {
            push(&mut ready, level, number);
        }
        assert_eq!(ready.len(), 6);
        assert_eq!(pick(&mut ready, 6), [4, 1, 3, 0, 2, 5]);
        assert_eq!((ready.len(), ready.pick().is_none()), (0, true));
    }

    #[test]
    fn every_sixty_first_pick_takes_who_has_waited_longest() {
        let mut ready = Ready::default();
        push(&mut ready, 3, 1000);
        push(&mut ready, 2, 2000);
        for number in 0..200 {
            push(&mut ready, 0, number);
        }
        let mut expected: Vec<u64> = (0..60).collect();
        expected.push(1000);
        expected.extend(60..120);
        expected.push(2000);
        expected.extend(120..125);
        assert_eq!(pick(&mut ready, 127), expected);
    }
}
