//! Who is told of a failure may wait, on the spot, for anything that has failed with it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;

use super::double::{Bench, PATIENCE};
use super::{failure_of, held, work};
use crate::error::{Error, Kind, Result};
use crate::future::Completion;
use crate::gate::Gate;
use crate::point::Point;

/// When woken, waits for a point.
struct WaitsFor {
    other: Point,
    outcome: Mutex<Option<Result<()>>>,
}

impl Wake for WaitsFor {
    fn wake(self: Arc<Self>) {
        *self.outcome.lock().unwrap() = Some(self.other.synchronize_timeout(PATIENCE));
    }
}

/// Somebody who awaits a point, and then waits for another.
struct Waiter {
    waker: Arc<WaitsFor>,
    _awaits: Pin<Box<Completion>>,
}

impl Waiter {
    fn of(point: &Point, other: &Point) -> Self {
        let waker = Arc::new(WaitsFor { other: other.clone(), outcome: Mutex::default() });
        let mut awaits = Box::pin(point.clone().into_future());
        let first =
            awaits.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&waker))));
        assert!(first.is_pending(), "{point} has not settled");
        Self { waker, _awaits: awaits }
    }
}

#[track_caller]
fn assert_told(waiters: &[Waiter], kind: Kind) {
    for waiter in waiters {
        let outcome = waiter.waker.outcome.lock().unwrap().take().expect("it was woken");
        assert_eq!(outcome.expect_err("it failed").kind(), kind, "and nobody slept for it");
    }
}

/// The device of the first stream is lost; that of the others is another.
fn lose_first(bench: &Bench<true>) {
    let first = bench.held_stream(0);
    let error = Error::new(Kind::DeviceLost, "the double is lost; open it anew");
    first.domain().lose(|driver| std::ptr::eq(driver, first.driver()), &error);
}

/// Each waits for the other, so that one is told first whatever the order is.
#[test]
fn who_is_told_of_a_loss_may_wait_for_any_other_stream_of_the_device() {
    let bench = Bench::<true>::new();
    let streams = [bench.stream(), bench.stream()];
    let [first, second] = streams.each_ref().map(work);
    let waiters = [(&first, &second), (&second, &first)].map(|(own, other)| Waiter::of(own, other));
    bench.lose();
    assert_told(&waiters, Kind::DeviceLost);
}

#[test]
fn who_is_told_of_a_loss_may_wait_for_a_gate_that_any_stream_of_the_device_was_to_open() {
    let bench = Bench::<true>::new();
    let streams = [bench.stream(), bench.stream()];
    let points = streams.each_ref().map(work);
    let gates = [Gate::new(), Gate::new()];
    for (stream, gate) in streams.iter().zip(&gates) {
        stream.open(gate).unwrap();
    }
    let waiters: Vec<_> = points
        .iter()
        .flat_map(|point| gates.each_ref().map(|gate| Waiter::of(point, &gate.point())))
        .collect();
    bench.lose();
    assert_told(&waiters, Kind::DeviceLost);
}

#[test]
fn who_is_told_of_a_failure_may_wait_for_a_gate_behind_it_and_for_who_waits_natively() {
    let bench = Bench::<true>::new();
    let (fails, waits, gate) = (bench.stream(), bench.stream(), Gate::new());
    let failed = work(&fails);
    fails.open(&gate).unwrap();
    waits.wait(&failed).unwrap();
    let waiters = [Waiter::of(&failed, &gate.point()), Waiter::of(&failed, &work(&waits))];
    bench.held_stream(0).fail(1, &Error::failed("bad kernel"));
    assert_told(&waiters, Kind::Failed);
}

/// No crew pumps meanwhile: what is held has failed before anybody is told.
#[test]
fn who_is_told_of_a_loss_may_wait_for_a_stream_that_is_held_for_it_or_for_its_gate() {
    let bench = Bench::<true>::new();
    let ((lost, _closed), gate) = (held(&bench), Gate::new());
    let point = work(&lost);
    lost.open(&gate).unwrap();
    let waiters = [&point, &gate.point()].map(|awaited| {
        let waits = bench.stream();
        waits.wait(awaited).unwrap();
        Waiter::of(&point, &work(&waits))
    });
    lose_first(&bench);
    assert_told(&waiters, Kind::DeviceLost);
    bench.assert_given(&[]);
}

#[test]
fn what_is_held_behind_a_wait_that_has_not_failed_does_not_fail_before_it() {
    let bench = Bench::<true>::new();
    let lost = bench.stream();
    let ((waits, gate), point) = (held(&bench), work(&lost));
    let before = work(&waits);
    waits.wait(&point).unwrap();
    let behind = work(&waits);
    lose_first(&bench);
    super::assert_pending(&before);
    super::assert_pending(&behind);
    gate.open().unwrap();
    bench.run();
    bench.complete(1, 2);
    super::assert_complete(&before);
    assert!(failure_of(&behind).contains("lost"));
}

/// The waiter is told by the thread that makes the loss known, and would sleep before the stream is roused.
#[test]
fn who_is_told_of_a_loss_may_wait_for_a_stream_of_another_backend_that_is_held_for_it() {
    let (bench, others) = (Bench::<true>::new(), Bench::<false>::new());
    let [first, second] = [bench.stream(), bench.stream()].map(|stream| work(&stream));
    let waits = others.stream();
    let of_one_point = Waiter::of(&second, &waits.timeline().point(1));
    waits.wait(&second).unwrap();
    let of_another = Waiter::of(&first, &waits.timeline().point(1));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                others.run();
                thread::yield_now();
            }
        });
        bench.lose();
        is_over.store(true, Ordering::Relaxed);
    });
    let waiters = [of_one_point, of_another];
    assert_told(&waiters, Kind::DeviceLost);
}

#[test]
fn who_waits_is_told_of_a_loss_although_who_lets_go_meanwhile_panics() {
    let bench = Bench::<true>::new();
    let point = work(&bench.stream());
    let waiter = Waiter::of(&point, &point);
    let error = Error::new(Kind::DeviceLost, "the double is lost; open it anew");
    let let_go = || std::panic::panic_any("on purpose");
    bench.held_stream(0).domain().lose_then(|_every| true, &error, let_go);
    assert_told(&[waiter], Kind::DeviceLost);
}
