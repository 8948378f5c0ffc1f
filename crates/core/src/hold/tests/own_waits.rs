//! Waits that a backend sees to by itself: given to its driver where that can be, landed with their point, else held.

use std::sync::Arc;

use super::assert_complete;
use super::double::{Bench, Double};
use crate::error::{Error, Kind, Result};
use crate::gate::Gate;
use crate::hold::{HeldStream, OwnWait};
use crate::place::Place;

/// A wait of the double's own, which it can or cannot have the driver do.
#[derive(Debug)]
struct Own(Result<bool>);

impl OwnWait<Double<false>> for Own {
    fn wait(&self, _stream: &Arc<HeldStream<Double<false>>>, _value: u64) -> Result<bool> {
        self.0.clone()
    }
}

/// Has the first stream of a bench wait for a gate in this way.
fn wait(bench: &Bench<false>, gate: &Gate, can: Result<bool>) -> Result<()> {
    let held = bench.held_stream(0);
    held.wait_by(&gate.point(), Arc::new(Own(can)), Place::caller()).map(drop)
}

#[test]
fn what_the_driver_waits_for_lands_with_its_point() {
    let (bench, gate) = (Bench::new(), Gate::new());
    let stream = bench.stream();
    wait(&bench, &gate, Ok(true)).unwrap();
    bench.assert_given(&["0.1 call"]);
    let end = stream.record().unwrap();
    bench.assert_given(&["0.1 mark"]);
    bench.complete(0, 1);
    assert!(!end.query().unwrap(), "the device is past it, and nobody knows of the point");
    gate.open().unwrap();
    bench.run();
    assert_complete(&end);
}

#[test]
fn a_point_that_fails_fails_the_stream_although_the_driver_is_past_it() {
    let (bench, gate) = (Bench::new(), Gate::new());
    let stream = bench.stream();
    wait(&bench, &gate, Ok(true)).unwrap();
    let end = stream.record().unwrap();
    bench.complete(0, 1);
    gate.fail(Error::failed("on purpose")).unwrap();
    bench.run();
    assert_eq!(end.query().unwrap_err().kind(), Kind::Failed);
}

#[test]
fn where_the_backend_cannot_wait_the_stream_is_held() {
    let (bench, gate) = (Bench::new(), Gate::new());
    let stream = bench.stream();
    wait(&bench, &gate, Ok(false)).unwrap();
    bench.assert_given(&["0.1 call"]);
    stream.delay(std::time::Duration::ZERO).unwrap();
    bench.assert_given(&[]);
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 delay"]);
}

#[test]
fn a_driver_that_refuses_tells_the_caller_and_nothing_waits() {
    let (bench, gate) = (Bench::new(), Gate::new());
    let stream = bench.stream();
    let refused = wait(&bench, &gate, Err(Error::new(Kind::Driver, "on purpose"))).unwrap_err();
    assert_eq!(refused.kind(), Kind::Driver);
    assert!(stream.failure().is_none());
    assert_complete(&stream.record().unwrap());
}

#[test]
fn the_same_wait_once_more_is_left_out() {
    let (bench, gate) = (Bench::new(), Gate::new());
    let _stream = bench.stream();
    wait(&bench, &gate, Ok(true)).unwrap();
    wait(&bench, &gate, Ok(true)).unwrap();
    bench.assert_given(&["0.1 call"]);
}
