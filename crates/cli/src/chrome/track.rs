//! Which slice goes on which track: one track for each stream, and more where slices would overlap.

use std::time::Duration;

use crate::report::{Interval, Report};

/// When the run begins in the trace, in nanoseconds: viewers take a time of 0 for one that is missing.
const BEGIN: u64 = 1_000;

/// A row of the viewer.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) stream: usize,
    /// 0 for the stream's own track, then 1, 2 ... for what would overlap on it.
    pub(super) lane: usize,
    /// In the order of their starts; none begins before the one before it has ended.
    pub(super) slices: Vec<Slice>,
}

/// A step that ran, in nanoseconds of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) step: usize,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Slice {
    fn new(step: usize, run: Interval) -> Self {
        let nanos = |time: Duration| {
            u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).saturating_add(BEGIN)
        };
        Self { step, start: nanos(run.start), end: nanos(run.end) }
    }

    /// The last nanosecond that lies inside; of a slice of no length, its start.
    pub(super) fn last(self) -> u64 {
        self.start.max(self.end.saturating_sub(1))
    }
}

/// The tracks of a report, those of one stream together.
pub(super) fn tracks(report: &Report) -> Vec<Track> {
    let steps = report.steps_by_stream().into_iter().enumerate();
    steps.flat_map(|(stream, steps)| stream_tracks(stream, slices(report, &steps))).collect()
}

/// Each slice goes to the first track that is free by then. A stream without slices has an empty track.
fn stream_tracks(stream: usize, slices: Vec<Slice>) -> Vec<Track> {
    let mut tracks = vec![Track { stream, lane: 0, slices: Vec::new() }];
    for slice in slices {
        let free =
            |track: &&mut Track| track.slices.last().is_none_or(|last| last.end <= slice.start);
        if let Some(track) = tracks.iter_mut().find(free) {
            track.slices.push(slice);
        } else {
            tracks.push(Track { stream, lane: tracks.len(), slices: vec![slice] });
        }
    }
    tracks
}

/// The slices of some steps by start; of those that start together, the shorter first, so that one of no length does
/// not overlap the next.
fn slices(report: &Report, steps: &[usize]) -> Vec<Slice> {
    let slice = |&step: &usize| report.interval(step).map(|run| Slice::new(step, run));
    let mut slices: Vec<Slice> = steps.iter().filter_map(slice).collect();
    slices.sort_by_key(|slice| (slice.start, slice.end, slice.step));
    slices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn shape(report: &Report) -> Vec<(usize, usize, Vec<usize>)> {
        let steps = |track: &Track| track.slices.iter().map(|slice| slice.step).collect();
        tracks(report).iter().map(|track| (track.stream, track.lane, steps(track))).collect()
    }

    #[test]
    fn steps_back_to_back_share_a_track() {
        let report = sample::timed(&[(0, 0, 5, &[]), (0, 5, 9, &[]), (0, 5, 5, &[])]);
        assert_eq!(shape(&report), [(0, 0, vec![0, 2, 1])]);
    }

    #[test]
    fn overlapping_steps_go_to_tracks_of_their_own() {
        let report =
            sample::timed(&[(0, 0, 5, &[]), (0, 4, 9, &[]), (0, 6, 8, &[]), (1, 0, 1, &[])]);
        assert_eq!(shape(&report), [(0, 0, vec![0, 2]), (0, 1, vec![1]), (1, 0, vec![3])]);
    }

    #[test]
    fn a_stream_without_slices_keeps_its_track() {
        assert_eq!(shape(&sample::unrun(&[(0, &[])])), [(0, 0, vec![])]);
    }
}
