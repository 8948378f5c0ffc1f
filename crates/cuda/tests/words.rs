//! Events between processes on devices that were opened with gates: one device writes words for which the other waits.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod capture;
mod fake;
mod sharing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use syncpoint::cuda::{expose, shares_natively, shares_words};
use syncpoint::{Device, Event, EventState, Gate, IpcHandle, Kind, Reason, Result, Stream};
use syncpoint_conformance::other::{Other, Part, go_on, play, say};
use syncpoint_conformance::patience::{PATIENCE, assert_held, failure_of, refused, settle, until};

use capture::Capture;
use fake::Fake;
use sharing::{
    fails, mapped, open, recorded, records_behind_a_latch, shared, standing, waiting, with_gates,
};

/// The parts that the other process plays.
const PARTS: [(&str, Part); 4] = [
    ("records behind a latch", records_behind_a_latch),
    ("fails", fails),
    ("records on two streams", records_on_two_streams),
    ("has a driver without events for others", has_a_driver_without_events_for_others),
];

#[test]
fn the_other_process() {
    play(&PARTS);
}

/// Whether the device has come to the end of what a stream was given.
fn has_gone_on(stream: &Stream) -> Arc<AtomicBool> {
    let gone = Arc::new(AtomicBool::new(false));
    let goes = Arc::clone(&gone);
    Fake::used().launch(stream, move || goes.store(true, Ordering::Relaxed));
    gone
}

/// A stream that waits on the device, what tells whether the device has gone on, and the event.
fn standing_for(device: &Device, handle: &IpcHandle) -> Result<(Event, Stream, Arc<AtomicBool>)> {
    let event = device.import_event(handle)?;
    let (stream, end, waits) = waiting(device, &event)?;
    assert_eq!(waits, 1, "the device was given the wait at once");
    let gone = has_gone_on(&stream);
    assert_held(&end);
    assert!(!gone.load(Ordering::Relaxed));
    Ok((event, stream, gone))
}

#[test]
fn a_stream_waits_for_what_the_other_device_writes() -> Result<()> {
    let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
    let (event, stream, gone) = standing_for(&device, &handle)?;
    other.next();
    settle(&stream.record()?);
    assert!(gone.load(Ordering::Relaxed) && event.query_recorded()?);
    other.end();
    Ok(())
}

#[test]
fn streams_of_others_wait_for_it_too() -> Result<()> {
    let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
    let event = device.import_event(&handle)?;
    let (exposed, borrowed) = (device.stream()?, Fake::used().make_stream(0));
    expose(&exposed)?;
    let borrowed = Fake::used().borrow(&device, borrowed)?;
    exposed.wait_event(&event)?;
    borrowed.wait_event(&event)?;
    let ends = [exposed.record()?, borrowed.record()?];
    ends.iter().for_each(assert_held);
    other.next();
    ends.iter().for_each(settle);
    other.end();
    Ok(())
}

#[test]
fn without_gates_a_stream_waits_through_the_host() -> Result<()> {
    let (device, (other, handle)) = (sharing::device()?, recorded());
    let event = device.import_event(&handle)?;
    let (_stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 0);
    assert_held(&end);
    other.next();
    settle(&end);
    other.end();
    Ok(())
}

/// The event is of a device with gates, the stream of one without.
#[test]
fn a_stream_of_a_device_without_gates_waits_through_the_host_whose_event_it_is() -> Result<()> {
    let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
    let event = device.import_event(&handle)?;
    let (_stream, end, waits) = waiting(&sharing::device()?, &event)?;
    assert_eq!(waits, 0);
    assert_held(&end);
    other.next();
    settle(&end);
    other.end();
    Ok(())
}

#[test]
fn an_exporter_that_is_killed_fails_the_stream_and_lets_the_device_go() -> Result<()> {
    let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
    let (event, stream, gone) = standing_for(&device, &handle)?;
    other.kill();
    let failure = failure_of(&stream.record()?);
    assert!(failure.message().contains("has ended"), "{failure}");
    until("the device goes on", || gone.load(Ordering::Relaxed));
    stream.recover()?;
    settle(&stream.record()?);
    stream.wait_event(&event)?;
    assert_eq!(failure_of(&stream.record()?).kind(), Kind::Failed);
    Ok(())
}

#[test]
fn at_the_deadline_of_the_gates_the_stream_fails_and_the_device_goes_on() -> Result<()> {
    let (device, (other, handle)) = (with_gates(Duration::from_millis(100))?, recorded());
    let event = device.import_event(&handle)?;
    let (stream, end, waits) = waiting(&device, &event)?;
    let gone = has_gone_on(&stream);
    assert_eq!(waits, 1);
    let failure = failure_of(&end);
    assert!(failure.message().contains("deadline of device_gates"), "{failure}");
    until("the device goes on", || gone.load(Ordering::Relaxed));
    assert!(matches!(event.state(), EventState::Pending), "it is as it was");
    stream.recover()?;
    other.next();
    event.synchronize_timeout(PATIENCE)?;
    settle(&stream.record()?);
    other.end();
    Ok(())
}

#[test]
fn the_deadline_runs_from_when_the_device_stands_there() -> Result<()> {
    // What follows has to be done within two of them.
    let longest = Duration::from_secs(1);
    let (device, (other, handle)) = (with_gates(longest)?, recorded());
    let (event, stream) = (device.import_event(&handle)?, device.stream()?);
    stream.delay(3 * longest)?;
    stream.wait_event(&event)?;
    let end = stream.record()?;
    let beside = device.stream()?;
    beside.delay(2 * longest)?;
    settle(&beside.record()?);
    assert!(stream.failure().is_none(), "it is not there yet");
    other.next();
    settle(&end);
    other.end();
    Ok(())
}

#[test]
fn the_deadline_comes_although_nobody_asks_for_what_is_before() -> Result<()> {
    let (device, (other, handle)) = (with_gates(Duration::from_millis(50))?, recorded());
    let (event, stream) = (device.import_event(&handle)?, device.stream()?);
    stream.delay(Duration::from_millis(1))?;
    stream.wait_event(&event)?;
    until("the deadline", || stream.failure().is_some());
    other.next();
    other.end();
    Ok(())
}

/// A deadline is for who stands: who has gone on is not failed by it.
#[test]
fn a_deadline_that_comes_after_the_record_harms_nobody() -> Result<()> {
    // Within it the other process has to hear that it goes on, and this one that it has.
    let longest = Duration::from_secs(2);
    let (device, (other, handle)) = (with_gates(longest)?, recorded());
    let event = device.import_event(&handle)?;
    let (stream, end, _) = waiting(&device, &event)?;
    other.next();
    settle(&end);
    // Something of the same device that stands for as long, and longer than that.
    let (late, gate) = (device.stream()?, Gate::new());
    expose(&late)?;
    late.wait(&gate.point())?;
    failure_of(&late.record()?);
    assert!(stream.failure().is_none());
    settle(&stream.record()?);
    other.end();
    Ok(())
}

/// A stream that others launch on too, which stands before a gate and then for the other process.
fn standing_twice(device: &Device, handle: &IpcHandle) -> Result<(Event, Stream, Gate)> {
    let (event, stream, gate) = (device.import_event(handle)?, device.stream()?, Gate::new());
    expose(&stream)?;
    stream.wait(&gate.point())?;
    let before = stream.statistics().driver_calls;
    stream.wait_event(&event)?;
    assert!(stream.statistics().driver_calls > before, "the device was given the wait at once");
    Ok((event, stream, gate))
}

#[test]
fn a_stream_that_fails_by_itself_stands_for_the_other_process_no_more() -> Result<()> {
    let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
    let (_event, stream, gate) = standing_twice(&device, &handle)?;
    let gone = has_gone_on(&stream);
    gate.fail(syncpoint::Error::failed("it fails on purpose"))?;
    until("the device goes on", || gone.load(Ordering::Relaxed));
    stream.recover()?;
    settle(&stream.record()?);
    other.next();
    other.end();
    Ok(())
}

/// The deadline was of what failed.
#[test]
fn a_deadline_that_comes_after_a_recovery_fails_nothing() -> Result<()> {
    let (device, (other, handle)) = (with_gates(Duration::from_millis(300))?, recorded());
    let (_event, stream, gate) = standing_twice(&device, &handle)?;
    let (late, never) = (device.stream()?, Gate::new());
    gate.fail(syncpoint::Error::failed("it fails on purpose"))?;
    failure_of(&stream.record()?);
    stream.recover()?;
    settle(&stream.record()?);
    // It comes to its latch later than anybody looks whether the first is at its own, and so to its deadline.
    late.delay(Duration::from_millis(100))?;
    expose(&late)?;
    late.wait(&never.point())?;
    failure_of(&late.record()?);
    assert!(stream.failure().is_none(), "{:?}", stream.failure());
    other.next();
    other.end();
    Ok(())
}

#[test]
fn a_failure_there_is_a_failure_here() -> Result<()> {
    let (device, other) = (with_gates(6 * PATIENCE)?, Other::begin("fails"));
    let handle = other.hear();
    other.hear::<String>();
    let (_event, stream, gone) = standing_for(&device, &handle)?;
    other.next();
    let failure = failure_of(&stream.record()?);
    assert!(failure.message().contains("failed there"), "{failure}");
    until("the device goes on", || gone.load(Ordering::Relaxed));
    other.end();
    Ok(())
}

/// The first record stands before a latch, and the second, on another stream, is complete.
fn records_on_two_streams() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let (event, second) = (shared(&device)?, device.stream()?);
    say(&event.export()?);
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    event.record(&second)?;
    second.synchronize_timeout(PATIENCE)?;
    say(&"recorded again");
    go_on();
    gate.open()?;
    go_on();
    Ok(())
}

#[test]
fn a_wait_is_for_its_record_whatever_another_stream_records_later() -> Result<()> {
    let (device, other) = (with_gates(6 * PATIENCE)?, Other::begin("records on two streams"));
    let event = device.import_event(&other.hear())?;
    other.hear::<String>();
    let (stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 1);
    let gone = has_gone_on(&stream);
    other.next();
    other.hear::<String>();
    let (_late, late_end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 0, "what the other stream recorded before is pending");
    assert_held(&end);
    assert_held(&late_end);
    assert!(!gone.load(Ordering::Relaxed));
    other.next();
    settle(&end);
    settle(&late_end);
    other.end();
    Ok(())
}

fn has_a_driver_without_events_for_others() -> Result<()> {
    Fake::used().script("fail cuIpcGetEventHandle 1 801");
    let (device, stream, gate) = standing()?;
    let event = shared(&device)?;
    say(&event.export()?);
    refused(shares_natively(&event), Kind::Unsupported);
    shares_words(&event)?;
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    gate.open()?;
    go_on();
    Ok(())
}

#[test]
fn words_need_no_events_of_the_drivers() -> Result<()> {
    let device = with_gates(6 * PATIENCE)?;
    let other = Other::begin("has a driver without events for others");
    let handle: IpcHandle = other.hear();
    other.hear::<String>();
    refused(open(&device, &handle), Kind::Unsupported);
    let (_event, stream, _gone) = standing_for(&device, &handle)?;
    other.next();
    settle(&stream.record()?);
    other.end();
    Ok(())
}

#[test]
fn a_stream_that_is_captured_waits_for_none() -> Result<()> {
    let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
    let event = device.import_event(&handle)?;
    let stream = device.stream()?;
    let capture = Capture::begin(expose(&stream)?.as_ptr().addr());
    refused(stream.wait_event(&event), Kind::Misuse(Reason::Capturing));
    capture.end_and_launch(1);
    other.next();
    other.end();
    Ok(())
}

#[test]
fn a_page_that_the_driver_keeps_stays_mapped() {
    Fake::alone("a_page_that_the_driver_keeps_stays_mapped", |fake| {
        let event = shared(&with_gates(PATIENCE)?)?;
        fake.script("fail cuMemHostGetDevicePointer_v2 1 999; fail cuMemHostUnregister 1 999");
        event.export()?;
        refused(shares_words(&event), Kind::Unsupported);
        drop(event);
        assert_eq!(mapped(), 1, "a device may reach it");
        Ok(())
    });
}
