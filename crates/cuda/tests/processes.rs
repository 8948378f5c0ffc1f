//! Events between processes, for which streams wait on the device: who exports, who imports, and who waits for what.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod capture;
mod fake;
mod sharing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use syncpoint::cuda::{expose, shares_natively, shares_words};
use syncpoint::trace::{Operation, Record};
use syncpoint::{EventState, Gate, IpcHandle, Kind, Reason, Result, observe};
use syncpoint_conformance::other::{Other, Part, given, go_on, play, say};
use syncpoint_conformance::patience::{self, PATIENCE, assert_held, refused, settle};

use capture::Capture;
use fake::Fake;
use sharing::{device, open, recorded, records_behind_a_latch, shared, standing, waiting};

/// The parts that the other process plays.
const PARTS: [(&str, Part); 5] = [
    ("records behind a latch", records_behind_a_latch),
    ("records on a stream that is held", records_on_a_stream_that_is_held),
    ("records on two streams", records_on_two_streams),
    ("has a driver that shares nothing", has_a_driver_that_shares_nothing),
    ("cannot open", cannot_open),
];

#[test]
fn the_other_process() {
    play(&PARTS);
}

#[test]
fn a_stream_waits_on_the_device_for_an_event_of_another_process() -> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let event = open(&device, &handle)?;
    assert!(matches!(event.state(), EventState::Pending) && !event.query()?);
    let (stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 1, "the driver was given the wait at once");
    assert_held(&end);
    other.next();
    settle(&end);
    event.synchronize_timeout(PATIENCE)?;
    assert!(event.query_recorded()?);
    other.hear::<String>();
    let before = stream.statistics().driver_calls;
    stream.wait_event(&event)?;
    assert_eq!(stream.statistics().driver_calls, before, "what is complete costs no call");
    other.end();
    Ok(())
}

#[test]
fn two_waits_for_one_record_are_one() -> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let event = open(&device, &handle)?;
    let (stream, end, _) = waiting(&device, &event)?;
    let before = stream.statistics().driver_calls;
    stream.wait_event(&event)?;
    assert_eq!(stream.statistics().driver_calls, before);
    other.next();
    settle(&end);
    other.end();
    Ok(())
}

#[test]
fn a_borrowed_stream_and_one_of_the_host_wait_for_it_too() -> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let event = open(&device, &handle)?;
    let borrowed = Fake::used().borrow(&device, Fake::used().make_stream(0))?;
    let of_host = syncpoint::open("host:0")?.stream()?;
    borrowed.wait_event(&event)?;
    of_host.wait_event(&event)?;
    let ends = [borrowed.record()?, of_host.record()?];
    ends.iter().for_each(assert_held);
    other.next();
    ends.iter().for_each(settle);
    other.end();
    Ok(())
}

#[test]
fn what_is_given_of_it_is_a_wait_and_nothing_else() -> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let event = open(&device, &handle)?;
    let stream = device.stream()?;
    refused(event.record(&stream), Kind::Unsupported);
    refused(event.point(), Kind::Unsupported);
    let why = refused(event.timed_point(), Kind::Misuse(Reason::NotTimed));
    assert!(why.message().contains("another process's and has no time here"), "{why}");
    refused(event.export(), Kind::Unsupported);
    refused(syncpoint::cuda::event_handle(&event), Kind::Unsupported);
    other.next();
    other.end();
    Ok(())
}

#[test]
fn watchers_hear_of_an_event_of_another_process_when_it_is_taken_in_and_when_it_is_gone()
-> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let (sender, told) = channel();
    let _watch = observe(move |record: &Record| patience::say(&sender, record.operation.clone()));
    let event = open(&device, &handle)?;
    let id = event.id();
    drop(event);
    let is_of_it = |operation: &Operation| {
        [Operation::EventCreated { event: id }, Operation::EventDeleted { event: id }]
            .contains(operation)
    };
    let heard = || loop {
        let operation = patience::heard(&told, "what becomes of the event");
        if is_of_it(&operation) {
            return operation;
        }
    };
    assert_eq!(heard(), Operation::EventCreated { event: id });
    assert_eq!(heard(), Operation::EventDeleted { event: id });
    other.next();
    other.end();
    Ok(())
}

#[test]
fn in_its_own_process_it_is_the_event_itself() -> Result<()> {
    let device = device()?;
    let event = shared(&device)?;
    refused(shares_natively(&event), Kind::Misuse(Reason::NotInterprocess));
    let handle = event.export()?;
    shares_natively(&event)?;
    let why = refused(shares_words(&event), Kind::Unsupported);
    assert!(why.message().contains("device_gates"), "{why}");
    assert_eq!(open(&device, &handle)?, event, "the driver would refuse it");
    Ok(())
}

/// The driver's event was recorded once, and its next record is held: whoever waited for it now would wait for the first.
fn records_on_a_stream_that_is_held() -> Result<()> {
    let device = device()?;
    let (stream, gate, event) = (device.stream()?, Gate::new(), shared(&device)?);
    say(&event.export()?);
    event.record(&stream)?;
    event.synchronize_timeout(PATIENCE)?;
    stream.wait(&gate.point())?;
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    gate.open()?;
    go_on();
    Ok(())
}

#[test]
fn a_record_that_is_held_is_not_taken_for_the_one_before() -> Result<()> {
    let (device, other) = (device()?, Other::begin("records on a stream that is held"));
    let event = open(&device, &other.hear())?;
    other.hear::<String>();
    let (_stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 0, "the stream is held on the host");
    assert_held(&end);
    other.next();
    settle(&end);
    other.end();
    Ok(())
}

/// The first record stands before a latch, and the second, on another stream, is complete.
fn records_on_two_streams() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let (event, second) = (shared(&device)?, device.stream()?);
    say(&event.export()?);
    event.record(&stream)?;
    event.record(&second)?;
    second.synchronize_timeout(PATIENCE)?;
    say(&"recorded");
    go_on();
    gate.open()?;
    go_on();
    Ok(())
}

#[test]
fn a_record_of_another_stream_that_came_before_is_waited_for_too() -> Result<()> {
    let (device, other) = (device()?, Other::begin("records on two streams"));
    let event = open(&device, &other.hear())?;
    other.hear::<String>();
    let (stream, end, _) = waiting(&device, &event)?;
    let has_gone_on = Arc::new(AtomicBool::new(false));
    let goes_on = Arc::clone(&has_gone_on);
    Fake::used().launch(&stream, move || goes_on.store(true, Ordering::Relaxed));
    assert_held(&end);
    assert!(!has_gone_on.load(Ordering::Relaxed), "the device is held back, not its word alone");
    other.next();
    settle(&stream.record()?);
    assert!(has_gone_on.load(Ordering::Relaxed));
    other.end();
    Ok(())
}

/// What a driver for a system without such events says.
fn has_a_driver_that_shares_nothing() -> Result<()> {
    Fake::used().script("fail cuIpcGetEventHandle 1 801");
    let device = device()?;
    let (event, stream, gate) = (shared(&device)?, device.stream()?, Gate::new());
    say(&event.export()?);
    let why = refused(shares_natively(&event), Kind::Unsupported);
    assert!(why.message().contains("cuIpcGetEventHandle"), "{why}");
    assert!(why.message().contains("through the host"), "{why}");
    stream.wait(&gate.point())?;
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    gate.open()?;
    go_on();
    Ok(())
}

#[test]
fn a_driver_that_shares_no_events_is_told_of_and_streams_wait_through_the_host() -> Result<()> {
    let (device, other) = (device()?, Other::begin("has a driver that shares nothing"));
    let handle: IpcHandle = other.hear();
    other.hear::<String>();
    let why = refused(open(&device, &handle), Kind::Unsupported);
    assert!(why.message().contains("import_event"), "{why}");
    let event = device.import_event(&handle)?;
    let (_stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 0);
    assert_held(&end);
    other.next();
    settle(&end);
    other.end();
    Ok(())
}

/// The driver of the importer refuses; and on another of its devices it does not.
fn cannot_open() -> Result<()> {
    Fake::used().script("devices=2; fail cuIpcOpenEventHandle 1 801");
    let (first, second) = (device()?, syncpoint::cuda::open(1)?);
    let handle: IpcHandle = given();
    let why = refused(open(&first, &handle), Kind::Unsupported);
    assert!(why.message().contains("cuIpcOpenEventHandle"), "{why}");
    let event = open(&second, &handle)?;
    assert_eq!(event.device().as_ref(), Some(&second));
    let ends = [waiting(&first, &event)?, waiting(&second, &event)?];
    for (_, end, waits) in &ends {
        assert_eq!(*waits, 1, "streams of all devices wait for it on theirs");
        assert_held(end);
    }
    say(&"waits");
    for (_, end, _) in &ends {
        settle(end);
    }
    go_on();
    Ok(())
}

#[test]
fn a_driver_that_opens_no_events_is_told_of_and_any_of_its_devices_may_import() {
    let (other, handle) = recorded();
    let importer = Other::begin_with("cannot open", &handle);
    importer.hear::<String>();
    other.next();
    importer.end();
    other.end();
}

#[test]
fn a_stream_that_is_captured_neither_records_nor_waits_for_it() -> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let (event, exported) = (open(&device, &handle)?, shared(&device)?);
    exported.export()?;
    let stream = device.stream()?;
    let capture = Capture::begin(expose(&stream)?.as_ptr().addr());
    let capturing = Kind::Misuse(Reason::Capturing);
    refused(stream.wait_event(&event), capturing);
    refused(exported.record(&stream), capturing);
    assert!(matches!(exported.state(), EventState::NeverRecorded));
    capture.end_and_launch(1);
    exported.record(&stream)?;
    settle(&exported.point()?);
    other.next();
    other.end();
    Ok(())
}
