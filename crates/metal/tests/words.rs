//! What an `MPSEvent` does, call by call: record, wait, notify, query, synchronize, and the time between two.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod double;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use syncpoint::{Error, Event, EventOptions, EventPool, EventState, Kind, Reason, Result};
use syncpoint_conformance::patience::until;

use double::{Double, Fault, THREAD, block};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// A page fault.
const FAULT: i64 = 3;

fn timed() -> Event {
    Event::new(EventOptions::timed())
}

#[test]
fn a_timed_record_ends_its_command_buffer_and_nobody_need_commit_another() -> Result<()> {
    let double = Double::default();
    let (event, stream) = (timed(), double.device().stream()?);
    event.record(&stream)?;
    let committed = double.commits();
    event.synchronize_timeout(LONG)?;
    let end = event.timed_point()?.timestamp()?;
    assert!(end.nanos > 0);
    assert_eq!(double.commits(), committed, "nobody has committed another");
    let long = block(&stream)?;
    event.query()?;
    assert_eq!(event.timed_point()?.timestamp()?.nanos, end.nanos, "what comes later is not in it");
    drop(long);
    Ok(())
}

#[test]
fn a_query_loses_no_wait_that_comes_after_it() -> Result<()> {
    let device = Double::default().device();
    let (records, waits) = (device.stream()?, device.stream()?);
    let (event, end) = (device.event(), block(&records)?);
    event.record(&records)?;
    (0..3).try_for_each(|_| event.query().map(|is_over| assert!(!is_over)))?;
    waits.wait_event(&event)?;
    let behind = waits.record()?;
    assert!(!event.query()? && !behind.query()?, "it waits, whoever has asked");
    drop(end);
    behind.synchronize_timeout(LONG)?;
    assert!(event.query()? && event.query()?);
    Ok(())
}

#[test]
fn a_wait_is_for_the_record_of_the_call_on_whichever_stream() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (first, later, waits) = (device.stream()?, device.stream()?, device.stream()?);
    let event = device.event();
    let (end, end_later) = (block(&first)?, block(&later)?);
    event.record(&first)?;
    waits.wait_event(&event)?;
    event.record(&later)?;
    let (behind, buffer) = (waits.record()?, device.buffer(8)?);
    assert!(!behind.query()?);
    drop(end);
    behind.synchronize_timeout(LONG)?;
    assert!(!event.query()?, "the later record neither delays nor satisfies it");
    drop(end_later);
    event.synchronize_timeout(LONG)?;
    let committed = double.commits();
    waits.wait_event(&event)?;
    assert_eq!(double.commits(), committed, "what is signalled already is skipped");
    waits.fill(&buffer, 0..8, 1)?;
    waits.record()?.synchronize_timeout(LONG)
}

#[test]
fn a_wait_for_an_event_never_recorded_is_over_at_once() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (event, stream) = (device.event(), device.stream()?);
    stream.wait_event(&event)?;
    event.synchronize_timeout(LONG)?;
    assert_eq!((double.commits(), event.query()?, event.query_recorded()?), (0, true, false));
    Ok(())
}

/// What a notification was told, and on which thread.
type Told = (Result<(), Error>, String);

fn notified(event: &Event) -> Result<Receiver<Told>> {
    let (sender, told) = channel();
    let notification = event.notify(move |outcome| {
        let name = thread::current().name().unwrap_or("").to_owned();
        sender.send((outcome, name)).unwrap_or(());
    })?;
    drop(notification);
    Ok(told)
}

#[test]
fn a_notification_is_for_the_record_of_the_call_and_comes_once_on_a_thread_of_ours() -> Result<()> {
    let device = Double::default().device();
    let (event, first, later) = (device.event(), device.stream()?, device.stream()?);
    let (end, end_later) = (block(&first)?, block(&later)?);
    event.record(&first)?;
    let told = notified(&event)?;
    event.record(&later)?;
    drop(event);
    assert!(told.try_recv().is_err());
    drop(end);
    let (outcome, name) = told.recv_timeout(LONG).expect("it comes, though its event is gone");
    assert!(outcome.is_ok() && name != THREAD, "on {name}");
    drop(end_later);
    later.record()?.synchronize_timeout(LONG)?;
    assert!(told.recv_timeout(LONG).is_err(), "what was told it once is gone");
    Ok(())
}

#[test]
fn a_notification_and_whoever_synchronizes_hear_of_killed_work() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (event, stream, buffer) = (device.event(), device.stream()?, device.buffer(8)?);
    let end = block(&stream)?;
    double.kill(0, FAULT);
    stream.fill(&buffer, 0..8, 1)?;
    event.record(&stream)?;
    let told = notified(&event)?;
    assert!(!event.query()?);
    drop(end);
    let (outcome, name) = told.recv_timeout(LONG).expect("it comes");
    let error = outcome.expect_err("the work was killed");
    assert!(name != THREAD && error.code().is_some_and(|(code, _)| code == FAULT), "{error}");
    assert!(event.synchronize().expect_err("as above").is_same(&error));
    assert!(event.query().expect_err("and no flag was consumed").is_same(&error));
    Ok(())
}

#[test]
fn no_thread_finds_an_event_not_recorded_while_it_is_recorded_again() -> Result<()> {
    let device = Double::default().device();
    let (event, stream) = (timed(), device.stream()?);
    event.record(&stream)?;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let looks = scope.spawn(|| -> Result<u64> {
            let mut looks = 0;
            while !is_over.load(Ordering::SeqCst) || looks == 0 {
                assert!(!matches!(event.state(), EventState::NeverRecorded));
                event.timed_point()?;
                looks += 1;
            }
            Ok(looks)
        });
        (0..200).try_for_each(|_| event.record(&stream))?;
        is_over.store(true, Ordering::SeqCst);
        looks.join().expect("it only looks").map(drop)
    })?;
    event.synchronize_timeout(LONG)
}

#[test]
fn who_waits_for_a_time_holds_up_no_other_event_and_no_pool() -> Result<()> {
    let device = Double::default().device();
    let (stream, other, pool) = (device.stream()?, device.stream()?, EventPool::bounded(1));
    let (start, end) = (timed(), timed());
    start.record(&stream)?;
    let let_go = block(&stream)?;
    end.record(&stream)?;
    let refused = end.elapsed_since(&start).expect_err("it is not complete");
    assert_eq!(refused.kind(), Kind::Misuse(Reason::NotComplete), "nobody waits in there");
    thread::scope(|scope| {
        let waits = scope.spawn(|| end.synchronize_timeout(LONG));
        let lent = pool.event(&device, EventOptions::timed())?;
        lent.record(&other)?;
        lent.synchronize_timeout(LONG)?;
        assert_eq!(lent.elapsed_since(&lent)?, Duration::ZERO);
        drop(lent);
        assert!(pool.event(&device, EventOptions::timed()).is_ok() && !end.query()?);
        drop(let_go);
        waits.join().expect("it only waits")
    })?;
    end.elapsed_since(&start).map(drop)
}

#[test]
fn the_first_of_several_killed_command_buffers_is_told_and_the_others_are_counted() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (event, stream, buffer) = (device.event(), device.stream()?, device.buffer(8)?);
    let end = block(&stream)?;
    for _ in 0..3 {
        double.kill(0, FAULT);
        stream.fill(&buffer, 0..8, 1)?;
    }
    event.record(&stream)?;
    drop(end);
    let error = event.synchronize().expect_err("the work was killed");
    until("the other two", || stream.statistics().later_failures == 2);
    assert!(event.query().expect_err("as above").is_same(&error));
    Ok(())
}

#[test]
fn two_records_with_one_end_time_have_no_time_between_them() -> Result<()> {
    let double = Double::default();
    let stream = double.device().stream()?;
    let (start, end) = (timed(), timed());
    for event in [&start, &end] {
        double.fault(0, Fault::EndsAt(5.0));
        event.record(&stream)?;
    }
    end.synchronize_timeout(LONG)?;
    assert_eq!(end.elapsed_since(&start)?, Duration::ZERO);
    assert_eq!(end.elapsed_since(&start)?, Duration::ZERO, "however often it is asked");
    Ok(())
}

#[test]
fn a_late_handler_of_a_record_before_gives_no_later_one_its_time() -> Result<()> {
    let double = Double::default();
    let stream = double.device().stream()?;
    let event = timed();
    double.hold_handlers();
    double.fault(0, Fault::EndsAt(5.0));
    event.record(&stream)?;
    double.fault(0, Fault::EndsAt(6.0));
    event.record(&stream)?;
    let later = event.timed_point()?;
    assert!(!event.query()?, "nobody has heard of either");
    double.call_handlers();
    event.synchronize_timeout(LONG)?;
    assert_eq!(later.timestamp()?.nanos, 6_000_000_000);
    Ok(())
}
