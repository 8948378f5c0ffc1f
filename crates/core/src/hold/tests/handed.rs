//! Tests of fills and copies that a driver keeps: those that go to it at once leave nothing here, and the others go the long way.

use std::thread;

use super::double::{Bench, PATIENCE};
use super::{assert_complete, assert_pending, failure_of, held};
use crate::buffer::Buffer;
use crate::error::{Error, Kind};
use crate::stream::Stream;

fn stream_and_buffer(bench: &Bench<true>) -> (Stream, Buffer) {
    (bench.stream(), bench.device().buffer(8).unwrap())
}

fn kept(bench: &Bench<true>) -> usize {
    bench.held_stream(0).flight().kept().count()
}

#[test]
fn what_the_driver_keeps_is_kept_by_nobody_else() {
    let bench = Bench::<true>::new();
    let (stream, buffer) = stream_and_buffer(&bench);
    stream.fill(&buffer, 0..8, 1).unwrap();
    stream.copy(&buffer, 0..4, &buffer, 4..8).unwrap();
    bench.assert_given(&["0.1 fill", "0.2 copy"]);
    assert_eq!(kept(&bench), 0);
    let end = stream.record().unwrap();
    bench.assert_given(&[]);
    bench.complete(0, 1);
    assert_pending(&end);
    bench.complete(0, 2);
    assert_complete(&end);
}

#[test]
fn a_fill_that_is_held_is_kept_until_it_is_over() {
    let bench = Bench::<true>::new();
    let (stream, gate) = held(&bench);
    let buffer = bench.device().buffer(8).unwrap();
    stream.fill(&buffer, 0..8, 1).unwrap();
    bench.assert_given(&[]);
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 fill"]);
    assert_eq!(kept(&bench), 1);
    bench.complete(0, 2);
    assert_eq!(kept(&bench), 0);
}

#[test]
fn a_fill_is_told_to_the_driver_where_somebody_sleeps_for_what_is_before_it() {
    let bench = Bench::<true>::new();
    let (stream, buffer) = stream_and_buffer(&bench);
    stream.fill(&buffer, 0..8, 1).unwrap();
    let _notified = stream.record().unwrap().notify(drop).unwrap();
    assert_eq!(bench.expected(), [(0, 1)]);
    stream.fill(&buffer, 0..8, 2).unwrap();
    assert_eq!(
        bench.expected(),
        [(0, 2)],
        "the driver notices the last, behind which the first has come"
    );
}

#[test]
fn another_stream_waits_natively_for_a_fill_that_was_handed_over() {
    let bench = Bench::<true>::new();
    let (stream, buffer) = stream_and_buffer(&bench);
    let waiting = bench.stream();
    stream.fill(&buffer, 0..8, 1).unwrap();
    waiting.wait(&stream.record().unwrap()).unwrap();
    bench.assert_given(&["0.1 fill", "1.1 wait 0.1"]);
}

#[test]
fn a_fill_that_the_driver_refuses_takes_no_value() {
    let bench = Bench::<true>::new();
    let (stream, buffer) = stream_and_buffer(&bench);
    bench.refuse_next("on purpose");
    assert_eq!(stream.fill(&buffer, 0..8, 1).unwrap_err().message(), "on purpose");
    bench.assert_given(&[]);
    stream.fill(&buffer, 0..8, 1).unwrap();
    bench.assert_given(&["0.1 fill"]);
}

#[test]
fn a_fill_for_which_there_is_no_room_is_held() {
    let bench = Bench::<true>::new();
    let (stream, buffer) = stream_and_buffer(&bench);
    let _full = bench.room().fill();
    stream.fill(&buffer, 0..8, 1).unwrap();
    bench.assert_given(&[]);
}

#[test]
fn a_fill_of_a_stream_that_fails_meanwhile_has_failed() {
    let bench = Bench::<true>::new();
    let (stream, buffer) = stream_and_buffer(&bench);
    let (has_begun, go_on) = bench.pause_next();
    thread::scope(|scope| {
        let fill = scope.spawn(|| stream.fill(&buffer, 0..8, 1));
        has_begun.recv_timeout(PATIENCE).expect("the driver is told");
        bench.held_stream(0).fail(1, &Error::failed("on purpose"));
        go_on.send(()).unwrap();
        fill.join().unwrap().unwrap();
    });
    assert_eq!(failure_of(&stream.timeline().point(1)), "on purpose");
    assert_eq!(stream.fill(&buffer, 0..8, 1).unwrap_err().kind(), Kind::Failed);
}
