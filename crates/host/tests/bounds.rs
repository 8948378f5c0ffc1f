//! Large numbers: gates, items, hops, events, records, and the bound of a queue.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Device, Event, EventOptions, Gate, Kind, Result, Stream};
use syncpoint_conformance::again;
use syncpoint_conformance::patience::{
    PATIENCE, assert_held, failure_of, promptly, refused, settle, until,
};

/// The bound of a stream's queue (rule 10 of the scheduler, in the documentation of the crate).
const BOUND: usize = 1 << 20;

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

/// Enqueues work that counts.
fn count_up(stream: &Stream, ran: &Arc<AtomicUsize>) -> Result<()> {
    let ran = Arc::clone(ran);
    stream.enqueue(move || {
        ran.fetch_add(1, Ordering::Relaxed);
    })
}

#[test]
fn ten_thousand_gates_open_in_any_order() {
    let count = 10_000;
    let (stream, ran) = (host().stream().unwrap(), Arc::new(AtomicUsize::new(0)));
    let mut gates: Vec<_> = (0..count).map(|_| Gate::new()).collect();
    for gate in &gates {
        stream.wait(&gate.point()).unwrap();
        count_up(&stream, &ran).unwrap();
    }
    let end = stream.record().unwrap();
    let first = gates.remove(0);
    // Every seventh first, then what is left from the back.
    let (early, late): (Vec<_>, Vec<_>) =
        gates.into_iter().enumerate().partition(|(index, _)| index % 7 == 0);
    for (_, gate) in early.into_iter().chain(late.into_iter().rev()) {
        gate.open().unwrap();
    }
    assert_held(&end);
    assert_eq!(ran.load(Ordering::Relaxed), 0, "the first gate holds all");
    first.open().unwrap();
    settle(&end);
    assert_eq!(ran.load(Ordering::Relaxed), count);
}

#[test]
fn ten_thousand_gates_dropped_at_once_fail_ten_thousand_streams() {
    let device = host();
    let held: Vec<_> = (0..10_000)
        .map(|_| {
            let (stream, gate) = (device.stream().unwrap(), Gate::new());
            stream.wait(&gate.point()).unwrap();
            (stream, gate)
        })
        .collect();
    let (streams, gates): (Vec<_>, Vec<_>) = held.into_iter().unzip();
    drop(gates);
    for stream in &streams {
        failure_of(&stream.record().unwrap());
    }
}

#[test]
fn a_parked_stream_takes_a_million_items_and_refuses_one_beyond_its_bound() {
    let (stream, gate, ran) =
        (host().stream().unwrap(), Gate::new(), Arc::new(AtomicUsize::new(0)));
    stream.wait(&gate.point()).unwrap();
    for _ in 1..BOUND {
        count_up(&stream, &ran).unwrap();
    }
    let end = stream.record().unwrap();
    let error = refused(count_up(&stream, &ran), Kind::Exhausted);
    assert!(error.to_string().contains(&BOUND.to_string()), "{error} must say the bound");
    refused(stream.wait(&Gate::new().point()), Kind::Exhausted);
    refused(stream.record_timed(), Kind::Exhausted);
    assert_eq!(stream.record().unwrap(), end, "a refused item takes no value");

    gate.open().unwrap();
    settle(&end);
    assert_eq!(ran.load(Ordering::Relaxed), BOUND - 1);
    count_up(&stream, &ran).unwrap();
    settle(&stream.record().unwrap());
}

#[test]
fn an_enqueue_beyond_the_bound_never_blocks() {
    let (stream, gate) = (host().stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    let (stream, count) = promptly(move || {
        let count = (0..BOUND + 10).filter(|_| stream.enqueue(|| ()).is_ok()).count();
        (stream, count)
    });
    assert_eq!(count, BOUND - 1);
    gate.open().unwrap();
    settle(&stream.record().unwrap());
}

/// Hops from one stream to the other and back, behind a gate.
fn hops(count: usize, with_work: bool) -> ([Stream; 2], Gate) {
    let device = host();
    let (streams, gate) = ([device.stream().unwrap(), device.stream().unwrap()], Gate::new());
    streams[0].wait(&gate.point()).unwrap();
    for hop in 0..count {
        let (from, to) = (&streams[hop % 2], &streams[(hop + 1) % 2]);
        if with_work {
            from.enqueue(|| ()).unwrap();
        }
        to.wait_stream(from).unwrap();
    }
    (streams, gate)
}

/// Runs this on a thread that overflows its stack where it needs more than a little.
fn on_a_small_stack(code: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().stack_size(64 * 1024);
    builder.spawn(code).unwrap().join().unwrap();
}

#[test]
fn a_million_hops_need_no_stack_of_the_thread_that_helps() {
    let ([first, second], gate) = hops(1_000_000, false);
    on_a_small_stack(move || {
        gate.open().unwrap();
        first.synchronize().unwrap();
        second.synchronize().unwrap();
    });
}

#[test]
fn a_million_hops_need_no_stack_of_the_thread_that_drops_the_gate() {
    let ([first, second], gate) = hops(1_000_000, false);
    on_a_small_stack(move || drop(gate));
    for stream in [first, second] {
        failure_of(&stream.record().unwrap());
    }
}

#[test]
fn a_hundred_thousand_hops_with_work_need_no_stack() {
    let ([first, second], gate) = hops(100_000, true);
    on_a_small_stack(move || {
        gate.open().unwrap();
        second.synchronize().unwrap();
        first.synchronize().unwrap();
    });
}

#[test]
fn a_million_hops_with_work_need_no_stack_of_workers() {
    // Threads that say nothing of their stack get one of this size: the workers, and the test's own.
    let name = "a_million_hops_with_work_need_no_stack_of_workers";
    if !again::is_child(name, &[], &[("RUST_MIN_STACK", "65536")]) {
        return;
    }
    let ([first, second], gate) = hops(1_000_000, true);
    gate.open().unwrap();
    // With a deadline, so that nobody helps.
    for stream in [first, second] {
        stream.synchronize_timeout(6 * PATIENCE).unwrap();
    }
}

#[test]
fn a_chain_of_ten_thousand_streams_is_followed_in_a_small_stack() {
    let (device, gate) = (host(), Gate::new());
    let streams: Vec<_> = (0..10_000).map(|_| device.stream().unwrap()).collect();
    streams[0].wait(&gate.point()).unwrap();
    for pair in streams.windows(2) {
        pair[0].enqueue(|| ()).unwrap();
        pair[1].wait_stream(&pair[0]).unwrap();
    }
    let end = streams[streams.len() - 1].record().unwrap();
    on_a_small_stack(move || {
        let error = refused(end.synchronize_timeout(Duration::ZERO), Kind::TimedOut);
        assert_eq!(error.report().unwrap().links().len(), 10_000);
        gate.open().unwrap();
        end.synchronize().unwrap();
    });
}

#[test]
fn a_million_events_live_at_once() {
    let stream = host().stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    let events: Vec<_> = (0..1_000_000).map(|_| Event::new(EventOptions::new())).collect();
    for event in &events {
        event.record(&stream).unwrap();
    }
    settle(&stream.record().unwrap());
    assert!(events.iter().all(|event| event.query().unwrap()));
}

#[test]
fn one_event_is_recorded_a_hundred_thousand_times_and_every_point_is_its_own() {
    let (stream, event) = (host().stream().unwrap(), Event::new(EventOptions::new()));
    let mut last = 0;
    for _ in 0..100_000 {
        stream.enqueue(|| ()).unwrap();
        event.record(&stream).unwrap();
        let value = event.point().unwrap().value();
        assert!(value > last, "no ring and no counter begins again");
        last = value;
    }
    settle(&event.point().unwrap());
}

#[test]
fn a_hundred_thousand_waiters_for_values_in_no_order_cost_little_more_each_than_a_tenth_of_them() {
    let best = |count| (0..3).map(|_| listed_and_woken(count)).min().unwrap();
    let [few, many] = [10_000, 100_000].map(best);
    // Ten times as much where each costs the same, a hundred times where each goes through all others.
    assert!(many < 40 * few, "{few:?} for ten thousand, {many:?} for a hundred thousand");
}

/// How long it takes to list so many waiters with one timeline, and to wake them all.
fn listed_and_woken(count: usize) -> Duration {
    let (stream, gate) = (host().stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    let points: Vec<_> = (0..count)
        .map(|_| {
            stream.enqueue(|| ()).unwrap();
            stream.record().unwrap()
        })
        .collect();
    let (ran, last, begin) =
        (Arc::new(AtomicUsize::new(0)), points[count - 1].clone(), Instant::now());
    for index in 0..count {
        let counter = Arc::clone(&ran);
        let count_up = move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        // A step that shares no factor with the count comes to each value once, in no order.
        points[index * 7919 % count].notify(count_up).unwrap();
    }
    gate.open().unwrap();
    settle(&last);
    until("the last of the callbacks", || ran.load(Ordering::Relaxed) == count);
    begin.elapsed()
}
