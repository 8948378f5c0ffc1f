//! What a failure takes along, and what it leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::double::{Bench, PATIENCE};
use super::{assert_complete, assert_pending, failure_of, held, work};
use crate::contract::{RawStream, tell_all};
use crate::device::Device;
use crate::error::{Error, Kind};
use crate::gate::Gate;
use crate::point::State;

#[test]
fn behind_failed_host_work_nothing_held_runs_and_its_gates_fail() {
    let bench = Bench::<true>::new();
    let (stream, gate) = (bench.stream(), Gate::new());
    stream.enqueue(|| Err::<(), _>("no disk")).unwrap();
    let ran = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ran);
    stream.enqueue(move || flag.store(true, Ordering::Relaxed)).unwrap();
    stream.open(&gate).unwrap();
    let end = work(&stream);
    bench.run();
    bench.assert_given(&[]);
    assert!(!ran.load(Ordering::Relaxed));
    assert!(failure_of(&end).contains("no disk"));
    assert_eq!(failure_of(&gate.point()), failure_of(&end));
    assert_eq!((stream.statistics().held, stream.delay(Duration::ZERO).is_err()), (0, true));
}

#[test]
fn device_work_already_submitted_runs_and_its_points_fail_all_the_same() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let (first, second, third) = (work(&stream), work(&stream), work(&stream));
    bench.complete(0, 1);
    bench.held_stream(0).fail(2, &Error::failed("bad kernel"));
    bench.complete(0, 3);
    assert_complete(&first);
    assert_eq!([failure_of(&second), failure_of(&third)], ["bad kernel", "bad kernel"]);
}

#[test]
fn the_first_cause_of_a_failure_is_told_and_those_behind_it_are_counted() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let points: Vec<_> = (0..3).map(|_| work(&stream)).collect();
    let first = Error::failed("bad kernel");
    bench.held_stream(0).fail(1, &first);
    assert_eq!(stream.statistics().later_failures, 0);
    bench.held_stream(0).fail(1, &first);
    assert_eq!(stream.statistics().later_failures, 0, "it is told again");
    bench.held_stream(0).fail(2, &Error::failed("page fault"));
    bench.held_stream(0).fail(3, &Error::failed("page fault"));
    assert_eq!(stream.statistics().later_failures, 2);
    assert!(points.iter().all(|point| failure_of(point) == "bad kernel"));
}

#[test]
fn a_failure_reaches_whoever_waits_natively_with_its_first_cause() {
    let bench = Bench::<true>::new();
    let (a, b, c) = (bench.stream(), bench.stream(), bench.stream());
    let awaited = work(&a);
    let before = work(&b);
    b.wait(&awaited).unwrap();
    c.wait(&work(&b)).unwrap();
    let end = work(&c);
    bench.held_stream(0).fail(1, &Error::failed("bad kernel"));
    assert_eq!(failure_of(&end), "bad kernel");
    assert_pending(&before);
    bench.complete(1, 3);
    assert_complete(&before);
    assert_eq!(failure_of(&end), "bad kernel");
}

#[test]
fn a_failure_reaches_whoever_waits_on_the_host() {
    let bench = Bench::<true>::new();
    let (stream, gate) = held(&bench);
    let end = work(&stream);
    gate.fail(Error::failed("on purpose")).unwrap();
    bench.run();
    bench.assert_given(&[]);
    assert_eq!(failure_of(&end), "on purpose");
}

#[test]
fn a_wait_for_a_point_that_has_failed_fails_the_stream_when_it_comes_to_it() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    a.enqueue(|| Err::<(), _>("no disk")).unwrap();
    let failed = a.record().unwrap();
    bench.run();
    let before = work(&b);
    b.wait(&failed).unwrap();
    let end = b.record().unwrap();
    assert!(failure_of(&end).contains("no disk"));
    bench.complete(1, 1);
    assert_complete(&before);
}

#[test]
fn a_failure_that_is_noticed_after_the_waiter_was_let_through_still_reaches_it() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    b.wait(&work(&a)).unwrap();
    let end = work(&b);
    bench.complete(1, 2);
    assert_pending(&end);
    bench.lose();
    assert_eq!(end.query().unwrap_err().kind(), Kind::DeviceLost);
}

#[test]
fn a_lost_device_fails_what_is_not_known_complete_and_has_no_recovery() {
    let bench = Bench::<true>::new();
    let ((stream, _gate), opened) = (held(&bench), Gate::new());
    stream.open(&opened).unwrap();
    let idle = bench.stream();
    let (done, running) = (work(&idle), work(&idle));
    let held = stream.record().unwrap();
    bench.complete(1, 1);
    bench.lose();
    bench.run();
    assert_complete(&done);
    for point in [&running, &held, &opened.point()] {
        assert!(failure_of(point).contains("lost"));
    }
    for stream in [&stream, &idle] {
        assert_eq!(stream.recover().unwrap_err().kind(), Kind::DeviceLost);
        assert_eq!(stream.delay(Duration::ZERO).unwrap_err().kind(), Kind::DeviceLost);
        assert!(matches!(stream.record().unwrap().state(), State::Failed(_)));
    }
}

#[test]
fn what_a_device_is_given_as_it_is_lost_keeps_nothing() {
    // One of whose streams core keeps what the device uses.
    let bench = Bench::<false>::new();
    let (stream, buffer) = (bench.stream(), bench.device().buffer(8).unwrap());
    let (has_begun, go_on) = bench.pause_next();
    std::thread::scope(|scope| {
        let given = scope.spawn(|| stream.fill(&buffer, 0..8, 1));
        has_begun.recv().unwrap();
        bench.lose();
        go_on.send(()).unwrap();
        given.join().unwrap().unwrap();
    });
    assert_eq!(bench.held_stream(0).flight().kept().count(), 0);
}

#[test]
fn a_record_on_an_idle_stream_of_a_lost_device_has_failed() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    bench.lose();
    assert!(failure_of(&stream.record().unwrap()).contains("lost"));
}

#[test]
fn a_refused_submission_is_the_error_of_its_call_and_of_nobody_else() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    let point = work(&b);
    bench.refuse_next("no room");
    let error = a.delay(Duration::ZERO).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Driver, "no room"));
    bench.refuse_next("no room");
    assert!(a.wait(&point).is_err());
    assert!(a.failure().is_none());
    bench.given();
    a.wait(&point).unwrap();
    work(&a);
    bench.assert_given(&["0.1 wait 1.1", "0.2 delay"]);
}

#[test]
fn a_held_submission_that_is_refused_fails_its_stream() {
    let bench = Bench::<true>::new();
    let (stream, gate) = held(&bench);
    let (first, second) = (work(&stream), work(&stream));
    bench.refuse_next("no room");
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&[]);
    assert_eq!([failure_of(&first), failure_of(&second)], ["no room", "no room"]);
}

#[test]
fn after_recovery_new_work_runs_and_points_of_before_stay_failed() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let submitted = work(&stream);
    stream.enqueue(|| Err::<(), _>("no disk")).unwrap();
    let failed = work(&stream);
    bench.complete(0, 1);
    assert!(stream.recover().unwrap().unwrap().message().contains("no disk"));
    assert!(stream.recover().unwrap().is_none());
    assert_complete(&stream.record().unwrap());
    let new = work(&stream);
    bench.assert_given(&["0.1 delay", "0.5 delay"]);
    bench.complete(0, 5);
    assert_complete(&submitted);
    assert_complete(&new);
    assert!(failure_of(&failed).contains("no disk"));
}

#[test]
fn what_fails_while_it_is_pending_fails_nothing_of_another_era_and_nothing_that_the_device_has_passed()
 {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let (passed, pending) = (work(&stream), work(&stream));
    let held = bench.held_stream(0);
    bench.complete(0, 1);
    held.fail_pending(1, &Error::failed("too late"));
    assert_complete(&passed);
    assert_pending(&pending);
    held.fail_pending(2, &Error::failed("in time"));
    assert_eq!(failure_of(&pending), "in time");
    assert!(stream.recover().unwrap().is_some());
    let new = work(&stream);
    held.fail_pending(2, &Error::failed("of another era"));
    assert_pending(&new);
    let mut lets_through = 0;
    assert!(!held.fail_pending_then(2, &Error::failed("of another era"), || lets_through += 1));
    assert_pending(&new);
    assert!(held.fail_pending_then(4, &Error::failed("of this one"), || lets_through += 1));
    assert_eq!((failure_of(&new).as_str(), lets_through), ("of this one", 2));
}

#[test]
fn recovery_waits_for_nothing_but_host_work_begins_when_the_device_is_through() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let (first, second) = (work(&stream), work(&stream));
    bench.held_stream(0).fail(2, &Error::failed("bad kernel"));
    assert!(stream.recover().unwrap().is_some());
    let ran = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ran);
    stream.enqueue(move || flag.store(true, Ordering::Relaxed)).unwrap();
    bench.complete(0, 1);
    assert_complete(&first);
    assert!(!ran.load(Ordering::Relaxed), "the failed work still runs on the device");
    bench.complete(0, 2);
    assert!(ran.load(Ordering::Relaxed));
    assert_eq!(failure_of(&second), "bad kernel");
    assert_complete(&stream.record().unwrap());
}

#[test]
fn shutdown_fails_what_is_held_and_lets_what_was_submitted_end() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let submitted = work(&stream);
    stream.enqueue(|| ()).unwrap();
    let held = stream.record().unwrap();
    let late = bench.device().shutdown(Duration::from_millis(1)).unwrap_err();
    assert_eq!(late.kind(), Kind::TimedOut);
    assert!(late.message().starts_with("work still runs on the double"), "{late}");
    let report = late.report().expect("a timeout explains itself");
    assert_eq!(report.awaited(), &submitted);
    bench.complete(0, 1);
    assert_complete(&submitted);
    assert!(failure_of(&held).contains("shut down"));
    bench.device().shutdown(Duration::from_millis(1)).unwrap();
    assert!(stream.recover().unwrap().is_none());
    assert!(stream.delay(Duration::ZERO).is_err(), "a device that was shut down takes nothing");
}

#[test]
fn a_shutdown_waits_no_longer_than_it_may_for_who_stands_inside_the_driver() {
    let bench = Bench::<true>::new();
    let (stuck, other) = (bench.stream(), bench.stream());
    other.enqueue(|| ()).unwrap();
    let held = other.record().unwrap();
    let (send, told) = channel();
    std::thread::scope(|scope| {
        let (begun, go_on) = bench.pause_next();
        let given = scope.spawn(|| work(&stuck));
        begun.recv_timeout(PATIENCE).expect("it is given to the driver");
        scope.spawn(|| send.send(bench.device().shutdown(Duration::ZERO)));
        let late = told.recv_timeout(PATIENCE).expect("a shutdown has a deadline").unwrap_err();
        assert_eq!(late.kind(), Kind::TimedOut);
        assert!(failure_of(&held).contains("shut down"));
        go_on.send(()).unwrap();
        assert!(failure_of(&given.join().unwrap()).contains("shut down"));
    });
    let late = bench.device().shutdown(Duration::ZERO).unwrap_err();
    assert_eq!(late.kind(), Kind::TimedOut, "what was being given runs");
    bench.complete(0, 1);
    bench.device().shutdown(PATIENCE).unwrap();
    assert!(stuck.recover().unwrap().is_none());
    assert!(stuck.delay(Duration::ZERO).is_err(), "a device that was shut down takes nothing");
}

#[test]
fn a_stream_that_is_made_while_its_device_is_shut_down_is_refused() {
    let bench = Bench::<false>::new();
    let shut_down = |device: &Device| device.shutdown(PATIENCE).unwrap();
    let refused = bench.borrowed_beside(shut_down).unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert!(refused.message().contains("shut down"), "{refused}");
}

#[test]
fn gates_fail_at_once_although_work_that_runs_holds_the_turn() {
    let bench = Bench::<true>::new();
    let stream = Arc::new(bench.stream());
    let (gate, own) = (Gate::new(), bench.held_stream(0));
    let point = gate.point();
    let seen = point.clone();
    let crew = Arc::new(bench);
    let other = Arc::clone(&crew);
    stream
        .enqueue(move || {
            tell_all(own.cancel(&Error::failed("shut down")));
            other.run();
            assert!(matches!(seen.state(), State::Failed(_)));
        })
        .unwrap();
    stream.open(&gate).unwrap();
    let ran = stream.timeline().point(1);
    crew.run();
    assert_complete(&ran);
    assert_eq!(failure_of(&point), "shut down");
}

#[test]
fn a_shutdown_waits_for_what_began_before_what_has_failed() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let (_first, _second) = (work(&stream), work(&stream));
    bench.held_stream(0).fail(2, &Error::failed("bad kernel"));
    let left = bench.device().shutdown(Duration::ZERO).unwrap_err();
    assert_eq!(left.kind(), Kind::TimedOut);
    bench.complete(0, 1);
    bench.device().shutdown(Duration::ZERO).unwrap();
}
