//! Tests of the hold queue over a driver that does nothing until it is told to, and a crew that runs when it is asked.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up stops")]

mod again;
mod asks;
mod away;
mod captures;
mod deferred;
mod double;
mod drops;
mod failure;
mod handed;
mod host;
mod latches;
mod losing;
mod marks;
mod meanwhile;
mod modes;
mod native;
mod order;
mod own_waits;
mod retire;
mod room;
mod spins;
mod steps;

use std::time::Duration;

use double::Bench;

use crate::gate::Gate;
use crate::point::{Point, State};
use crate::stream::Stream;

/// A stream that holds everything behind a gate.
fn held<const EACH: bool, const KEEPS: bool, const DEFERS: bool>(
    bench: &Bench<EACH, KEEPS, DEFERS>,
) -> (Stream, Gate) {
    let (stream, gate) = (bench.stream(), Gate::new());
    stream.wait(&gate.point()).expect("a wait");
    (stream, gate)
}

/// A stream whose handle was given out.
fn exposed(bench: &Bench<false>) -> Stream {
    let stream = bench.stream();
    bench.held_stream(0).expose().expect("an idle stream");
    stream
}

/// A short piece of device work.
#[track_caller]
fn work(stream: &Stream) -> Point {
    stream.delay(Duration::from_micros(1)).expect("a delay");
    stream.record().expect("a point")
}

#[track_caller]
fn assert_pending(point: &Point) {
    assert!(matches!(point.state(), State::Pending), "{point}: {:?}", point.state());
}

#[track_caller]
fn assert_complete(point: &Point) {
    assert!(matches!(point.state(), State::Complete), "{point}: {:?}", point.state());
}

/// The first value of the first stream is marked as soon as the crew pumps, and no sooner.
#[track_caller]
fn assert_marked_by_the_crew(bench: &Bench<false>) {
    bench.assert_given(&[]);
    bench.run();
    bench.assert_given(&["0.1 mark"]);
    assert_eq!(bench.expected(), [(0, 1)]);
}

/// Whoever sleeps for the first value of the first stream has the crew mark it.
#[track_caller]
fn assert_a_sleeper_has_it_marked(bench: &Bench<false>, point: &Point) {
    let _notified = point.notify(drop).expect("a notification");
    assert_marked_by_the_crew(bench);
    bench.complete(0, 1);
    assert_complete(point);
}

/// The words of a point's failure.
#[track_caller]
fn failure_of(point: &Point) -> String {
    match point.state() {
        State::Failed(error) => error.message().to_owned(),
        state => panic!("{point} must have failed: {state:?}"),
    }
}
