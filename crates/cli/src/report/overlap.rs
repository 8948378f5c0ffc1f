//! How much ran at the same time.

use std::{iter, time::Duration};

use super::{Interval, Report};

/// How well a run used its time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// The time of all steps, summed: what they would take one after the other.
    pub busy: Duration,
    /// For each number of steps, how long so many ran at once; the last entry is the most that ever did.
    ///
    /// The entry for none is the time from the beginning of the run to its end in which no step ran.
    pub together: Vec<Duration>,
}

impl Overlap {
    /// The most steps that ran at once.
    pub fn peak(&self) -> usize {
        self.together.len() - 1
    }

    /// The time in which at least one step ran.
    pub fn covered(&self) -> Duration {
        self.together[1..].iter().sum()
    }
}

impl Report {
    /// How much ran at the same time. Steps of no length count for nothing.
    pub fn overlap(&self) -> Overlap {
        let runs: Vec<Interval> =
            (0..self.steps.len()).filter_map(|step| self.interval(step)).collect();
        let mut together = vec![Duration::ZERO];
        let mut running = 0;
        let mut now = Duration::ZERO;
        for (time, begins) in changes(&runs) {
            together[running] += time.saturating_sub(now);
            now = time;
            running = if begins { running + 1 } else { running - 1 };
            if together.len() == running {
                together.push(Duration::ZERO);
            }
        }
        together[0] += self.wall.saturating_sub(now);
        Overlap { busy: runs.iter().map(|run| run.length()).sum(), together }
    }

    /// For each stream how long its steps ran, summed.
    pub fn busy(&self) -> Vec<Duration> {
        let mut busy = vec![Duration::ZERO; self.streams.len()];
        for (place, step) in self.steps.iter().enumerate() {
            if let (Some(busy), Some(run)) = (busy.get_mut(step.stream), self.interval(place)) {
                *busy += run.length();
            }
        }
        busy
    }
}

/// Every begin and end, by time; of one time, ends come first, so that steps back to back do not count as two.
fn changes(runs: &[Interval]) -> Vec<(Duration, bool)> {
    let lasting = runs.iter().filter(|run| run.start < run.end);
    let mut changes: Vec<_> = lasting
        .flat_map(|run| iter::once((run.start, true)).chain(iter::once((run.end, false))))
        .collect();
    changes.sort_unstable();
    changes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::sample, *};

    #[test]
    fn steps_back_to_back_do_not_overlap() {
        let overlap = sample::timed(&[(0, 10, 30, &[]), (0, 0, 10, &[])]).overlap();
        assert_eq!((overlap.peak(), overlap.busy), (1, Duration::from_nanos(30)));
    }

    #[test]
    fn the_time_of_each_number_of_steps_is_told() {
        let mut report = sample::timed(&[(0, 5, 20, &[]), (1, 10, 30, &[]), (2, 50, 60, &[])]);
        report.wall = Duration::from_nanos(100);
        let together = report.overlap().together.iter().map(Duration::as_nanos).collect::<Vec<_>>();
        assert_eq!(together, [5 + 20 + 40, 5 + 10 + 10, 10]);
    }

    #[test]
    fn nothing_run_is_nothing_busy() {
        let overlap = sample::unrun(&[(0, &[])]).overlap();
        assert_eq!(
            (overlap.peak(), overlap.busy, overlap.covered()),
            (0, Duration::ZERO, Duration::ZERO)
        );
    }

    proptest! {
        #[test]
        fn the_overlap_agrees_with_counting_every_nanosecond(report in sample::random(10)) {
            let overlap = report.overlap();
            let runs: Vec<_> = (0..report.steps.len()).filter_map(|step| report.interval(step)).collect();
            let lasting = runs.iter().filter(|run| run.start < run.end).map(|run| run.end);
            let last = lasting.chain([report.wall]).max().unwrap().as_nanos();
            let mut counted = vec![0; overlap.together.len()];
            for now in 0..last {
                let runs = runs.iter().filter(|run| (run.start.as_nanos()..run.end.as_nanos()).contains(&now));
                counted[runs.count()] += 1;
            }
            let told: Vec<u128> = overlap.together.iter().map(Duration::as_nanos).collect();
            prop_assert_eq!(told, counted);
        }
    }
}
