//! Reports for tests: small ones written by hand, and random ones with every kind of trouble in them.

use std::time::Duration;

use proptest::prelude::*;

use super::{Clock, Output, Report, State, Step, Stream};
use crate::graph::Edge;

/// A report of steps, each with its stream, and the steps that it waits for.
pub(crate) fn unrun(steps: &[(usize, &[usize])]) -> Report {
    let streams = steps.iter().map(|(stream, _)| stream + 1).max().unwrap_or(1);
    Report {
        pipeline: "sample.toml".into(),
        clock: Clock::new("a test's clock", Duration::from_nanos(1)),
        wall: Duration::ZERO,
        cut_short: None,
        held: Vec::new(),
        left_behind: None,
        streams: (0..streams).map(stream).collect(),
        steps: steps
            .iter()
            .enumerate()
            .map(|(place, (stream, on))| step(place, *stream, on))
            .collect(),
    }
}

/// A report of complete steps, each with its stream, start, end, and the steps that it waits for.
pub(crate) fn timed(steps: &[(usize, u64, u64, &[usize])]) -> Report {
    let shape: Vec<_> = steps.iter().map(|(stream, _, _, on)| (*stream, *on)).collect();
    let mut report = unrun(&shape);
    for (step, &(_, start, end, _)) in report.steps.iter_mut().zip(steps) {
        step.state = State::Complete;
        step.start = Some(Duration::from_nanos(start));
        step.end = Some(Duration::from_nanos(end));
        report.wall = report.wall.max(Duration::from_nanos(end));
    }
    report
}

fn stream(place: usize) -> Stream {
    Stream { name: format!("stream {place}"), device: "host:0".into(), priority: Some(0) }
}

fn step(place: usize, stream: usize, on: &[usize]) -> Step {
    Step {
        name: format!("step {place}"),
        stream,
        work: "delay",
        after: on.iter().map(|&from| Edge::wait(from, format!("point {from}"))).collect(),
        state: State::Unfinished,
        start: None,
        end: None,
        output: Output::default(),
    }
}

prop_compose! {
    /// A step of a random report: its stream, times that may be absent, reversed or overlapping, a state, and edges.
    fn random_step(place: usize)(
        stream in 0_usize..4,
        start in prop::option::weighted(0.9, 0_u64..60),
        length in 0_u64..30,
        kind in 0_u8..12,
        on in prop::collection::btree_set(0..place.max(1), 0..3),
        name in "\\PC{1,12}",
    ) -> Step {
        let on: Vec<usize> = on.into_iter().filter(|&on| on < place).collect();
        let mut step = step(place, stream, &on);
        step.name = format!("{name} {place}");
        step.start = start.map(Duration::from_nanos);
        step.end = step.start.map(|start| start + Duration::from_nanos(length));
        match kind {
            0 => step.end = None,
            1 => step.end = step.start.map(|start| start.saturating_sub(Duration::from_nanos(length))),
            2 => step.state = State::Failed { reason: "broken \u{1b}[2J\n\"".into() },
            _ => step.state = State::Complete,
        }
        step
    }
}

/// Random reports of up to `most` steps. Edges point back, so there is no circle; times obey nothing.
pub(crate) fn random(most: usize) -> impl Strategy<Value = Report> {
    let steps = (0..most).prop_flat_map(|count| (0..count).map(random_step).collect::<Vec<_>>());
    (steps, 0_u64..100).prop_map(|(steps, wall)| {
        let mut report = unrun(&[(3, &[])]);
        report.steps = steps;
        report.wall = Duration::from_nanos(wall);
        report.settle();
        report
    })
}
