//! What became of each step, read off its points.

use std::{collections::BTreeMap, time::Duration};

use syncpoint::{Error, State};

use super::{machine::Machine, steps::Marks};
use crate::{
    plan::Plan,
    report::{self, Output, Report},
};

/// What is known of a step at one moment.
#[derive(Debug)]
pub(super) struct Seen {
    state: State,
    start: Option<Duration>,
    end: Option<Duration>,
}

/// What was told of the steps while they ran.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What each command said, and how it failed if it did.
    pub(super) said: BTreeMap<usize, (Output, Option<String>)>,
    /// When steps were heard to have failed: a point that failed has no time.
    pub(super) failed: BTreeMap<usize, Duration>,
    /// When steps were heard to have ended, on the host's clock, for runs on several devices.
    pub(super) heard: BTreeMap<usize, Duration>,
}

impl Told {
    /// How far the clocks of several devices were apart: the most by which a step's end on its own device's clock
    /// differed from when the host heard of it.
    pub(super) fn error(&self, seen: &[Seen]) -> Duration {
        let apart = |(step, heard): (&usize, &Duration)| Some(seen[*step].end?.abs_diff(*heard));
        self.heard.iter().filter_map(apart).max().unwrap_or_default()
    }
}

/// Looks at every step.
///
/// Later steps are looked at first, so that one seen complete never comes after one that is seen pending because time
/// went on between the two looks.
pub(super) fn look(plan: &Plan, machine: &Machine, marks: &[Marks]) -> Vec<Seen> {
    let mut seen: Vec<Option<Seen>> = marks.iter().map(|_| None).collect();
    for &step in plan.order().iter().rev() {
        let clock = machine.clock(plan.steps()[step].stream);
        let state = marks[step].end.state();
        let (start, end) = (clock.time(&marks[step].start), clock.time(&marks[step].end));
        // The end may have come between the two questions; then the state that was asked first counts.
        let end = end.filter(|_| matches!(state, State::Complete));
        seen[step] = Some(Seen { state, start, end });
    }
    // The order names every step, so none is missing.
    seen.into_iter().flatten().collect()
}

/// Writes what was seen into a planned report.
pub(super) fn write(seen: Vec<Seen>, told: Told, report: &mut Report) {
    let Told { mut said, failed, .. } = told;
    let blocked: Vec<bool> = report.steps.iter().map(|step| is_blocked(step, &seen)).collect();
    for (place, seen) in seen.into_iter().enumerate() {
        let (output, failure) = said.remove(&place).unwrap_or_default();
        let step = &mut report.steps[place];
        (step.start, step.end, step.output) = (seen.start, seen.end, output);
        match seen.state {
            State::Complete => step.state = report::State::Complete,
            // It failed although nothing before it did, so it failed by itself. What is blocked is settled below.
            State::Failed(error) if !blocked[place] => {
                step.end = failed.get(&place).copied();
                let reason = failure.unwrap_or_else(|| reason(&error));
                step.state = report::State::Failed { reason };
            }
            _ => {}
        }
    }
    report.settle();
}

/// Whether something that the step comes after failed.
fn is_blocked(step: &report::Step, seen: &[Seen]) -> bool {
    step.after.iter().any(|edge| matches!(seen[edge.from].state, State::Failed(_)))
}

/// A failure in words, without the place in this program's source, which is nobody's concern here.
fn reason(error: &Error) -> String {
    match error.code() {
        Some((number, name)) => format!("{} ({name} {number})", error.message()),
        None => error.message().to_owned(),
    }
}
