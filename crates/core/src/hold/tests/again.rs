//! Waits for the stream that was waited for last: they are as any other, whatever comes in between.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::thread;

use super::double::{Bench, Double};
use super::{assert_complete, assert_pending, failure_of, work};
use crate::error::{Error, Result};
use crate::hold::{Driver, HeldStream, Operation};

/// Tells the double to wait for a value of another stream, and remembers which.
pub(super) fn wait<const EACH: bool, const KEEPS: bool, const DEFERS: bool>(
    stream: &HeldStream<Double<EACH, KEEPS, DEFERS>>,
    awaits: &mut Option<Weak<dyn Any + Send + Sync>>,
    other: &Arc<HeldStream<Double<EACH, KEEPS, DEFERS>>>,
    awaited: u64,
) -> Result<()> {
    give(stream, other, awaited)?;
    let other: Arc<dyn Any + Send + Sync> =
        Arc::<HeldStream<Double<EACH, KEEPS, DEFERS>>>::clone(other);
    *awaits = Some(Arc::downgrade(&other));
    Ok(())
}

fn give<const EACH: bool, const KEEPS: bool, const DEFERS: bool>(
    stream: &HeldStream<Double<EACH, KEEPS, DEFERS>>,
    other: &Arc<HeldStream<Double<EACH, KEEPS, DEFERS>>>,
    awaited: u64,
) -> Result<()> {
    let value = stream.timeline().enqueued() + 1;
    Double::submit(&stream.this(), value, Operation::Wait { stream: other, value: awaited })
}

/// The same again, where that stream lives and has signalled it.
pub(super) fn wait_again<const EACH: bool, const KEEPS: bool, const DEFERS: bool>(
    stream: &HeldStream<Double<EACH, KEEPS, DEFERS>>,
    other: Option<&Weak<dyn Any + Send + Sync>>,
    awaited: u64,
) -> Option<Result<()>> {
    let other = other?.upgrade()?.downcast::<HeldStream<Double<EACH, KEEPS, DEFERS>>>().ok()?;
    if other.signals.completed() < awaited {
        return None;
    }
    Some(give(stream, &other, awaited).inspect(|()| stream.driver().note_again()))
}

fn bench() -> Bench<false> {
    Bench::new()
}

#[test]
fn a_stream_that_waits_for_two_in_turn_waits_for_the_right_one() {
    let bench = bench();
    let [a, b, waits] = [(); 3].map(|()| bench.stream());
    for value in 1..=3 {
        let [of_a, of_b] = [&a, &b].map(work);
        bench.given();
        waits.wait(&of_a).unwrap();
        waits.wait(&of_b).unwrap();
        let [first, second] = [2 * value - 1, 2 * value];
        bench.assert_given(&[
            &format!("2.{first} wait 0.{value}"),
            &format!("2.{second} wait 1.{value}"),
        ]);
    }
}

#[test]
fn what_a_stream_waits_for_already_is_waited_for_once() {
    let bench = bench();
    let [a, waits] = [(); 2].map(|()| bench.stream());
    let points = [(); 3].map(|()| work(&a));
    bench.given();
    for index in [1, 1, 0, 2, 2, 1, 0] {
        waits.wait(&points[index]).unwrap();
    }
    bench.assert_given(&["1.1 wait 0.2", "1.2 wait 0.3 again"]);
    assert_eq!(waits.statistics().elided, 5);
}

#[test]
fn a_wait_that_the_driver_refuses_leaves_no_trace() {
    let bench = bench();
    let [a, waits] = [(); 2].map(|()| bench.stream());
    waits.wait(&work(&a)).unwrap();
    let point = work(&a);
    bench.given();
    bench.refuse_next("on purpose");
    waits.wait(&point).unwrap_err();
    assert_eq!(waits.timeline().enqueued(), 1);
    waits.wait(&point).unwrap();
    bench.assert_given(&["1.2 wait 0.2 again"]);
}

#[test]
fn what_comes_behind_is_complete_once_its_points_are() {
    let bench = bench();
    let [a, waits] = [(); 2].map(|()| bench.stream());
    for _ in 0..2 {
        waits.wait(&work(&a)).unwrap();
    }
    let end = waits.record().unwrap();
    bench.complete(0, 1);
    bench.complete(1, 2);
    assert_pending(&end);
    bench.complete(0, 2);
    bench.run();
    assert_complete(&end);
}

#[test]
fn a_point_that_fails_while_the_driver_is_told_to_wait_fails_who_waits() {
    let bench = bench();
    let [a, waits] = [(); 2].map(|()| bench.stream());
    waits.wait(&work(&a)).unwrap();
    let point = work(&a);
    let (has_begun, go_on) = bench.pause_next();
    thread::scope(|scope| {
        let wait = scope.spawn(|| waits.wait(&point));
        has_begun.recv().unwrap();
        bench.held_stream(0).fail(2, &Error::failed("on purpose"));
        go_on.send(()).unwrap();
        wait.join().unwrap().unwrap();
    });
    assert_eq!(failure_of(&waits.timeline().point(2)), "on purpose");
    assert!(waits.record().unwrap().query().is_err());
}

#[test]
fn a_new_era_waits_anew() {
    let bench = bench();
    let [a, waits] = [(); 2].map(|()| bench.stream());
    let points = [(); 2].map(|()| work(&a));
    for point in &points {
        waits.wait(point).unwrap();
    }
    bench.held_stream(1).fail(1, &Error::failed("on purpose"));
    waits.recover().unwrap();
    bench.given();
    waits.wait(&points[1]).unwrap();
    assert_eq!(bench.given().len(), 1, "the new work would not know of the failure of the point");
}
