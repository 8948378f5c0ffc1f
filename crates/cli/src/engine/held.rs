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

impl Stuck<'_> {
    /// The chain from the last step that has not ended to what nobody has done yet, one hop for each stream on it.
    pub(super) fn chain(&self) -> Vec<Hold> {
        let pending = |step: &&usize| matches!(self.marks[**step].end.query(), Ok(false));
        let Some(&last) = self.plan.order().iter().rev().find(pending) else { return Vec::new() };
        // A wait of no length asks once, and its report tells the chain.
        let Err(error) = self.marks[last].end.synchronize_timeout(Duration::ZERO) else {
            return Vec::new();
        };
        let links = error.report().map(syncpoint::WaitReport::links).unwrap_or_default();
        let steps = self.steps_by_timeline();
        let on =
            |link: &Link| steps.get(&link.needed.timeline().id()).map_or(&[][..], Vec::as_slice);
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
