//! The critical path: the chain of steps that made the run as long as it was.

use std::{cmp::Reverse, time::Duration};

use super::Report;
use crate::graph::Edge;

/// The longest chain of work that ends with the step that ended last.
///
/// The length of a chain is the time that its steps ran; the time between them weighs nothing. Shortening a step that
/// is not on the path does not shorten the path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CriticalPath {
    /// The steps of the chain, first to last. There is at least one.
    pub links: Vec<Link>,
    /// The time that its steps ran, summed.
    pub work: Duration,
}

/// One step of the critical path, and why it began when it did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// The step: its place among the steps.
    pub step: usize,
    /// What tied it to the link before; none for the first.
    pub edge: Option<Edge>,
    /// From the end of the link before, or the beginning of the run, to its start.
    pub gap: Duration,
    /// A step off the path that it also came after and that ended later than the link before.
    pub held_by: Option<usize>,
}

impl Report {
    /// The critical path; none if no step has a time.
    ///
    /// Of chains that are equally long, the one whose steps end later is taken.
    pub fn critical_path(&self) -> Option<CriticalPath> {
        let chains = Chains::find(self);
        let ends_last = |&step: &usize| (self.interval(step).map(|run| run.end), chains.work[step]);
        let timed = (0..self.steps.len()).filter(|&step| chains.work[step].is_some());
        let last = timed.max_by_key(|step| (ends_last(step), Reverse(*step)))?;
        let links = chains.walk_back(last).into_iter().map(|(step, edge)| self.link(step, edge));
        Some(CriticalPath { links: links.collect(), work: chains.work[last]? })
    }

    /// For each step, whether it is on the critical path.
    pub(crate) fn on_critical_path(&self) -> Vec<bool> {
        let mut critical = vec![false; self.steps.len()];
        for link in self.critical_path().into_iter().flat_map(|path| path.links) {
            critical[link.step] = true;
        }
        critical
    }

    fn link(&self, step: usize, edge: Option<&Edge>) -> Link {
        let end = |step| self.interval(step).map(|run| run.end);
        let before = edge.and_then(|edge| end(edge.from)).unwrap_or_default();
        let gap = self.interval(step).map(|run| run.start.saturating_sub(before));
        let later = self.steps[step].after.iter().map(|edge| edge.from);
        let held_by = later.filter(|&from| end(from) > Some(before)).max_by_key(|&from| end(from));
        Link { step, edge: edge.cloned(), gap: gap.unwrap_or_default(), held_by }
    }
}

/// For each step with a time, the longest chain that ends with it.
struct Chains<'r> {
    /// The work of the chain; none for a step without a time.
    work: Vec<Option<Duration>>,
    /// The edge to the step before it on the chain.
    edge: Vec<Option<&'r Edge>>,
}

impl<'r> Chains<'r> {
    /// One pass in an order that edges allow: when a step's turn comes, the chains before it are known.
    fn find(report: &'r Report) -> Self {
        let steps = report.steps.len();
        let mut chains = Self { work: vec![None; steps], edge: vec![None; steps] };
        for step in report.order() {
            let Some(run) = report.interval(step) else { continue };
            let edge = chains.best(report, step);
            let before = edge.and_then(|edge| chains.work[edge.from]).unwrap_or_default();
            chains.work[step] = Some(before.saturating_add(run.length()));
            chains.edge[step] = edge;
        }
        chains
    }

    fn best(&self, report: &'r Report, step: usize) -> Option<&'r Edge> {
        let end = |edge: &Edge| report.interval(edge.from).map(|run| run.end);
        let edges = report.steps[step].after.iter();
        let timed = edges.filter(|edge| self.work.get(edge.from).is_some_and(Option::is_some));
        timed.max_by_key(|edge| (self.work[edge.from], end(edge), Reverse(edge.from)))
    }

    fn walk_back(&self, last: usize) -> Vec<(usize, Option<&'r Edge>)> {
        let before = |&(_, edge): &(usize, Option<&'r Edge>)| {
            edge.map(|edge| (edge.from, self.edge[edge.from]))
        };
        let mut links: Vec<_> =
            std::iter::successors(Some((last, self.edge[last])), before).collect();
        links.reverse();
        links
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::sample, *};

    fn path(report: &Report) -> Vec<usize> {
        report.critical_path().unwrap().links.iter().map(|link| link.step).collect()
    }

    #[test]
    fn the_longer_of_two_branches_is_critical() {
        let report = sample::timed(&[
            (0, 0, 10, &[]),
            (1, 10, 15, &[0]),
            (2, 10, 40, &[0]),
            (0, 40, 50, &[1, 2]),
        ]);
        assert_eq!(path(&report), [0, 2, 3]);
        assert_eq!(report.critical_path().unwrap().work, Duration::from_nanos(50));
    }

    #[test]
    fn waiting_weighs_nothing() {
        // Step 1 begins late and does little; step 2 does more, though it ended earlier.
        let report = sample::timed(&[
            (0, 0, 5, &[]),
            (1, 80, 90, &[0]),
            (2, 5, 60, &[0]),
            (0, 90, 95, &[1, 2]),
        ]);
        assert_eq!(path(&report), [0, 2, 3]);
        let last = report.critical_path().unwrap().links.pop().unwrap();
        assert_eq!((last.gap, last.held_by), (Duration::from_nanos(30), Some(1)));
    }

    #[test]
    fn the_path_ends_with_the_step_that_ended_last() {
        let report = sample::timed(&[(0, 0, 90, &[]), (1, 95, 96, &[])]);
        assert_eq!(path(&report), [1]);
    }

    #[test]
    fn the_first_link_tells_how_late_it_began() {
        let report = sample::timed(&[(0, 7, 9, &[])]);
        assert_eq!(report.critical_path().unwrap().links[0].gap, Duration::from_nanos(7));
    }

    #[test]
    fn a_report_without_times_has_no_critical_path() {
        assert_eq!(sample::unrun(&[(0, &[])]).critical_path(), None);
    }

    #[test]
    fn steps_in_a_circle_are_left_out_and_do_not_hang() {
        let report = sample::timed(&[(0, 0, 9, &[1]), (1, 0, 9, &[0]), (2, 0, 5, &[])]);
        assert_eq!(path(&report), [2]);
    }

    /// The naive way: every chain that ends with a step, by recursion.
    fn longest(report: &Report, step: usize) -> Option<Duration> {
        let length = report.interval(step)?.length();
        let before = report.steps[step].after.iter().filter_map(|edge| longest(report, edge.from));
        Some(length + before.max().unwrap_or_default())
    }

    proptest! {
        #[test]
        fn the_critical_path_agrees_with_every_chain_tried(report in sample::random(10)) {
            let timed = || (0..report.steps.len()).filter(|&step| report.interval(step).is_some());
            let end = |step: usize| report.interval(step).unwrap().end;
            let Some(last) = timed().map(end).max() else {
                prop_assert_eq!(report.critical_path(), None);
                return Ok(());
            };
            let expected = timed().filter(|&step| end(step) == last);
            let expected = expected.map(|step| longest(&report, step).unwrap()).max().unwrap();
            let path = report.critical_path().unwrap();
            prop_assert_eq!(path.work, expected);
            prop_assert_eq!(end(path.links.last().unwrap().step), last);
            let sum = path.links.iter().map(|link| report.interval(link.step).unwrap().length()).sum();
            prop_assert_eq!(path.work, sum);
            for pair in path.links.windows(2) {
                let edge = pair[1].edge.as_ref().unwrap();
                prop_assert_eq!(edge.from, pair[0].step);
                prop_assert!(report.steps[pair[1].step].after.contains(edge));
            }
        }
    }
}
