//! Graphs: what was captured, to be done again and again, side by side where nothing orders it.

use std::sync::{Arc, Mutex};

use syncpoint_core::Point;

use crate::capture::{Node, Step};
use crate::code::Result;
use crate::context::Context;
use crate::lane::{Kind, Lane};
use crate::sync::lock;
use crate::table::Handle;

/// A graph.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) context: Handle,
    steps: Arc<[Step]>,
}

impl Graph {
    pub(crate) fn new(context: Handle, steps: Vec<Step>) -> Self {
        Self { context, steps: steps.into() }
    }

    /// How many nodes it has.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }
}

/// A graph that can be launched. One launch comes after another, on whichever streams.
#[derive(Debug)]
pub(crate) struct Executable {
    pub(crate) graph: Graph,
    /// The end of the latest launch. Held while the next is given to streams.
    latest: Mutex<Option<Point>>,
}

impl Executable {
    pub(crate) fn new(graph: Graph) -> Self {
        Self { graph, latest: Mutex::new(None) }
    }

    /// Does the nodes behind what a stream was given so far; what it is given next comes behind all of them.
    pub(crate) fn launch(
        &self,
        host: &syncpoint_core::Device,
        context: &Arc<Context>,
        lane: &Lane,
    ) -> Result {
        let mut latest = lock(&self.latest);
        let begin = context.in_order(lane, |queue| {
            latest.iter().try_for_each(|before| queue.wait(before))?;
            Ok(queue.record()?)
        })?;
        let mut launch = Launch { host, context, begin, branches: Vec::new(), ends: Vec::new() };
        for step in self.graph.steps.iter() {
            launch.give(step)?;
        }
        *latest = Some(context.in_order(lane, |queue| {
            launch.ends.iter().try_for_each(|end| queue.wait(end))?;
            Ok(queue.record()?)
        })?);
        Ok(())
    }
}

/// One launch: its branches are streams that nobody else has.
struct Launch<'a> {
    host: &'a syncpoint_core::Device,
    context: &'a Arc<Context>,
    begin: Point,
    /// Each with the number of its last step.
    branches: Vec<(Lane, usize)>,
    /// The end of each step so far.
    ends: Vec<Point>,
}

impl Launch<'_> {
    /// Gives a step to the branch that it goes on with, or to a new one, behind all that it comes after.
    fn give(&mut self, step: &Step) -> Result {
        let branch = self.branch(step)?;
        let (lane, _) = &self.branches[branch];
        for before in &step.before {
            lane.queue.wait(&self.ends[*before])?;
        }
        match &step.node {
            Node::Op(op) => lane.put(self.context, op)?,
            Node::Record(event) => event.record(self.context, lane)?,
            Node::Wait(event) => event.hold_back(self.context, lane)?,
        }
        let end = lane.queue.record()?;
        self.branches[branch].1 = self.ends.len();
        self.ends.push(end);
        Ok(())
    }

    fn branch(&mut self, step: &Step) -> Result<usize> {
        let goes_on = |(_, last): &(Lane, usize)| step.before.contains(last);
        if let Some(branch) = self.branches.iter().position(goes_on) {
            return Ok(branch);
        }
        let lane = Lane::new(self.host, self.context.handle, Kind::NonBlocking, 0)?;
        lane.queue.wait(&self.begin)?;
        self.branches.push((lane, self.ends.len()));
        Ok(self.branches.len() - 1)
    }
}
