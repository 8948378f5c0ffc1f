//! Room on a queue: whatever begins has its places there, and a call that finds none is refused.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod double;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Gate, Kind, Point, Result, Stream};
use syncpoint_conformance::patience::until;
use syncpoint_metal::protocol::{Limits, borrow};

use double::{Double, Queue, block};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn without_room_on_a_queue_of_others_an_operation_waits_and_is_then_refused() -> Result<()> {
    let limits = Limits { most: 8, patience: Duration::from_millis(20) };
    let device = Double::default().device_within(limits);
    let (stream, gate) = (device.stream()?, Gate::new());
    Queue::of(&stream)?;
    stream.wait(&gate.point())?;
    let refused = (0..9).find_map(|_| stream.record().err()).expect("eight are on their way");
    assert_eq!(refused.kind(), Kind::Exhausted);
    assert!(refused.message().contains("has room for 8"), "{refused}");
    gate.open()?;
    record_at_last(&stream)?.synchronize_timeout(LONG)
}

/// A record, however often there is no room for it.
fn record_at_last(stream: &Stream) -> Result<Point> {
    let deadline = Instant::now() + LONG;
    loop {
        match stream.record() {
            Err(error) if error.kind() == Kind::Exhausted && Instant::now() < deadline => {}
            recorded => return recorded,
        }
    }
}

/// Has nine threads submit functions that return once all have begun that do, and `meanwhile` was called. Says how the others
/// were refused.
fn submit_nine(stream: &Stream, meanwhile: impl FnOnce() -> Result<()>) -> Result<Vec<Kind>> {
    let (inside, returns) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let submit = || {
        let (inside, returns) = (Arc::clone(&inside), Arc::clone(&returns));
        stream.submit(move |_raw| {
            inside.fetch_add(1, Ordering::SeqCst);
            while !returns.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..9).map(|_| scope.spawn(submit)).collect();
        let refused = || threads.iter().filter(|thread| thread.is_finished()).count();
        until("nine begin or are refused", || {
            inside.load(Ordering::SeqCst) + refused() == threads.len()
        });
        let done = meanwhile();
        returns.store(true, Ordering::SeqCst);
        let ends = threads.into_iter().map(|thread| thread.join().expect("it only submits"));
        let refused = ends.filter_map(|end| end.map(drop).err());
        done.map(|()| refused.map(|error| error.kind()).collect())
    })
}

/// Behind a gate, where the marks of all of them would need more room than there is.
#[test]
fn functions_that_return_at_once_find_room_for_their_marks() -> Result<()> {
    let limits = Limits { most: 8, patience: Duration::from_millis(20) };
    let device = Double::default().device_within(limits);
    let (stream, gate) = (device.stream()?, Gate::new());
    Queue::of(&stream)?;
    stream.wait(&gate.point())?;
    // The mark before the latch takes a place until its end was heard.
    until("the end of the mark", || stream.statistics().queued <= 1);
    let refused = submit_nine(&stream, || Ok(()))?;
    assert_eq!(refused, [Kind::Exhausted; 5], "four have room for their marks");
    gate.open()?;
    record_at_last(&stream)?.synchronize_timeout(LONG)
}

/// Nothing is on its way as they begin. Where each did, what comes before their marks would leave no room for those.
#[test]
fn what_is_put_before_functions_return_takes_no_room_of_their_marks() -> Result<()> {
    let limits = Limits { most: 8, patience: Duration::from_millis(20) };
    let device = Double::default().device_within(limits);
    let (stream, gate) = (device.stream()?, Gate::new());
    Queue::of(&stream)?;
    let refused = submit_nine(&stream, || stream.wait(&gate.point()))?;
    assert_eq!(refused, [Kind::Exhausted; 4], "five have room for their marks");
    gate.open()?;
    record_at_last(&stream)?.synchronize_timeout(LONG)
}

/// Openings and waits for what came meanwhile are nothing to the device; a record behind each is.
#[test]
fn without_room_a_stream_keeps_what_is_nothing_to_the_device_too() -> Result<()> {
    let limits = Limits { most: 8, patience: Duration::from_millis(20) };
    let device = Double::default().device_within(limits);
    let (stream, gates) = (device.stream()?, [(); 20].map(|()| Gate::new()));
    let end = block(&stream)?;
    for gate in &gates {
        stream.open(gate)?;
        stream.record()?;
    }
    assert!(stream.statistics().waits_for_room == 0, "nobody sleeps for room");
    drop(end);
    gates.iter().try_for_each(|gate| gate.point().synchronize_timeout(LONG))?;
    let (stream, gates) = (device.stream()?, [(); 20].map(|()| Gate::new()));
    let end = block(&stream)?;
    for gate in &gates {
        stream.wait(&gate.point())?;
        stream.record()?;
    }
    gates.iter().try_for_each(Gate::open)?;
    // As many as there is room for have passed, and the rest is kept.
    until("four that have room", || stream.statistics().held <= 16);
    let last = stream.record()?;
    drop(end);
    last.synchronize_timeout(LONG)
}

/// Also while that one is at the head of the line: the gate that makes the room is opened behind the record.
#[test]
fn who_has_room_on_a_queue_goes_on_beside_who_has_none() -> Result<()> {
    let device = Double::default().device_within(Limits { most: 256, patience: LONG });
    let (queue, gate) = (Queue::ordinary(), Gate::new());
    let ample = borrow::<Double>(&device, queue.clone(), 256)?;
    let little = borrow::<Double>(&device, queue, 3)?;
    ample.wait(&gate.point())?;
    thread::scope(|scope| {
        let sleeps = scope.spawn(|| little.record());
        until("the sleep for room", || little.statistics().waits_for_room == 1);
        ample.record()?;
        ample.submit(|_raw| ())?;
        gate.open()?;
        sleeps.join().expect("it only records")?.synchronize_timeout(LONG)
    })
}
