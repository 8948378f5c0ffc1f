//! Putting the steps of a plan on their streams: waits, a timed point, the work, another timed point.

use std::sync::{Arc, mpsc::Sender};

use syncpoint::{Error, Kind, Result, Stream, TimedPoint};

use super::{
    children::Children,
    command::{self, Job},
    event::Event,
    machine::Machine,
};
use crate::{
    graph::Why,
    plan::{Command, Finding, Plan, Problems, Step, Work},
    scratch::Scratch,
};

/// The timed points round the work of a step. The later one is also what other steps wait for.
#[derive(Debug)]
pub(super) struct Marks {
    pub(super) start: TimedPoint,
    pub(super) end: TimedPoint,
}

/// What enqueueing needs beside the machine.
#[derive(Debug)]
pub(super) struct Layer<'p> {
    pub(super) plan: &'p Plan,
    pub(super) machine: &'p Machine,
    pub(super) scratch: Option<&'p Scratch>,
    pub(super) events: Sender<Event>,
    pub(super) children: Arc<Children>,
}

impl Layer<'_> {
    /// Enqueues every step, each after all that it waits for. Answers the marks in the order of the file.
    pub(super) fn lay(&self) -> Result<Vec<Marks>, Problems> {
        let mut marks: Vec<Option<Marks>> = self.plan.steps().iter().map(|_| None).collect();
        for &place in self.plan.order() {
            let step = &self.plan.steps()[place];
            let laid = self.step(place, step, &marks).and_then(|laid| self.tell(place, laid));
            // Told alone: what comes behind it would be refused for want of its marks.
            let told = |error| self.plan.problems(vec![finding(step, &error)]);
            marks[place] = Some(laid.map_err(told)?);
        }
        // The order names every step, so none is missing.
        Ok(marks.into_iter().flatten().collect())
    }

    fn step(&self, place: usize, step: &Step, marks: &[Option<Marks>]) -> Result<Marks> {
        let stream = &self.machine.streams[step.stream].stream;
        for edge in step.after.iter().filter(|edge| edge.why != Why::Order) {
            if let Some(awaited) = &marks[edge.from] {
                stream.wait(&awaited.end)?;
            }
        }
        let start = stream.record_timed()?;
        self.work(place, step, stream)?;
        Ok(Marks { start, end: stream.record_timed()? })
    }

    fn work(&self, place: usize, step: &Step, stream: &Stream) -> Result<()> {
        let buffers = &self.machine.buffers;
        match &step.work {
            Work::Command(command) => self.command(place, step, command, stream),
            Work::Fill { buffer, bytes, value } => {
                stream.fill(&buffers[*buffer], 0..*bytes, *value)
            }
            // The beginning of a buffer over itself changes nothing, and devices refuse what overlaps.
            Work::Copy { from, to, .. } if from == to => Ok(()),
            Work::Copy { from, to, bytes } => {
                stream.copy(&buffers[*from], 0..*bytes, &buffers[*to], 0..*bytes)
            }
            Work::Delay(duration) => stream.delay(*duration),
        }
    }

    fn command(&self, place: usize, step: &Step, command: &Command, stream: &Stream) -> Result<()> {
        let job = Job {
            step: place,
            command: command.process(self.plan, self.scratch),
            children: Arc::clone(&self.children),
            events: self.events.clone(),
        };
        command::enqueue(stream, job, &step.name)
    }

    /// Has the events of a step told. The leader of the run may be gone by then.
    fn tell(&self, step: usize, marks: Marks) -> Result<Marks> {
        let (began, ended) = (self.events.clone(), self.events.clone());
        marks.start.notify(move |outcome| {
            if outcome.is_ok() {
                began.send(Event::Began(step)).ok();
            }
        })?;
        marks.end.notify(move |_| {
            ended.send(Event::Ended(step)).ok();
        })?;
        Ok(marks)
    }
}

fn finding(step: &Step, error: &Error) -> Finding {
    let spread = match error.kind() {
        Kind::Exhausted => "; or spread the steps of its stream over more streams",
        _ => "",
    };
    let (name, message) = (&step.name, error.message());
    Finding::new(&step.at, format!("step {name:?} cannot be enqueued: {message}{spread}"))
}
