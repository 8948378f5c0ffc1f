//! Models of the hold queue: what is held goes to the driver once and in order, whoever puts, wakes and completes.

#![expect(clippy::expect_used, reason = "a model is a test")]

mod deferred;
mod double;
mod fills;
mod peers;
mod planted;
mod records;

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use loom::thread;

use super::HeldStream;
use crate::buffer::Buffer;
use crate::contract::{RawStream, tell_all};
use crate::error::{Error, Result};
use crate::gate::Gate;
use crate::model::holds;
use crate::point::{Point, State};
use crate::stream::Stream;
use crate::sync::{AtomicU64, Ordering};
use crate::wait::Wait;
use double::{Bench, Double};

#[test]
fn what_gates_hold_goes_to_the_driver_once_and_in_order() {
    holds(2, || two_gates_open(Bench::new()));
}

#[test]
fn a_wait_for_a_held_value_is_given_to_the_driver_after_that_value() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (held, waits, gate) = (bench.stream(), bench.stream(), Gate::new());
        held.wait(&gate.point()).expect("a wait");
        let awaited = work(&held);
        let opener = thread::spawn(move || gate.open().expect("nobody used it"));
        waits.wait(&awaited).expect("a wait");
        let end = work(&waits);
        engine_runs_to(&bench, &end);
        sleep_until(&end);
        opener.join().expect("a gate opens");
        bench.close();
    });
}

#[test]
fn host_work_runs_after_the_device_and_before_what_is_behind_it() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (stream, order) = (bench.stream(), Arc::new(AtomicU64::new(0)));
        work(&stream);
        let host = Arc::clone(&order);
        // Relaxed: the stream orders the engine's work, the host's and the engine's again.
        let note = move || host.store(host.load(Ordering::Relaxed) * 10 + 2, Ordering::Relaxed);
        stream.enqueue(note).expect("room for work");
        let end = work(&stream);
        for digit in [1, 3] {
            let given = bench.engine.take().expect("more may come");
            order.store(order.load(Ordering::Relaxed) * 10 + digit, Ordering::Relaxed);
            given.ends();
        }
        sleep_until(&end);
        assert_eq!(order.load(Ordering::Relaxed), 123, "device, host, device");
        bench.close();
    });
}

#[test]
fn a_gate_is_open_before_the_value_that_opened_it_is_complete() {
    holds(3, || an_opening_lands(HeldStream::complete));
}

#[test]
fn a_record_beside_work_of_another_thread_signals_no_value_twice() {
    holds(2, || a_record_beside(delay));
}

#[test]
fn a_wait_beside_the_landing_of_what_has_no_signal_is_none_of_the_device() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (opens, waits, gate) = (bench.stream(), bench.stream(), Gate::new());
        work(&opens);
        // The second value is an opening, and nothing to the driver.
        opens.open(&gate).expect("a promise");
        let opened = opens.timeline().point(2);
        let engine = thread::spawn({
            let engine = Arc::clone(&bench.engine);
            move || {
                while let Some(given) = engine.take() {
                    assert!(!given.is_early, "the driver was told to wait for what nobody signals");
                    given.ends();
                }
            }
        });
        waits.wait(&opened).expect("a wait");
        sleep_until(&work(&waits));
        bench.engine.close();
        engine.join().expect("the engine ends");
        bench.close();
    });
}

#[test]
fn a_failure_reaches_whoever_waits_natively_beside_it() {
    holds(2, || a_peer_fails(HeldStream::fail, HeldStream::complete, delay));
}

#[test]
fn a_failure_that_reaches_a_waiter_twice_fails_no_other_era_of_it() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (fails, waits) = (bench.stream(), bench.stream());
        let awaited = work(&fails);
        waits.wait(&awaited).expect("the failure is not known yet");
        let [fails, waiter] = [&awaited, &waits.timeline().point(1)].map(raw);
        let spreads = thread::spawn(move || fails.fail(1, &Error::failed("on purpose")));
        // As the device does that was let through: it lands, and finds the failure by itself.
        waiter.complete(1);
        let failure = waits.recover().expect("no device is lost");
        spreads.join().expect("a failure is told");
        assert!(failure.is_none() || waits.failure().is_none(), "another era has failed");
        drop(waiter);
        bench.close();
    });
}

#[test]
fn whoever_sleeps_for_a_value_without_a_signal_has_it_marked() {
    holds(2, || {
        let bench = Bench::<false>::new();
        let (stream, gate) = (bench.stream(), Gate::new());
        stream.wait(&gate.point()).expect("a wait");
        let end = work(&stream);
        let opener = thread::spawn(move || gate.open().expect("nobody used it"));
        engine_runs_to(&bench, &end);
        sleep_until(&end);
        opener.join().expect("a gate opens");
        bench.close();
    });
}

#[test]
fn whoever_sleeps_for_a_value_before_one_that_was_asked_for_has_it_marked() {
    holds(2, || {
        let bench = Bench::<false>::new();
        let (stream, gate) = (bench.stream(), Gate::new());
        stream.delay(Duration::from_nanos(1)).expect("a delay");
        stream.wait(&gate.point()).expect("a wait");
        stream.record().expect("a point");
        sleep_beside(&bench, stream.timeline().point(1), || ());
        drop(gate);
        bench.close();
    });
}

#[test]
fn whoever_sleeps_for_a_value_that_is_just_enqueued_has_it_marked() {
    holds(2, || {
        let bench = Bench::<false>::new();
        let stream = bench.stream();
        sleep_beside(&bench, stream.timeline().point(1), || {
            stream.delay(Duration::from_nanos(1)).expect("a delay");
        });
        bench.close();
    });
}

#[test]
fn a_cancellation_beside_the_worker_leaves_nobody_asleep() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (stream, gate, promised) = (bench.stream(), Gate::new(), Gate::new());
        stream.wait(&gate.point()).expect("a wait");
        stream.open(&promised).expect("a promise");
        let opened = stream.record().expect("a point");
        let opener = thread::spawn(move || gate.open().expect("nobody used it"));
        tell_all(raw(&opened).cancel(&Error::failed("on purpose")));
        let settled = outcome(&opened).is_ok();
        assert_eq!(outcome(&promised.point()).is_ok(), settled, "a gate and its opening");
        opener.join().expect("a gate opens");
        bench.close();
    });
}

#[test]
fn a_stream_that_recovers_beside_the_worker_goes_on() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (stream, gate) = (bench.stream(), Gate::new());
        stream.wait(&gate.point()).expect("a wait");
        let failed = work(&stream);
        drop(gate);
        assert!(outcome(&failed).is_err(), "a failed gate was waited for in vain");
        stream.recover().expect("no device is lost");
        let end = work(&stream);
        engine_runs_to(&bench, &end);
        sleep_until(&end);
        assert!(outcome(&failed).is_err(), "a failure was forgotten");
        bench.close();
    });
}

#[test]
fn a_failure_beside_a_recovery_is_one_for_everybody_or_for_nobody() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let stream = bench.stream();
        let held = raw(&stream.timeline().point(1));
        let fails = thread::spawn({
            let held = Arc::clone(&held);
            move || held.fail(1, &Error::failed("on purpose"))
        });
        stream.recover().expect("no device is lost");
        fails.join().expect("a failure is told");
        stream.recover().expect("no device is lost");
        let next = held.timeline().enqueued() + 1;
        let listed = held.signals.register(next, Waker::noop().clone());
        assert!(listed.is_some(), "only those who wait natively see a failure");
        drop(held);
        bench.close();
    });
}

#[test]
fn what_was_refused_stays_marked_beside_the_end_of_what_was_refused_before() {
    holds(3, || two_are_refused(HeldStream::complete));
}

#[test]
fn each_latch_is_opened_with_its_gate() {
    holds(2, || two_latches_open(Bench::new()));
}

#[test]
fn a_function_runs_before_its_latch_is_opened_and_after_what_is_before_it() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (stream, order) = (bench.exposed(), Arc::new(AtomicU64::new(0)));
        work(&stream);
        let host = Arc::clone(&order);
        // Relaxed: the stream orders the engine's work, the host's and the engine's again.
        let note = move || host.store(host.load(Ordering::Relaxed) * 10 + 2, Ordering::Relaxed);
        stream.enqueue(note).expect("room for work");
        let end = stream.record().expect("a point");
        order.store(1, Ordering::Relaxed);
        engine_runs_to(&bench, &end);
        sleep_until(&end);
        assert_eq!(order.load(Ordering::Relaxed), 12, "device, host");
        bench.close();
    });
}

#[test]
fn a_cancellation_beside_the_worker_leaves_no_latch_closed() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let stream = bench.exposed();
        stream.enqueue(|| ()).expect("room for work");
        let end = stream.record().expect("a point");
        tell_all(raw(&end).cancel(&Error::failed("on purpose")));
        engine_runs_to(&bench, &end);
        let _either = outcome(&end);
        bench.close();
    });
}

#[test]
fn a_failure_beside_a_wait_leaves_no_latch_closed() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (stream, gate) = (bench.exposed(), Gate::new());
        let held = raw(&stream.timeline().point(1));
        let fails = thread::spawn(move || held.fail(1, &Error::failed("on purpose")));
        if stream.wait(&gate.point()).is_ok() {
            // A mark, and the latch.
            for _ in 0..2 {
                bench.engine.take().expect("more may come").ends();
            }
        }
        fails.join().expect("a failure is told");
        drop(gate);
        bench.close();
    });
}

/// How a driver says that it has come to a value.
type Complete = fn(&HeldStream<Double<true>>, u64);

/// How a driver says that the operation of a value has failed.
type Fail = fn(&HeldStream<Double<true>>, u64, &Error);

/// A stream is held by two gates, one behind the other, which two threads open.
fn two_gates_open(bench: Bench<true>) {
    let (stream, first, second) = (bench.stream(), Gate::new(), Gate::new());
    stream.wait(&first.point()).expect("a wait");
    let opener = thread::spawn(move || first.open().expect("nobody used it"));
    work(&stream);
    stream.wait(&second.point()).expect("a wait");
    let end = work(&stream);
    second.open().expect("nobody used it");
    engine_runs_to(&bench, &end);
    sleep_until(&end);
    opener.join().expect("a gate opens");
    bench.close();
}

/// The device stands before two latches, one behind the other, which two gates open, each by a thread.
fn two_latches_open(bench: Bench<true>) {
    let (stream, first, second) = (bench.exposed(), Gate::new(), Gate::new());
    stream.wait(&first.point()).expect("a wait");
    let opener = thread::spawn(move || first.open().expect("nobody used it"));
    stream.wait(&second.point()).expect("a wait");
    let end = stream.record().expect("a point");
    second.open().expect("nobody used it");
    engine_runs_to(&bench, &end);
    sleep_until(&end);
    opener.join().expect("a gate opens");
    bench.close();
}

/// An engine comes to device work on both sides of an opening in one step, while another thread asks.
fn an_opening_lands(complete: Complete) {
    let bench = Bench::<true>::new();
    let (stream, gate) = (bench.stream(), Gate::new());
    work(&stream);
    stream.open(&gate).expect("a promise");
    let (end, opened) = (work(&stream), gate.point());
    let engine = thread::spawn({
        let engine = Arc::clone(&bench.engine);
        move || {
            let _first = engine.take().expect("more may come");
            let last = engine.take().expect("more may come");
            complete(&last.stream, last.value);
        }
    });
    let is_complete = matches!(end.known(), State::Complete);
    let is_open = matches!(opened.known(), State::Complete);
    assert!(is_open || !is_complete, "a value is complete and its gate closed");
    engine.join().expect("the engine ends");
    assert!(outcome(&opened).is_ok(), "the gate was forgotten");
    bench.close();
}

/// One thread records while another puts work on the stream.
fn a_record_beside(put: Put) {
    let bench = Bench::<true>::new();
    let (stream, buffer) = (Arc::new(bench.stream()), bench.buffer());
    let puts = thread::spawn({
        let stream = Arc::clone(&stream);
        move || put(&stream, &buffer).expect("a point")
    });
    let recorded = stream.record().expect("a point");
    let end = puts.join().expect("work is put");
    engine_runs_to(&bench, &end);
    sleep_until(&recorded);
    sleep_until(&end);
    bench.close();
}

/// Work fails on one stream, while another is told to wait for it. The engine lets through who waits natively.
fn a_peer_fails(fail: Fail, complete: Complete, put: Put) {
    let bench = Bench::<true>::new();
    let (fails, waits, buffer) = (bench.stream(), bench.stream(), bench.buffer());
    let awaited = put(&fails, &buffer).expect("a point");
    let engine = thread::spawn({
        let engine = Arc::clone(&bench.engine);
        move || {
            let given = engine.take().expect("more may come");
            fail(&given.stream, given.value, &Error::failed("on purpose"));
            while let Some(given) = engine.take() {
                complete(&given.stream, given.value);
            }
        }
    });
    waits.wait(&awaited).expect("the failure is not known yet");
    let end = put(&waits, &buffer).map_or_else(Err, |point| outcome(&point));
    assert!(end.is_err(), "a failure did not reach who waits for it");
    bench.engine.close();
    engine.join().expect("the engine ends");
    bench.close();
}

/// A question about a value is refused, and one about the next beside the end of the first.
fn two_are_refused(complete: Complete) {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let held = raw(&work(&stream));
    held.fail_unnoticed(1, &Error::failed("on purpose"));
    let engine = thread::spawn({
        let held = Arc::clone(&held);
        move || complete(&held, 1)
    });
    stream.recover().expect("no device is lost");
    let next = work(&stream).value();
    held.fail_unnoticed(next, &Error::failed("on purpose"));
    engine.join().expect("the engine ends");
    assert!(held.timeline().is_unheard(), "the mark of the second is gone");
    held.complete(next);
    assert!(!held.timeline().is_unheard(), "the device has come so far");
    drop(held);
    bench.close();
}

/// A short piece of device work.
fn work(stream: &Stream) -> Point {
    stream.delay(Duration::from_nanos(1)).expect("a delay");
    stream.record().expect("a point")
}

/// A short piece of device work, and its end.
type Put = fn(&Stream, &Buffer) -> Result<Point>;

fn delay(stream: &Stream, _buffer: &Buffer) -> Result<Point> {
    stream.delay(Duration::from_nanos(1))?;
    stream.record()
}

/// A thread sleeps until a point has settled, while another enqueues and the engine comes to it.
fn sleep_beside(bench: &Bench<false>, point: Point, enqueue: impl FnOnce()) {
    let awaited = point.clone();
    let sleeper = thread::spawn(move || sleep_until(&awaited));
    enqueue();
    engine_runs_to(bench, &point);
    sleeper.join().expect("a sleeper wakes");
}

/// The engine comes to everything up to the signal of a point. It comes in the order of values, each once.
fn engine_runs_to<const EACH: bool, const DEFERS: bool>(
    bench: &Bench<EACH, DEFERS>,
    point: &Point,
) {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    loop {
        let given = bench.engine.take().expect("more may come");
        assert!(!given.is_early, "the driver was told to wait for what nobody signals");
        let (stream, value) = (given.stream.timeline().id(), given.value);
        let next =
            seen.insert(stream, value).map_or(1, |before| before + u64::from(!given.is_mark));
        assert!(value >= next, "an operation came twice, or behind a later one");
        let is_last = given.signals && (stream, value) == (point.timeline().id(), point.value());
        given.ends();
        if is_last {
            return;
        }
    }
}

fn raw(point: &Point) -> Arc<HeldStream<Double<true>>> {
    point.timeline().own_stream().expect("the stream lives")
}

fn sleep_until(point: &Point) {
    outcome(point).expect("nothing fails here");
}

/// Sleeps until a point has settled.
fn outcome(point: &Point) -> Result<()> {
    point.synchronize_with(Wait::Block, None)
}
