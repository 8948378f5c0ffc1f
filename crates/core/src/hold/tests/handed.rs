//! Tests of fills and copies: where the driver keeps what they work on, those that go to it at once leave nothing here.

use std::thread;
use std::time::Duration;

use super::double::{Bench, PATIENCE};
use super::{assert_complete, assert_pending, failure_of, held};
use crate::buffer::Buffer;
use crate::error::{Error, Kind};
use crate::stream::Stream;

fn stream_and_buffer<const KEEPS: bool>(bench: &Bench<true, KEEPS>) -> (Stream, Buffer) {
    (bench.stream(), bench.device().buffer(8).unwrap())
}

/// How much is kept here for the first stream.
fn kept<const KEEPS: bool>(bench: &Bench<true, KEEPS>) -> usize {
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
fn a_fill_for_which_there_is_no_room_is_held_until_there_is() {
    let bench = Bench::<true>::new();
    let (stream, buffer) = stream_and_buffer(&bench);
    let _full = bench.room().fill();
    stream.fill(&buffer, 0..8, 1).unwrap();
    bench.assert_given(&[]);
    assert_eq!(stream.statistics().held, 1);
    bench.room().make();
    bench.held_stream(0).go_on_in_room();
    bench.run();
    bench.assert_given(&["0.1 fill"]);
    bench.complete(0, 1);
    assert_complete(&stream.timeline().point(1));
}

#[test]
fn what_the_driver_does_not_keep_is_kept_here_until_it_is_over() {
    let bench = Bench::keeping_nothing();
    let (stream, buffer) = stream_and_buffer(&bench);
    stream.fill(&buffer, 0..8, 1).unwrap();
    stream.copy(&buffer, 0..4, &buffer, 4..8).unwrap();
    let end = stream.record().unwrap();
    bench.assert_given(&["0.1 fill", "0.2 copy"]);
    assert_eq!(kept(&bench), 2);
    bench.complete(0, 1);
    assert_eq!(kept(&bench), 1);
    bench.complete(0, 2);
    assert_eq!(kept(&bench), 0);
    assert_complete(&end);
}

#[test]
fn behind_a_recovery_a_fill_is_as_any_other_whoever_keeps_it() {
    recovers(&Bench::<true>::new(), [0, 0]);
    recovers(&Bench::keeping_nothing(), [1, 2]);
}

/// A fill fails, and the next is of another era. What is kept then, for the first and for both.
fn recovers<const KEEPS: bool>(bench: &Bench<true, KEEPS>, [first, both]: [usize; 2]) {
    let (stream, buffer) = stream_and_buffer(bench);
    stream.fill(&buffer, 0..8, 1).unwrap();
    bench.held_stream(0).fail(1, &Error::failed("on purpose"));
    assert_eq!(stream.fill(&buffer, 0..8, 2).unwrap_err().kind(), Kind::Failed);
    assert_eq!(kept(bench), first, "the device may be at it still");
    assert!(stream.recover().unwrap().is_some());
    stream.fill(&buffer, 0..8, 3).unwrap();
    bench.assert_given(&["0.1 fill", "0.3 fill"]);
    assert_eq!(kept(bench), both);
    let end = stream.record().unwrap();
    bench.complete(0, 1);
    assert_pending(&end);
    bench.complete(0, 3);
    assert_complete(&end);
    assert_eq!(failure_of(&stream.timeline().point(1)), "on purpose");
    assert_eq!(kept(bench), 0);
}

#[test]
fn a_shutdown_waits_for_a_fill_and_the_stream_takes_no_other_whoever_keeps_it() {
    is_shut_down(&Bench::<true>::new());
    is_shut_down(&Bench::keeping_nothing());
}

fn is_shut_down<const KEEPS: bool>(bench: &Bench<true, KEEPS>) {
    let (stream, buffer) = stream_and_buffer(bench);
    stream.fill(&buffer, 0..8, 1).unwrap();
    let late = bench.device().shutdown(Duration::ZERO).unwrap_err();
    assert_eq!(late.kind(), Kind::TimedOut);
    assert_eq!(stream.fill(&buffer, 0..8, 2).unwrap_err().kind(), Kind::Failed);
    bench.assert_given(&["0.1 fill"]);
    bench.complete(0, 1);
    bench.device().shutdown(Duration::ZERO).unwrap();
    assert_complete(&stream.timeline().point(1));
}

#[test]
fn a_fill_of_a_lost_device_has_failed_and_nothing_of_it_is_kept_whoever_kept_it() {
    is_lost(&Bench::<true>::new());
    is_lost(&Bench::keeping_nothing());
}

fn is_lost<const KEEPS: bool>(bench: &Bench<true, KEEPS>) {
    let (stream, buffer) = stream_and_buffer(bench);
    stream.fill(&buffer, 0..8, 1).unwrap();
    bench.lose();
    assert_eq!(kept(bench), 0);
    assert!(failure_of(&stream.timeline().point(1)).contains("lost"));
    assert_eq!(stream.fill(&buffer, 0..8, 2).unwrap_err().kind(), Kind::DeviceLost);
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
