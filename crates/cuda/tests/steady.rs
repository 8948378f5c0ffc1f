//! What a program does all the time, once it is in its stride: the driver's own call, and nothing of the system's.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fake;

use std::hint::black_box;
use std::time::Duration;

use syncpoint::{Point, Stream};
use syncpoint_conformance::allocation::{count, made};
use syncpoint_conformance::counting_allocator;
use syncpoint_conformance::secluded::without_system_calls;

use fake::Fake;

counting_allocator!();

/// How many times: as many rows, lists and tables have grown to their size after.
const TIMES: u32 = 2000;

/// Where nobody asks, the backend asks at most once in so many records which events it needs no more, with a question and
/// two exchanges of the mode in which it is asked.
const SELDOM: u64 = 64;

/// Two streams of a device whose context is current on this thread, and a point that stays pending for `pending` queries.
/// From then on the driver does nothing, and says of every event that it has come.
fn streams(pending: u32) -> (Stream, Stream, Point) {
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0).unwrap();
    fake.make_current(0);
    let (stream, other) = (device.stream().unwrap(), device.stream().unwrap());
    fake.script(&format!(
        "not_ready cuEventQuery {pending}; fail cuEventRecord * 0; fail cuStreamWaitEvent * 0; \
         fail cuEventQuery * 0; fail cuThreadExchangeStreamCaptureMode * 0"
    ));
    let point = work(&stream);
    (stream, other, point)
}

/// The point of some work for which the driver is not called.
fn work(stream: &Stream) -> Point {
    stream.delay(Duration::ZERO).unwrap();
    stream.record().unwrap()
}

/// Records, waits and queries, again and again.
fn round(stream: &Stream, other: &Stream) {
    for _ in 0..TIMES {
        let point = work(stream);
        other.wait(&point).unwrap();
        let behind = other.record().unwrap();
        // First: what waited for it is known complete only once it is.
        assert!(black_box(point).query().unwrap());
        assert!(black_box(behind).query().unwrap());
    }
}

/// Records, and nobody asks.
fn unasked(stream: &Stream) {
    for _ in 0..TIMES {
        drop(black_box(work(stream)));
    }
}

fn query(pending: &Point) {
    for _ in 0..TIMES {
        assert!(!black_box(pending).query().unwrap());
    }
}

/// How many allocations and how many calls of the driver some code makes.
fn made_and_called(code: impl FnOnce()) -> (u64, u64) {
    let calls = Fake::used().count("*");
    let before = made();
    code();
    (made() - before, Fake::used().count("*") - calls)
}

/// One test, because it counts the calls of the whole process.
#[test]
fn records_waits_and_queries_are_one_call_each_and_allocate_nothing_and_ask_no_system() {
    count();
    let (stream, other, pending) = streams(TIMES * 2);
    assert_eq!(made_and_called(|| query(&pending)), (0, TIMES.into()), "a query is one call");
    assert!(without_system_calls(move || move || query(&pending)), "and none of the system's");

    round(&stream, &other);
    let (allocations, calls) = made_and_called(|| round(&stream, &other));
    assert_eq!(allocations, 0, "in its stride a program allocates nothing");
    assert_eq!(
        calls,
        5 * u64::from(TIMES),
        "two records, a wait and two queries, and no call besides"
    );

    unasked(&stream);
    let (allocations, calls) = made_and_called(|| unasked(&stream));
    assert_eq!(allocations, 0, "nor does one that never asks");
    let records = u64::from(TIMES);
    let most = records + 3 * records.div_ceil(SELDOM);
    assert!((records..=most).contains(&calls), "{calls} calls, where {most} do");
    assert!(without_system_calls(move || {
        Fake::used().make_current(0);
        // Their drops would ring for the thread that ends what is dropped.
        let (stream, other) = &*Box::leak(Box::new((stream, other)));
        round(stream, other);
        move || round(stream, other)
    }));
}
