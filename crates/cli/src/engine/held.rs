//! What a run that was cut short was waiting for: the library's wait report, told in steps.

use std::{collections::HashMap, time::Duration};

use syncpoint::{Link, Point};

use super::steps::Marks;
use crate::{graph::Edge, plan::Plan, report::Hold};

/// A run that is being cut short.
pub(super) struct Stuck<'r> {
    pub(super) plan: &'r Plan,
    pub(super) marks: &'r [Marks],
}

/// Of how many streams the chain is looked at: a run on thousands is cut short in no time all the same.
const LOOKED_AT: usize = 64;

impl Stuck<'_> {
    /// The longest chain from the last open step of a stream to what nobody has done yet, one hop for each stream on it.
    pub(super) fn chain(&self) -> Vec<Hold> {
        let streams = self.steps_by_timeline();
        let pending = |step: &&usize| matches!(self.marks[**step].end.query(), Ok(false));
        // By the order of the plan, so that the same run is told in the same way.
        let mut lasts: Vec<usize> = streams
            .values()
            .filter_map(|steps| steps.iter().rev().find(pending).copied())
            .collect();
        lasts.sort_unstable();
        let chains =
            lasts.into_iter().rev().take(LOOKED_AT).map(|last| self.behind(last, &streams));
        chains.max_by_key(Vec::len).unwrap_or_default()
    }

    /// The chain behind one step.
    fn behind(&self, step: usize, streams: &HashMap<u64, Vec<usize>>) -> Vec<Hold> {
        // A wait of no length asks once, and its report tells the chain.
        let Err(error) = self.marks[step].end.synchronize_timeout(Duration::ZERO) else {
            return Vec::new();
        };
        let links = error.report().map(syncpoint::WaitReport::links).unwrap_or_default();
        let on =
            |link: &Link| streams.get(&link.needed.timeline().id()).map_or(&[][..], Vec::as_slice);
        links.iter().filter_map(|link| self.hold(on(link), link)).collect()
    }

    /// Where the stream of a link stands, and the edge that holds it there.
    fn hold(&self, steps: &[usize], link: &Link) -> Option<Hold> {
        let open = |step: &&usize| self.marks[**step].end.value() > link.completed;
        let step = *steps.iter().find(open)?;
        let awaited = link.waits_for.as_ref().map(|(point, _)| point);
        let edge = awaited.and_then(|point| self.edge(step, point)).cloned();
        Some(Hold { step, edge })
    }

    /// The steps of each stream, in their order.
    fn steps_by_timeline(&self) -> HashMap<u64, Vec<usize>> {
        let mut steps: HashMap<u64, Vec<usize>> = HashMap::new();
        for (step, marks) in self.marks.iter().enumerate() {
            steps.entry(marks.end.timeline().id()).or_default().push(step);
        }
        steps
    }

    /// The edge of a step along which it waits for a point; none if that is the gate of its own command.
    fn edge(&self, step: usize, point: &Point) -> Option<&Edge> {
        let mut edges = self.plan.steps()[step].after.iter();
        edges.find(|edge| self.marks[edge.from].end.point() == point)
    }
}
