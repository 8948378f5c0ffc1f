//! Meanwhile: a point that fails while the driver is told to wait for it takes who waits along, although nothing comes to it.

use std::thread;

use super::double::{Bench, PATIENCE};
use super::{failure_of, held, work};
use crate::contract::RawStream;
use crate::error::Error;
use crate::place::Place;
use crate::stream::Stream;

/// The first value of the first stream fails after the driver was told to wait for it, and before the wait is passed.
#[track_caller]
fn fails_meanwhile<const EACH: bool>(bench: &Bench<EACH>, wait: impl FnOnce() + Send) {
    let (has_begun, go_on) = bench.pause_next();
    thread::scope(|scope| {
        let wait = scope.spawn(wait);
        has_begun.recv_timeout(PATIENCE).expect("the driver is told");
        bench.held_stream(0).fail(1, &Error::failed("on purpose"));
        go_on.send(()).unwrap();
        wait.join().unwrap();
    });
}

#[track_caller]
fn assert_failed(waits: &Stream, value: u64) {
    assert_eq!(failure_of(&waits.timeline().point(value)), "on purpose");
    assert!(waits.record().unwrap().query().is_err());
}

fn a_usual_wait<const EACH: bool>() {
    let bench = Bench::<EACH>::new();
    let (point, waits) = (work(&bench.stream()), bench.stream());
    fails_meanwhile(&bench, || waits.wait(&point).unwrap());
    assert_failed(&waits, 1);
}

fn a_wait_that_takes_the_long_way<const EACH: bool>() {
    let bench = Bench::<EACH>::new();
    let (point, waits) = (work(&bench.stream()), bench.stream());
    let raw = bench.held_stream(1);
    fails_meanwhile(&bench, || {
        let placed = RawStream::wait(raw.as_ref(), &point, Place::caller()).unwrap();
        assert!(placed.is_some());
    });
    assert_failed(&waits, 1);
}

fn a_wait_that_was_held<const EACH: bool>() {
    let bench = Bench::<EACH>::new();
    let point = work(&bench.stream());
    let (waits, gate) = held(&bench);
    waits.wait(&point).unwrap();
    gate.open().unwrap();
    fails_meanwhile(&bench, || bench.run());
    assert_failed(&waits, 2);
}

#[test]
fn a_usual_wait_fails_with_its_point() {
    a_usual_wait::<true>();
    a_usual_wait::<false>();
}

#[test]
fn a_wait_that_takes_the_long_way_fails_with_its_point() {
    a_wait_that_takes_the_long_way::<true>();
    a_wait_that_takes_the_long_way::<false>();
}

#[test]
fn a_wait_that_was_held_fails_with_its_point() {
    a_wait_that_was_held::<true>();
    a_wait_that_was_held::<false>();
}

#[test]
fn a_wait_on_a_stream_that_others_launch_on_fails_with_its_point() {
    let bench = Bench::<false>::new();
    let (point, waits) = (work(&bench.stream()), bench.borrowed());
    fails_meanwhile(&bench, || waits.wait(&point).unwrap());
    assert_failed(&waits, 1);
}
