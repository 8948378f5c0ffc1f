//! Arrows from the step that records a point to the step that waits for it.

use super::track::{Slice, Track};
use crate::{graph::Why, report::Report};

/// One end of an arrow. Each lies inside the slice that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End<'r> {
    /// When, in nanoseconds of the trace.
    pub(super) time: u64,
    /// The number of the arrow, which its two ends share.
    pub(super) arrow: u64,
    /// The name of the point.
    pub(super) point: &'r str,
    /// Whether the arrow points to here.
    pub(super) arrives: bool,
}

/// The arrows of a report.
#[derive(Debug, Default)]
pub(super) struct Arrows<'r> {
    /// For each step the ends inside its slice, by time.
    pub(super) ends: Vec<Vec<End<'r>>>,
    /// For each step the points that it waited for, but that by the clock were recorded after it had ended: no arrow
    /// can run backwards in time.
    pub(super) reversed: Vec<Vec<&'r str>>,
}

impl<'r> Arrows<'r> {
    pub(super) fn find(report: &'r Report, tracks: &[Track]) -> Self {
        let steps = report.steps.len();
        let mut slices = vec![None; steps];
        for slice in tracks.iter().flat_map(|track| &track.slices) {
            slices[slice.step] = Some(*slice);
        }
        let mut arrows = Self { ends: vec![Vec::new(); steps], reversed: vec![Vec::new(); steps] };
        let mut number = 0;
        for (step, edge) in report
            .steps
            .iter()
            .enumerate()
            .flat_map(|(step, data)| data.after.iter().map(move |edge| (step, edge)))
        {
            let Why::Wait(point) = &edge.why else { continue };
            let from = slices.get(edge.from).copied().flatten();
            let (Some(from), Some(to)) = (from, slices[step]) else { continue };
            number += 1;
            arrows.add(number, point, from, to);
        }
        for ends in &mut arrows.ends {
            ends.sort_by_key(|end| end.time);
        }
        arrows
    }

    fn add(&mut self, arrow: u64, point: &'r str, from: Slice, to: Slice) {
        let Some((start, end)) = times(from, to) else {
            self.reversed[to.step].push(point);
            return;
        };
        self.ends[from.step].push(End { time: start, arrow, point, arrives: false });
        self.ends[to.step].push(End { time: end, arrow, point, arrives: true });
    }
}

/// The times of an arrow's two ends: the last nanosecond of the one slice and the first of the other.
///
/// Where a clock is off and the slices overlap, both move as far as needed for the arrow to run forward; none if the
/// one slice begins after the other has ended.
fn times(from: Slice, to: Slice) -> Option<(u64, u64)> {
    let start = from.last().min(to.start).max(from.start);
    let end = (start + 1).max(to.start).min(to.last());
    (start <= end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(start: u64, end: u64) -> Slice {
        Slice { step: 0, start, end }
    }

    #[test]
    fn an_arrow_runs_from_the_last_moment_to_the_first() {
        assert_eq!(times(slice(10, 20), slice(20, 30)), Some((19, 20)));
        assert_eq!(times(slice(10, 20), slice(25, 30)), Some((19, 25)));
    }

    #[test]
    fn an_arrow_between_slices_that_overlap_runs_forward_all_the_same() {
        assert_eq!(times(slice(10, 20), slice(15, 30)), Some((15, 16)));
        assert_eq!(times(slice(18, 20), slice(15, 30)), Some((18, 19)));
    }

    #[test]
    fn slices_of_no_length_have_arrows_too() {
        assert_eq!(times(slice(10, 10), slice(10, 10)), Some((10, 10)));
        assert_eq!(times(slice(10, 10), slice(12, 12)), Some((10, 12)));
    }

    #[test]
    fn no_arrow_runs_backwards() {
        assert_eq!(times(slice(30, 40), slice(10, 20)), None);
    }
}
