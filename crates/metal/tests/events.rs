//! Events with the semantics of MPS: what PyTorch's three generations of them have got wrong, row by row.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod double;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::{Event, EventOptions, EventPool, Gate, Kind, Reason, Result};
use syncpoint_metal::protocol::{signal_of, timeline};

use double::{Double, Queue};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// A page fault.
const FAULT: i64 = 3;

fn with_handle() -> Result<Event> {
    EventOptions::builder().native_handle().build().map(Event::new)
}

#[test]
fn each_record_signals_the_next_value_of_the_shared_event() -> Result<()> {
    let device = Double::default().device();
    let (event, stream) = (with_handle()?, device.stream()?);
    for value in 1..=5 {
        event.record(&stream)?;
        event.synchronize_timeout(LONG)?;
        stream.record()?.synchronize_timeout(LONG)?;
        let (shared, promised) = signal_of::<Double>(&event)?;
        assert_eq!((promised, shared.value()), (value, value));
    }
    Ok(())
}

#[test]
fn two_queues_never_signal_one_event_out_of_order() -> Result<()> {
    let device = Double::default().device();
    let (event, first, second) = (with_handle()?, device.stream()?, device.stream()?);
    let (let_go, waits) = channel::<()>();
    first.submit(move |raw| {
        let queue = raw.native::<Queue>().expect("a queue is lent");
        queue.run(move || waits.recv().unwrap_or(()));
    })?;
    event.record(&first)?;
    let (pending, old) = signal_of::<Double>(&event)?;
    let behind_first = event.point()?;
    event.record(&second)?;
    event.synchronize_timeout(LONG)?;
    second.record()?.synchronize_timeout(LONG)?;
    let (shared, value) = signal_of::<Double>(&event)?;
    assert!(!Arc::ptr_eq(&shared, &pending) && value > old, "another event, and a larger value");
    assert_eq!((pending.value(), shared.value()), (0, value));
    assert!(!behind_first.query()?, "the point of the first record stays what it was");
    drop(let_go);
    behind_first.synchronize_timeout(LONG)?;
    first.record()?.synchronize_timeout(LONG)?;
    assert_eq!(pending.value(), old, "who waits for the old signal is let through");
    event.record(&first)?;
    first.record()?.synchronize_timeout(LONG)?;
    let (same, _) = signal_of::<Double>(&event)?;
    assert!(Arc::ptr_eq(&same, &shared), "nothing was pending: it goes on");
    Ok(())
}

#[test]
fn a_killed_signal_fails_its_stream_and_is_given_by_the_host() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (event, stream) = (with_handle()?, device.stream()?);
    event.record(&stream)?;
    stream.record()?.synchronize_timeout(LONG)?;
    double.kill(0, FAULT);
    event.record(&stream)?;
    event.synchronize_timeout(LONG)?;
    let error = stream.record()?.synchronize_timeout(LONG).expect_err("the signal was killed");
    assert_eq!(error.code().map(|(code, _)| code), Some(FAULT));
    let (shared, value) = signal_of::<Double>(&event)?;
    timeline::<Double>(double::Event::clone(&shared)).point(value).synchronize_timeout(LONG)?;
    assert!(stream.recover()?.is_some());
    event.record(&stream)?;
    stream.record()?.synchronize_timeout(LONG)?;
    assert_eq!((shared.value(), value), (3, 2), "what comes later signals further");
    Ok(())
}

/// Others wait for the signal because of what is before it.
#[test]
fn a_signal_that_is_killed_by_itself_lets_nobody_through_before_the_work_that_it_tells_of()
-> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (event, stream) = (with_handle()?, device.stream()?);
    event.record(&stream)?;
    stream.record()?.synchronize_timeout(LONG)?;
    let (let_go, waits) = channel::<()>();
    stream.submit(move |raw| {
        let queue = raw.native::<Queue>().expect("a queue is lent");
        queue.run(move || waits.recv().unwrap_or(()));
    })?;
    double.kill_early(0, FAULT);
    event.record(&stream)?;
    let before = event.point()?;
    let (shared, value) = signal_of::<Double>(&event)?;
    let theirs = timeline::<Double>(double::Event::clone(&shared));
    assert_eq!((shared.value(), value), (1, 2));
    let early = theirs.point(2).synchronize_timeout(Duration::from_millis(20));
    assert_eq!(early.expect_err("the work runs still").kind(), Kind::TimedOut);
    drop(let_go);
    theirs.point(2).synchronize_timeout(LONG)?;
    before.synchronize_timeout(LONG)?;
    assert!(stream.record()?.synchronize_timeout(LONG).is_err(), "and the stream tells of it");
    Ok(())
}

#[test]
fn a_record_that_is_refused_promises_nothing() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (event, stream) = (with_handle()?, device.stream()?);
    event.record(&stream)?;
    stream.record()?.synchronize_timeout(LONG)?;
    for _ in 0..2 {
        double.refuse(1);
        assert_eq!(event.record(&stream).expect_err("no room").kind(), Kind::Exhausted);
        assert_eq!(signal_of::<Double>(&event)?.1, 1, "nobody signals more");
    }
    event.record(&stream)?;
    stream.record()?.synchronize_timeout(LONG)?;
    let (shared, value) = signal_of::<Double>(&event)?;
    assert_eq!((shared.value(), value), (2, 2));
    Ok(())
}

#[test]
fn a_device_that_is_removed_leaves_nobody_before_an_event() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (event, stream) = (with_handle()?, device.stream()?);
    let (let_go, waits) = channel::<()>();
    stream.submit(move |raw| {
        let queue = raw.native::<Queue>().expect("a queue is lent");
        queue.run(move || waits.recv().unwrap_or(()));
    })?;
    for _ in 0..3 {
        event.record(&stream)?;
    }
    let (shared, value) = signal_of::<Double>(&event)?;
    double.remove();
    drop(let_go);
    timeline::<Double>(double::Event::clone(&shared)).point(value).synchronize_timeout(LONG)
}

#[test]
fn what_a_stream_holds_is_signalled_when_it_goes() -> Result<()> {
    let device = Double::default().device();
    let (event, stream, gate) = (with_handle()?, device.stream()?, Gate::new());
    event.record(&stream)?;
    stream.wait(&gate.point())?;
    event.record(&stream)?;
    assert_eq!(signal_of::<Double>(&event)?.1, 1, "the second is held");
    gate.open()?;
    stream.record()?.synchronize_timeout(LONG)?;
    let (shared, value) = signal_of::<Double>(&event)?;
    assert_eq!((value, shared.value()), (2, 2));
    Ok(())
}

#[test]
fn thousands_of_records_wait_for_room_and_pass() -> Result<()> {
    let limits = syncpoint_metal::protocol::Limits { most: 4, patience: LONG };
    let device = Double::default().device_within(limits);
    let (event, stream) = (with_handle()?, device.stream()?);
    for _ in 0..1_000 {
        event.record(&stream)?;
    }
    stream.record()?.synchronize_timeout(LONG)?;
    assert_eq!(signal_of::<Double>(&event)?.1, 1_000);
    Ok(())
}

#[test]
fn completion_is_no_flag_that_its_first_reader_consumes() -> Result<()> {
    let device = Double::default().device();
    let (stream, buffer) = (device.stream()?, device.buffer(64)?);
    let start = stream.record_timed()?;
    stream.fill(&buffer, 0..64, 1)?;
    let end = stream.record_timed()?;
    for _ in 0..3 {
        end.synchronize_timeout(LONG)?;
        assert!(end.query()?);
        let span = end.elapsed_since(&start)?;
        assert_eq!(span, end.elapsed_since(&start)?);
    }
    Ok(())
}

#[test]
fn an_event_of_a_pool_comes_back_never_recorded_and_its_late_signal_harms_nobody() -> Result<()> {
    let device = Double::default().device();
    let stream = device.stream()?;
    let (pool, options) = (EventPool::bounded(1), EventOptions::builder().native_handle().build()?);
    let (let_go, waits) = channel::<()>();
    stream.submit(move |raw| {
        let queue = raw.native::<Queue>().expect("a queue is lent");
        queue.run(move || waits.recv().unwrap_or(()));
    })?;
    let lent = pool.event(&device, options)?;
    lent.record(&stream)?;
    let id = lent.id();
    drop(lent);
    let again = pool.event(&device, options)?;
    assert!(again.point().is_err(), "it was never recorded");
    assert_ne!(again.id(), id, "another loan, another id");
    drop(let_go);
    stream.record()?.synchronize_timeout(LONG)?;
    assert!(again.point().is_err(), "the signal of the loan before is none of this one's");
    Ok(())
}

#[test]
fn an_event_without_a_handle_says_how_to_make_one_with() -> Result<()> {
    let device = Double::default().device();
    let event = Event::new(EventOptions::new());
    event.record(&device.stream()?)?;
    assert_eq!(signal_of::<Double>(&event).map(drop).unwrap_err().kind(), Kind::Unsupported);
    let refused = signal_of::<Double>(&with_handle()?).map(drop).unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::NotRecorded));
    Ok(())
}
