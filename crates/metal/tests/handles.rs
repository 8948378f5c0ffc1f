//! Handles given out and taken in: queues to which others commit as well, and shared events that others raise.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod double;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Gate, Kind, Mode, Reason, Result};
use syncpoint_metal::protocol::{Limits, borrow, timeline};

use double::{Double, Event, Queue, THREAD};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn what_others_commit_stands_behind_what_the_stream_waits_for() -> Result<()> {
    let device = Double::default().device();
    let (gate, stream) = (Gate::new(), device.stream()?);
    let queue = Queue::of(&stream)?;
    assert_eq!(stream.mode(), Mode::Exposed);
    stream.wait(&gate.point())?;
    let (is_open, ran) = (Arc::new(AtomicBool::new(false)), channel());
    let seen = Arc::clone(&is_open);
    queue.run(move || ran.0.send(seen.load(Ordering::SeqCst)).unwrap_or(()));
    is_open.store(true, Ordering::SeqCst);
    gate.open()?;
    assert_eq!(ran.1.recv_timeout(LONG), Ok(true), "it has run after the gate was opened");
    Ok(())
}

#[test]
fn a_record_on_a_queue_of_others_comes_behind_what_they_have_committed() -> Result<()> {
    let device = Double::default().device();
    let queue = Queue::of(&device.stream()?)?;
    let stream = borrow::<Double>(&device, queue.clone(), 32)?;
    assert_eq!(stream.mode(), Mode::Borrowed);
    let (let_go, waits) = channel::<()>();
    queue.run(move || waits.recv().unwrap_or(()));
    let behind = stream.record()?;
    assert!(!behind.query()?);
    drop(let_go);
    behind.synchronize_timeout(LONG)
}

/// An ordinary queue has room for 64, and stops for ever whoever asks it for one more: so would this test.
#[test]
fn an_ordinary_queue_taken_in_is_never_asked_for_more_than_the_room_that_was_left() -> Result<()> {
    let patience = Duration::from_millis(20);
    let device = Double::default().device_within(Limits { patience, ..Limits::default() });
    let (gate, queue) = (Gate::new(), Queue::ordinary());
    let stream = borrow::<Double>(&device, queue.clone(), 32)?;
    stream.wait(&gate.point())?;
    let refused = (0..65).find_map(|_| stream.record().err()).expect("the room ends");
    assert_eq!(refused.kind(), Kind::Exhausted);
    assert!(refused.message().contains("has room for 32"), "{refused}");
    let (sender, ran) = channel();
    queue.run(move || sender.send(()).unwrap_or(()));
    gate.open()?;
    ran.recv_timeout(LONG).expect("the others have their room");
    stream.record()?.synchronize_timeout(LONG)
}

/// Forty and forty of 64: without one count the queue would be asked for one more than it has, and stop for ever.
#[test]
fn streams_over_one_queue_have_its_room_together_whatever_their_devices() -> Result<()> {
    let patience = Duration::from_millis(20);
    let open = || Double::default().device_within(Limits { patience, ..Limits::default() });
    let (gate, queue) = (Gate::new(), Queue::ordinary());
    let first = Arc::new(borrow::<Double>(&open(), queue.clone(), 40)?);
    let second = borrow::<Double>(&open(), queue.clone(), 40)?;
    first.wait(&gate.point())?;
    let (sender, told) = channel();
    let stream = Arc::clone(&first);
    thread::spawn(move || {
        let records = || stream.record().and_then(|_| second.record()).err();
        let refused = (0..65).find_map(|_| records());
        sender.send(refused).unwrap_or(());
    });
    let refused = told.recv_timeout(LONG).expect("nobody is stopped").expect("the room ends");
    assert_eq!(refused.kind(), Kind::Exhausted);
    let (sender, ran) = channel();
    queue.run(move || sender.send(()).unwrap_or(()));
    gate.open()?;
    ran.recv_timeout(LONG).expect("the others have their room");
    first.record()?.synchronize_timeout(LONG)
}

/// Of a stream of ours there is room for 64 beside what it has itself: that counts where its queue is taken in.
#[test]
fn a_queue_that_was_given_out_is_taken_in_with_what_its_stream_has_on_its_way() -> Result<()> {
    let limits = Limits { most: 40, patience: Duration::from_millis(20) };
    let device = Double::default().device_within(limits);
    let (gate, stream) = (Gate::new(), device.stream()?);
    let taken_in = Arc::new(borrow::<Double>(&device, Queue::of(&stream)?, 104)?);
    stream.wait(&gate.point())?;
    let filled = std::iter::repeat_with(|| stream.record()).map_while(Result::ok).last();
    let (sender, told) = channel();
    let records = Arc::clone(&taken_in);
    thread::spawn(move || {
        let more = std::iter::repeat_with(|| records.record()).map_while(Result::ok).last();
        sender.send(more).unwrap_or(());
    });
    let last = told.recv_timeout(LONG).expect("nobody is stopped");
    gate.open()?;
    for point in filled.iter().chain(&last) {
        point.synchronize_timeout(LONG)?;
    }
    assert!(filled.is_some() && last.is_some());
    Ok(())
}

/// Two libraries, each with a number of its own. What one puts while a function of the other's is at work takes no place of
/// its mark, for which nobody could be refused.
#[test]
fn a_function_finds_room_for_its_mark_whatever_another_stream_over_the_queue_takes() -> Result<()> {
    for rooms in [(40, 8), (40, 40), (8, 8), (8, 40)] {
        let patience = Duration::from_millis(20);
        let open = || Double::default().device_within(Limits { patience, ..Limits::default() });
        let (gate, queue) = (Gate::new(), Queue::ordinary());
        let theirs = borrow::<Double>(&open(), queue.clone(), rooms.0)?;
        let ours = borrow::<Double>(&open(), queue.clone(), rooms.1)?;
        theirs.wait(&gate.point())?;
        let (sender, taken) = channel();
        ours.submit(move |_raw| {
            let points = std::iter::repeat_with(|| theirs.record()).map_while(Result::ok);
            sender.send(points.last()).unwrap_or(());
        })?;
        let last = taken.recv().ok().flatten().expect("there is room for one");
        gate.open()?;
        last.synchronize_timeout(LONG)?;
        // A stream that had failed would say so.
        ours.record()?.synchronize_timeout(LONG)?;
    }
    Ok(())
}

#[test]
fn a_queue_without_room_for_a_function_and_one_operation_is_not_taken_in() -> Result<()> {
    let device = Double::default().device();
    let refused = borrow::<Double>(&device, Queue::ordinary(), 2).map(drop).unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::OutOfRange));
    assert!(refused.message().starts_with("2 command buffers"), "{refused}");
    let stream = Arc::new(borrow::<Double>(&device, Queue::ordinary(), 3)?);
    for _ in 0..100 {
        let (inside, (recorded, is_recorded)) = (Arc::clone(&stream), channel());
        stream.enqueue(|| {})?;
        stream.submit(move |_raw| recorded.send(inside.record_timed()).unwrap_or(()))?;
        is_recorded.recv_timeout(LONG).expect("it was called")?;
    }
    stream.record()?.synchronize_timeout(LONG)
}

#[test]
fn a_delay_on_a_queue_of_others_holds_back_what_they_commit() -> Result<()> {
    let device = Double::default().device();
    let stream = device.stream()?;
    let queue = Queue::of(&stream)?;
    let (sender, ran) = channel();
    let begun = Instant::now();
    let pause = Duration::from_millis(30);
    stream.delay(pause)?;
    queue.run(move || sender.send(begun.elapsed()).unwrap_or(()));
    assert!(ran.recv_timeout(LONG).expect("the delay ends") >= pause);
    stream.delay(Duration::ZERO)?;
    stream.enqueue(|| {})?;
    stream.record()?.synchronize_timeout(LONG)
}

#[test]
fn a_queue_is_not_given_out_while_its_stream_holds_work() -> Result<()> {
    let device = Double::default().device();
    let (gate, stream) = (Gate::new(), device.stream()?);
    stream.wait(&gate.point())?;
    stream.enqueue(|| {})?;
    let refused = Queue::of(&stream).expect_err("it holds work");
    assert_eq!(refused.kind(), Kind::Misuse(Reason::Held));
    gate.open()?;
    stream.record()?.synchronize_timeout(LONG)?;
    Queue::of(&stream).map(drop)
}

#[test]
fn streams_and_devices_of_others_are_refused_by_name() -> Result<()> {
    let host = syncpoint::open("host:0")?;
    let refused = Queue::of(&host.stream()?).expect_err("it is the host's");
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WrongDevice));
    let queue = Queue::of(&Double::default().device().stream()?)?;
    let refused = borrow::<Double>(&host, queue, 32).map(drop).expect_err("it is the host's");
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WrongDevice));
    Ok(())
}

#[test]
fn a_shared_event_of_others_is_waited_for_by_streams_of_any_backend() -> Result<()> {
    let (event, device) = (Event::default(), Double::default().device());
    let theirs = timeline::<Double>(event.clone());
    let (ours, host) = (device.stream()?, syncpoint::open("host:0")?.stream()?);
    let seen = Arc::new(AtomicU64::new(0));
    for stream in [&ours, &host] {
        let seen = Arc::clone(&seen);
        stream.wait(&theirs.point(7))?;
        stream.enqueue(move || {
            seen.fetch_add(1, Ordering::SeqCst);
        })?;
    }
    event.set(6);
    theirs.point(6).synchronize_timeout(LONG)?;
    assert!(!theirs.point(7).query()? && seen.load(Ordering::SeqCst) == 0);
    let late = theirs.point(7).synchronize_timeout(Duration::from_millis(1));
    assert_eq!(late.expect_err("nobody has raised it").kind(), Kind::TimedOut);
    event.set(9);
    ours.record()?.synchronize_timeout(LONG)?;
    host.record()?.synchronize_timeout(LONG)?;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    Ok(())
}

#[test]
fn where_metal_does_not_wait_for_a_shared_event_whoever_waits_looks_at_it() -> Result<()> {
    let event = Event::sleepless();
    let theirs = timeline::<Double>(event.clone());
    let stream = Double::default().device().stream()?;
    stream.wait(&theirs.point(2))?;
    let behind = stream.record()?;
    let late = theirs.point(2).synchronize_timeout(Duration::from_millis(10));
    assert_eq!(late.expect_err("nobody has raised it").kind(), Kind::TimedOut);
    event.set(2);
    theirs.point(2).synchronize_timeout(LONG)?;
    behind.synchronize_timeout(LONG)
}

#[test]
fn a_notification_for_a_shared_event_of_others_fires_once_for_its_value_on_a_thread_of_ours() {
    let event = Event::default();
    let theirs = timeline::<Double>(event.clone());
    let (sender, told) = channel();
    let notification = theirs.point(3).notify(move |outcome| {
        let name = thread::current().name().unwrap_or("").to_owned();
        sender.send((outcome.is_ok(), name)).unwrap_or(());
    });
    for value in [2, 3, 4, 5] {
        event.set(value);
    }
    let (is_ok, name) = told.recv_timeout(LONG).expect("it fires");
    assert!(is_ok && name != THREAD, "{name}");
    assert!(told.recv_timeout(Duration::from_millis(20)).is_err(), "once");
    drop(notification);
}

#[test]
fn a_shared_event_that_is_set_backwards_takes_nothing_back() -> Result<()> {
    let event = Event::default();
    let theirs = timeline::<Double>(event.clone());
    event.set(5);
    assert!(theirs.point(5).query()?);
    event.set(2);
    assert!(theirs.point(5).query()? && !theirs.point(6).query()?);
    event.set(6);
    theirs.point(6).synchronize_timeout(LONG)
}
