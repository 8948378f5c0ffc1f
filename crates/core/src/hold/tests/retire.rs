//! What is retired with a point that fails is dropped only when nothing of its work runs any more.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::double::Bench;
use super::{held, work};
use crate::contract::RawStream;
use crate::error::Error;
use crate::gate::Gate;
use crate::point::Point;
use crate::retire::{Retirement, retire};

/// Longer than the notifier ever takes.
const DEADLINE: Duration = Duration::from_secs(10);

/// Tells of its end.
struct Resource(Sender<()>);

impl Drop for Resource {
    fn drop(&mut self) {
        // Nobody may listen any more.
        let _heard = self.0.send(());
    }
}

/// A resource that was retired.
struct Retired {
    retirement: Retirement,
    dropped: Receiver<()>,
}

impl Retired {
    fn with(point: &Point) -> Self {
        let (send, dropped) = channel();
        let retirement = retire(Resource(send), [point.clone()]).expect("a notifier");
        Self { retirement, dropped }
    }

    #[track_caller]
    fn assert_kept(&self) {
        // What the notifier was given before, and what it was given by that, is done.
        for _ in 0..2 {
            let (send, done) = channel();
            crate::notify::post(move || send.send(()).expect("the test listens"));
            done.recv_timeout(DEADLINE).expect("the notifier runs");
        }
        let outcome = self.dropped.recv_timeout(Duration::ZERO);
        assert_eq!(outcome, Err(RecvTimeoutError::Timeout), "dropped while its work may run");
        assert_eq!(self.retirement.holders().len(), 1);
    }

    #[track_caller]
    fn assert_dropped(&self) {
        self.dropped.recv_timeout(DEADLINE).expect("nothing uses it any more");
        assert!(self.retirement.holders().is_empty());
    }
}

fn fail<const EACH: bool>(bench: &Bench<EACH>, value: u64) {
    bench.held_stream(0).fail(value, &Error::failed("bad kernel"));
}

#[test]
fn a_resource_goes_when_its_point_is_complete() {
    let bench = Bench::<true>::new();
    let retired = Retired::with(&work(&bench.stream()));
    retired.assert_kept();
    bench.complete(0, 1);
    retired.assert_dropped();
}

#[test]
fn a_resource_of_failed_work_stays_until_the_device_is_past_it() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let (point, _next) = (work(&stream), work(&stream));
    let retired = Retired::with(&point);
    fail(&bench, 1);
    retired.assert_kept();
    bench.complete(0, 1);
    retired.assert_dropped();
    let late = Retired::with(&point);
    late.assert_dropped();
}

#[test]
fn failed_work_that_nobody_would_hear_of_is_marked_for_the_sake_of_its_resource() {
    let bench = Bench::<false>::new();
    let stream = bench.stream();
    stream.delay(Duration::ZERO).unwrap();
    fail(&bench, 1);
    let retired = Retired::with(&stream.timeline().point(1));
    retired.assert_kept();
    bench.run();
    bench.assert_given(&["0.1 delay", "0.1 mark"]);
    assert_eq!(bench.expected(), [(0, 1)]);
    bench.complete(0, 1);
    retired.assert_dropped();
}

#[test]
fn what_was_not_noticed_and_is_heard_of_later_is_marked_no_more_while_its_stream_lives() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let retired = Retired::with(&work(&stream));
    bench.held_stream(0).fail_unnoticed(1, &Error::failed("a refused question"));
    assert!(stream.timeline().is_unheard());
    retired.assert_kept();
    bench.complete(0, 1);
    assert!(!stream.timeline().is_unheard(), "the device has come so far");
    retired.assert_dropped();
}

#[test]
fn a_resource_of_work_that_never_began_goes_when_that_fails() {
    let bench = Bench::<true>::new();
    let (stream, gate) = held(&bench);
    let retired = Retired::with(&work(&stream));
    gate.fail(Error::failed("on purpose")).unwrap();
    bench.run();
    retired.assert_dropped();
}

#[test]
fn a_resource_goes_with_the_device_that_used_it() {
    let bench = Bench::<true>::new();
    let retired = Retired::with(&work(&bench.stream()));
    fail(&bench, 1);
    retired.assert_kept();
    bench.lose();
    retired.assert_dropped();
}

#[test]
fn a_resource_of_a_stream_that_stands_inside_the_driver_holds_up_no_other() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let first = work(&stream);
    let retired = thread::scope(|scope| {
        let (begun, go_on) = bench.pause_next();
        let second = scope.spawn(|| work(&stream));
        begun.recv_timeout(DEADLINE).expect("it is given to the driver");
        fail(&bench, 1);
        let retired = Retired::with(&first);
        retired.assert_kept();
        bench.held_stream(0).complete(1);
        go_on.send(()).expect("it waits for this");
        second.join().expect("it is put");
        retired
    });
    bench.run();
    retired.assert_dropped();
}

#[test]
fn a_resource_that_is_left_to_whoever_pumps_holds_up_no_latch() {
    let bench = Bench::<false>::new().with_latches();
    let (stream, gate) = (bench.borrowed(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    thread::scope(|scope| {
        let (begun, go_on) = bench.pause_next();
        let put = scope.spawn(|| work(&stream));
        begun.recv_timeout(DEADLINE).expect("it is given to the driver");
        bench.held_stream(0).keep(1, Arc::new(()));
        gate.open().unwrap();
        let pumps = scope.spawn(|| bench.run());
        bench.await_given("0 opens 1");
        go_on.send(()).expect("it waits for this");
        put.join().expect("it is put");
        pumps.join().expect("it pumps");
    });
}

#[test]
fn a_resource_of_work_that_is_being_given_to_the_driver_as_it_fails_stays_until_that_is_over() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let retired = thread::scope(|scope| {
        let (begun, go_on) = bench.pause_next();
        let given = scope.spawn(|| work(&stream));
        begun.recv_timeout(DEADLINE).expect("it is given to the driver");
        fail(&bench, 1);
        let retired = Retired::with(&stream.timeline().point(1));
        retired.assert_kept();
        go_on.send(()).expect("it waits for this");
        given.join().expect("it is put");
        retired
    });
    bench.run();
    retired.assert_kept();
    bench.complete(0, 1);
    retired.assert_dropped();
}

#[test]
fn a_resource_of_a_function_at_work_stays_until_what_that_submits_is_over() {
    let bench = Arc::new(Bench::<true>::lending(Some(7)));
    let (stream, gate) = (bench.stream(), Gate::new());
    stream.delay(Duration::ZERO).unwrap();
    stream.wait(&gate.point()).unwrap();
    let (inside, (send, receive)) = (Arc::clone(&bench), channel());
    let point = stream.timeline().point(3);
    stream
        .submit(move |_| {
            fail(&inside, 1);
            inside.held_stream(0).complete(1);
            let retired = Retired::with(&point);
            retired.assert_kept();
            send.send(retired).unwrap();
        })
        .unwrap();
    gate.open().unwrap();
    bench.run();
    let retired = receive.try_recv().unwrap();
    retired.assert_kept();
    bench.complete(0, 3);
    retired.assert_dropped();
}

#[test]
fn a_resource_of_a_function_that_fails_stays_until_what_it_had_submitted_is_over() {
    let bench = Bench::<true>::lending(Some(7));
    let stream = bench.stream();
    stream.submit(|_| Err::<(), _>("the second of two batches")).unwrap();
    let retired = Retired::with(&stream.timeline().point(1));
    retired.assert_kept();
    bench.run();
    bench.assert_given(&["0.1 mark"]);
    bench.complete(0, 1);
    retired.assert_dropped();
}

#[test]
fn a_resource_of_a_function_at_work_stays_although_the_device_is_lost() {
    let bench = Arc::new(Bench::<true>::new());
    let (stream, inside) = (bench.stream(), Arc::clone(&bench));
    let (send, receive) = channel();
    let point = stream.timeline().point(1);
    stream
        .enqueue(move || {
            inside.lose();
            let retired = Retired::with(&point);
            retired.assert_kept();
            send.send(retired).unwrap();
        })
        .unwrap();
    bench.run();
    receive.try_recv().unwrap().assert_dropped();
}

#[test]
fn a_resource_of_a_function_behind_a_latch_stays_although_its_value_has_failed() {
    let bench = Arc::new(Bench::<false>::new().with_latches());
    let (stream, inside) = (bench.borrowed(), Arc::clone(&bench));
    let (send, receive) = channel();
    let point = stream.timeline().point(2);
    stream
        .enqueue(move || {
            // Its latch was opened at its deadline.
            fail(&inside, 2);
            inside.held_stream(0).complete(2);
            let retired = Retired::with(&point);
            retired.assert_kept();
            send.send(retired).unwrap();
        })
        .unwrap();
    bench.complete(0, 1);
    receive.try_recv().unwrap().assert_dropped();
}
