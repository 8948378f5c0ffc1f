//! The data of a run: what each step did, and when, on one clock.

use std::time::Duration;

use super::{output::Output, verdict::CutShort};
use crate::{
    graph::{self, Edge},
    plan::{self, Plan},
};

/// What a run did. All times count from the beginning of the run, on [`Report::clock`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The file of the pipeline.
    pub pipeline: String,
    /// The clock of every time in the report.
    pub clock: Clock,
    /// When the run ended.
    pub wall: Duration,
    /// What ended the run before its steps had ended, if anything did.
    pub cut_short: Option<CutShort>,
    /// What a run that was cut short was waiting for: the longest chain from an open step to what nobody had done yet.
    pub held: Vec<Hold>,
    /// What should have been removed at the end and could not be, and why.
    pub left_behind: Option<String>,
    /// The streams, as in the plan.
    pub streams: Vec<Stream>,
    /// The steps, as in the plan.
    pub steps: Vec<Step>,
}

/// The clock that a run was timed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clock {
    /// Its name, such as `monotonic raw clock of the host`.
    pub name: String,
    /// The smallest step that it can tell.
    pub resolution: Duration,
    /// How far a time may be off either way, where times were carried over from another clock.
    pub error: Option<Duration>,
    /// When the run began on it, and how far that may be off, where a device only estimates when something was. The times
    /// of steps are differences to that, which it knows.
    pub began: Option<(Duration, Duration)>,
}

impl Clock {
    /// A clock whose times were read from it directly.
    pub fn new(name: impl Into<String>, resolution: Duration) -> Self {
        Self { name: name.into(), resolution, error: None, began: None }
    }
}

/// One hop of what a run was waiting for: where a stream stood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// The first step of the stream that had not ended.
    pub step: usize,
    /// What kept that step from beginning; none if it was running. The next hop is of the stream that this edge is
    /// from.
    pub edge: Option<Edge>,
}

impl Hold {
    /// A step that was kept from beginning by an edge, or that was running.
    pub fn new(step: usize, edge: Option<Edge>) -> Self {
        Self { step, edge }
    }
}

/// A stream of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Its device, such as `host:0`.
    pub device: String,
    /// Its priority, once it is known; lower is served first.
    pub priority: Option<i32>,
}

/// A step of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its stream: the place among [`Report::streams`].
    pub stream: usize,
    /// The kind of its work: `command`, `fill`, `copy` or `delay`.
    pub work: &'static str,
    /// What it came after.
    pub after: Vec<Edge>,
    /// How it went.
    pub state: State,
    /// When it began; none if it did not, or if its device cannot tell.
    pub start: Option<Duration>,
    /// When it ended.
    pub end: Option<Duration>,
    /// What it said.
    pub output: Output,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It did what it was to do.
    Complete,
    /// It ran and failed.
    Failed {
        /// Why, in words.
        reason: String,
    },
    /// It was not run, because something that it came after failed.
    NotRun {
        /// The step that failed first: its place among the steps.
        because: usize,
    },
    /// It had not ended when the run did; it may not even have begun.
    Unfinished,
}

/// A stretch of time that never ends before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interval {
    /// When it starts.
    pub start: Duration,
    /// When it ends.
    pub end: Duration,
}

impl Interval {
    /// From its start to its end.
    pub fn length(self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

impl Report {
    /// The report of a run that has not begun: every step unfinished, with the edges of the plan.
    pub fn planned(plan: &Plan, clock: Clock) -> Self {
        Self {
            pipeline: plan.file().display().to_string(),
            clock,
            wall: Duration::ZERO,
            cut_short: None,
            held: Vec::new(),
            left_behind: None,
            streams: plan.streams().iter().map(Stream::planned).collect(),
            steps: plan.steps().iter().map(Step::planned).collect(),
        }
    }

    /// Marks each step that was not begun because something that it came after failed; the earliest failure counts.
    pub fn settle(&mut self) {
        for step in self.order() {
            let waiting =
                self.steps[step].state == State::Unfinished && self.steps[step].start.is_none();
            if let Some(because) = self.cause(step).filter(|_| waiting) {
                self.steps[step].state = State::NotRun { because };
            }
        }
    }

    /// When a step ran; none if it did not, or if nobody knows.
    ///
    /// A step that has not ended lasts until the end of the run. One that a broken clock lets end before its start
    /// lasts no time.
    pub fn interval(&self, step: usize) -> Option<Interval> {
        let step = self.steps.get(step)?;
        let start = step.start?;
        let end = step.end.unwrap_or(self.wall).max(start);
        Some(Interval { start, end })
    }

    /// The steps in an order that every edge allows.
    pub(crate) fn order(&self) -> Vec<usize> {
        graph::sort(&self.steps.iter().map(|step| step.after.as_slice()).collect::<Vec<_>>())
    }

    /// For each stream its steps, in the order of the file.
    pub(crate) fn steps_by_stream(&self) -> Vec<Vec<usize>> {
        let mut streams = vec![Vec::new(); self.streams.len()];
        for (place, step) in self.steps.iter().enumerate() {
            if let Some(steps) = streams.get_mut(step.stream) {
                steps.push(place);
            }
        }
        streams
    }

    /// The step whose failure holds a step back: of those that it came after, the one that failed first.
    fn cause(&self, step: usize) -> Option<usize> {
        let failed = |edge: &Edge| match self.steps.get(edge.from)?.state {
            State::Failed { .. } => Some(edge.from),
            State::NotRun { because } => Some(because),
            State::Complete | State::Unfinished => None,
        };
        self.steps[step].after.iter().filter_map(failed).min_by_key(|&step| self.steps[step].end)
    }
}

impl Stream {
    fn planned(stream: &plan::Stream) -> Self {
        Self {
            name: stream.name.clone(),
            device: stream.device.to_string(),
            priority: stream.priority,
        }
    }
}

impl Step {
    fn planned(step: &plan::Step) -> Self {
        Self {
            name: step.name.clone(),
            stream: step.stream,
            work: step.work.kind(),
            after: step.after.clone(),
            state: State::Unfinished,
            start: None,
            end: None,
            output: Output::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, sample},
        *,
    };

    #[test]
    fn only_dependants_of_a_failure_are_not_run() {
        let mut report = sample::unrun(&[(0, &[]), (0, &[0]), (1, &[]), (1, &[1, 2]), (2, &[3])]);
        report.steps[0].state = State::Failed { reason: "broken".into() };
        report.settle();
        let not_run = State::NotRun { because: 0 };
        let expected = [&not_run, &State::Unfinished, &not_run, &not_run];
        let seen: Vec<_> = report.steps[1..].iter().map(|step| &step.state).collect();
        assert_eq!(seen, expected);
        assert_eq!(report.verdict(), Verdict::Failed);
    }

    #[test]
    fn of_two_failures_the_earlier_is_blamed() {
        let mut report = sample::unrun(&[(0, &[]), (1, &[]), (2, &[0, 1])]);
        for (step, end) in [(0, 20), (1, 10)] {
            report.steps[step].state = State::Failed { reason: "broken".into() };
            report.steps[step].end = Some(Duration::from_nanos(end));
        }
        report.settle();
        assert_eq!(report.steps[2].state, State::NotRun { because: 1 });
    }

    #[test]
    fn an_unfinished_step_lasts_until_the_end_of_the_run() {
        let mut report = sample::timed(&[(0, 10, 20, &[])]);
        report.steps[0].end = None;
        report.wall = Duration::from_nanos(70);
        assert_eq!(report.interval(0).map(Interval::length), Some(Duration::from_nanos(60)));
    }

    #[test]
    fn a_step_that_ends_before_its_start_lasts_no_time() {
        let report = sample::timed(&[(0, 20, 10, &[])]);
        assert_eq!(report.interval(0).map(Interval::length), Some(Duration::ZERO));
    }
}
