//! Latches: the device itself holds a stream that others launch on too.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::double::{Bench, PATIENCE};
use super::{assert_complete, assert_pending, failure_of, held, work};
use crate::contract::{RawStream, tell_all};
use crate::error::{Error, Kind};
use crate::gate::Gate;
use crate::stream::Stream;

fn bench() -> (Bench<false>, Stream) {
    let bench = Bench::<false>::new().with_latches();
    let stream = bench.borrowed();
    (bench, stream)
}

#[test]
fn a_wait_for_a_gate_stands_before_a_latch_which_the_gate_opens() {
    let (bench, stream) = bench();
    let gate = Gate::new();
    stream.wait(&gate.point()).unwrap();
    let end = work(&stream);
    bench.run();
    bench.assert_given(&["0.1 mark", "0.2 latch 1", "0.3 delay", "0.4 mark"]);
    assert!(bench.expected().contains(&(0, 1)), "it is known when the device stands there");
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0 opens 1"]);
    bench.complete(0, 4);
    assert_complete(&end);
}

#[test]
fn a_gate_that_fails_fails_the_stream_before_the_latch_is_opened() {
    let (bench, stream) = bench();
    let gate = Gate::new();
    stream.wait(&gate.point()).unwrap();
    let end = work(&stream);
    bench.given();
    gate.fail(Error::failed("no data")).unwrap();
    bench.run();
    bench.assert_given(&["0 opens 1 of a failed stream"]);
    assert!(failure_of(&end).contains("no data"));
}

#[test]
fn a_wait_for_what_is_held_elsewhere_stands_before_a_latch() {
    let (bench, stream) = bench();
    let (made, gate) = held(&bench);
    stream.wait(&work(&made)).unwrap();
    bench.assert_given(&["0.1 mark", "0.2 latch 1"]);
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["1.2 delay", "1.2 mark"]);
    bench.complete(1, 2);
    bench.assert_given(&["0 opens 1"]);
}

#[test]
fn a_function_runs_once_everything_before_it_is_complete_and_then_opens_its_latch() {
    let (bench, stream) = bench();
    let (send, receive) = mpsc::channel();
    work(&stream);
    stream.enqueue(move || send.send(()).unwrap()).unwrap();
    let end = stream.record().unwrap();
    bench.run();
    // The mark before the latch is behind what others launched meanwhile.
    bench.assert_given(&["0.1 delay", "0.2 mark", "0.3 mark", "0.4 latch 1", "0.5 mark"]);
    bench.complete(0, 2);
    assert!(receive.try_recv().is_err());
    assert_eq!(stream.statistics().held, 1);
    bench.complete(0, 3);
    receive.try_recv().unwrap();
    bench.assert_given(&["0 opens 1"]);
    assert_pending(&end);
    bench.complete(0, 5);
    assert_complete(&end);
}

#[test]
fn functions_run_one_after_the_other_each_behind_the_latch_of_the_one_before() {
    let (bench, stream) = bench();
    let (send, receive) = mpsc::channel();
    for number in [1, 2] {
        let send = send.clone();
        stream.enqueue(move || send.send(number).unwrap()).unwrap();
    }
    bench.complete(0, 1);
    bench.assert_given(&["0.1 mark", "0.2 latch 1", "0.3 mark", "0.4 latch 2", "0 opens 1"]);
    assert_eq!(receive.try_iter().collect::<Vec<_>>(), [1]);
    bench.complete(0, 3);
    assert_eq!(receive.try_iter().collect::<Vec<_>>(), [2]);
    bench.assert_given(&["0 opens 2"]);
}

#[test]
fn a_function_that_fails_takes_those_behind_it_along_and_leaves_no_latch_closed() {
    let (bench, stream) = bench();
    let (send, receive) = mpsc::channel();
    stream.enqueue(|| Err::<(), _>("bad input")).unwrap();
    stream.enqueue(move || send.send(()).unwrap()).unwrap();
    let end = stream.record().unwrap();
    bench.complete(0, 1);
    let opened: Vec<String> =
        bench.given().into_iter().filter(|given| given.contains("opens")).collect();
    assert_eq!(opened, ["0 opens 1 of a failed stream", "0 opens 2 of a failed stream"]);
    assert!(failure_of(&end).contains("bad input"));
    assert_eq!(receive.recv(), Err(mpsc::RecvError), "what never runs is dropped");
    stream.recover().unwrap();
    let end = work(&stream);
    bench.complete(0, end.value());
    assert_complete(&end);
}

#[test]
fn a_function_behind_what_was_nothing_to_the_driver_runs() {
    let (bench, stream) = bench();
    let (send, receive) = mpsc::channel();
    stream.enqueue(|| Err::<(), _>("bad input")).unwrap();
    let end = stream.record().unwrap();
    bench.complete(0, 1);
    bench.assert_given(&["0.1 mark", "0.2 latch 1", "0.3 mark", "0 opens 1 of a failed stream"]);
    assert!(failure_of(&end).contains("bad input"));
    // The first value of the new era is an operation of nobody's.
    stream.recover().unwrap();
    stream.enqueue(move || send.send(()).unwrap()).unwrap();
    bench.run();
    bench.assert_given(&["0.5 mark", "0.6 latch 2"]);
    bench.complete(0, 5);
    receive.try_recv().unwrap();
}

#[test]
fn a_shutdown_ends_functions_that_have_not_begun() {
    let (bench, stream) = bench();
    let (send, receive) = mpsc::channel();
    work(&stream);
    stream.enqueue(move || send.send(()).unwrap()).unwrap();
    let held = bench.held_stream(0);
    tell_all(held.cancel(&Error::failed("shut down")));
    bench.run();
    bench.complete(0, 2);
    assert_eq!(receive.recv(), Err(mpsc::RecvError));
    assert!(bench.given().contains(&"0 opens 1 of a failed stream".to_owned()));
}

#[test]
fn a_wait_that_is_put_while_a_function_submits_stands_before_a_latch_at_once() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)).with_latches());
    let (stream, gate) = (Arc::new(bench.borrowed()), Gate::new());
    let (same, point, seen) = (Arc::clone(&stream), gate.point(), Arc::clone(&bench));
    stream
        .submit(move |_| {
            same.wait(&point).unwrap();
            seen.assert_given(&["0.1 mark", "0.2 latch 1"]);
        })
        .unwrap();
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0 opens 1"]);
}

#[test]
fn a_gate_is_opened_behind_what_others_launched() {
    let (bench, stream) = bench();
    let gate = Gate::new();
    let opened = gate.point();
    stream.open(&gate).unwrap();
    bench.assert_given(&["0.1 mark"]);
    assert_pending(&opened);
    bench.complete(0, 1);
    assert_complete(&opened);
}

#[test]
fn a_latch_that_is_refused_leaves_the_mark_before_it_which_others_wait_for() {
    let (bench, stream) = bench();
    let other = bench.stream();
    stream.delay(Duration::ZERO).unwrap();
    bench.given();
    bench.refuse_after(1, "no latches");
    assert_eq!(stream.enqueue(|| ()).unwrap_err().kind(), Kind::Driver);
    other.wait(&stream.timeline().point(1)).unwrap();
    bench.assert_given(&["0.2 mark", "1.1 wait 0.1"]);
}

#[test]
fn a_latch_is_opened_although_somebody_with_the_order_lock_waits_for_the_driver() {
    let (bench, stream) = bench();
    let (bench, stream, gate) = (Arc::new(bench), Arc::new(stream), Gate::new());
    stream.delay(Duration::ZERO).unwrap();
    stream.wait(&gate.point()).unwrap();
    let _asked = stream.timeline().point(1).notify(drop).unwrap();
    bench.given();
    let (has_begun, go_on) = bench.pause_next();
    let same = Arc::clone(&stream);
    let full = thread::spawn(move || same.delay(Duration::ZERO).unwrap());
    has_begun.recv().unwrap();
    gate.open().unwrap();
    let pumped = Arc::clone(&bench);
    let pump = thread::spawn(move || pumped.run());
    // The driver has room once the latch is open.
    bench.await_given("0 opens 1");
    go_on.send(()).unwrap();
    full.join().unwrap();
    pump.join().unwrap();
}

#[test]
fn a_stream_that_fails_by_itself_stands_before_no_latch_and_fails_for_none_in_its_new_era() {
    let (bench, stream) = bench();
    let gate = Gate::new();
    work(&stream);
    stream.wait(&gate.point()).unwrap();
    bench.given();
    bench.held_stream(0).fail(1, &Error::failed("bad kernel"));
    bench.run();
    bench.assert_given(&["0 opens 1 of a failed stream"]);
    stream.recover().unwrap();
    gate.fail(Error::failed("no data")).unwrap();
    bench.run();
    assert!(stream.failure().is_none());
}

#[test]
fn a_latch_of_an_era_before_is_opened_and_fails_nothing_although_its_gate_failed_too() {
    let (bench, stream) = bench();
    let gate = Gate::new();
    work(&stream);
    stream.wait(&gate.point()).unwrap();
    bench.given();
    bench.held_stream(0).fail(1, &Error::failed("bad kernel"));
    stream.recover().unwrap();
    gate.fail(Error::failed("no data")).unwrap();
    bench.run();
    bench.assert_given(&["0 opens 1"]);
    assert!(stream.failure().is_none());
}

#[test]
fn a_shutdown_waits_for_a_function_whose_latch_was_opened_at_its_deadline() {
    let (bench, stream) = bench();
    let (bench, (release, released), (send, begun)) =
        (Arc::new(bench), mpsc::channel::<()>(), mpsc::channel());
    stream
        .enqueue(move || {
            send.send(()).unwrap();
            released.recv().unwrap();
        })
        .unwrap();
    let pumped = Arc::clone(&bench);
    let pump = thread::spawn(move || pumped.complete(0, 1));
    begun.recv_timeout(PATIENCE).unwrap();
    bench.held_stream(0).fail(2, &Error::failed("too late"));
    let left = bench.device().shutdown(Duration::ZERO).unwrap_err();
    assert_eq!(left.kind(), Kind::TimedOut);
    release.send(()).unwrap();
    pump.join().unwrap();
    bench.complete(0, 2);
    bench.device().shutdown(Duration::ZERO).unwrap();
}
