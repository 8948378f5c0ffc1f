//! Where the machine has no room for a thread or a buffer, calls say so and nothing hangs.
//!
//! Each test runs once more, as a child in a limited address space, which it fills until no stack fits in it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use syncpoint::{Device, EventOptions, Gate, IpcHandle, Kind};
use syncpoint_conformance::again::{ballast, cramped_child, is_cramped_child};
use syncpoint_conformance::child;
use syncpoint_conformance::patience::{PATIENCE, refused, settle};

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

#[test]
fn the_first_work_is_refused_without_a_worker_and_taken_once_there_is_room() {
    if !is_cramped_child("the_first_work_is_refused_without_a_worker_and_taken_once_there_is_room")
    {
        return;
    }
    let (stream, gate) = (host().stream().unwrap(), Gate::new());
    let held = ballast();
    let error = refused(stream.enqueue(|| ()), Kind::Exhausted);
    assert!(
        std::error::Error::source(&error).is_some(),
        "{error} must have the system's own words"
    );
    refused(stream.wait(&gate.point()), Kind::Exhausted);
    refused(stream.open(&gate), Kind::Exhausted);
    assert!(stream.failure().is_none() && stream.query().unwrap(), "a refusal changes nothing");
    drop(held);
    stream.open(&gate).unwrap();
    settle(&stream.record().unwrap());
}

#[test]
fn a_notification_is_refused_without_a_notifier() {
    if !is_cramped_child("a_notification_is_refused_without_a_notifier") {
        return;
    }
    let gate = Gate::new();
    let held = ballast();
    refused(gate.point().notify(drop), Kind::Exhausted);
    drop(held);
    gate.point().notify(drop).unwrap();
    gate.open().unwrap();
}

#[test]
fn one_worker_does_it_all_where_no_other_can_be_made() {
    if !is_cramped_child("one_worker_does_it_all_where_no_other_can_be_made") {
        return;
    }
    let device = host();
    let first = device.stream().unwrap();
    first.enqueue(|| ()).unwrap();
    settle(&first.record().unwrap());
    let streams: Vec<_> = (0..64).map(|_| device.stream().unwrap()).collect();
    let held = ballast();
    for pair in streams.windows(2) {
        pair[0].enqueue(|| ()).unwrap();
        pair[1].wait_stream(&pair[0]).unwrap();
    }
    device.synchronize_timeout(PATIENCE).unwrap();
    drop(held);
}

#[test]
fn a_delay_without_a_timer_fails_its_stream_and_says_why() {
    if !is_cramped_child("a_delay_without_a_timer_fails_its_stream_and_says_why") {
        return;
    }
    let stream = host().stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
    let held = ballast();
    let delayed = stream
        .delay(Duration::from_millis(1))
        .and_then(|()| stream.record()?.synchronize_timeout(PATIENCE));
    refused(delayed, Kind::Exhausted);
    drop(held);
    stream.recover().unwrap();
    stream.delay(Duration::from_millis(1)).unwrap();
    settle(&stream.record().unwrap());
}

#[test]
fn a_wait_for_another_process_is_refused_without_a_listener() {
    if !is_cramped_child("a_wait_for_another_process_is_refused_without_a_listener") {
        return;
    }
    let (exporter, handle) = exporter();
    let event = host().import_event(&handle).unwrap();
    let stream = host().stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
    let held = ballast();
    refused(stream.wait_event(&event), Kind::Exhausted);
    refused(event.notify(drop), Kind::Exhausted);
    assert!(stream.query().unwrap(), "a refusal changes nothing");
    drop(held);
    stream.wait_event(&event).unwrap();
    exporter.kill();
    refused(stream.record().unwrap().synchronize_timeout(PATIENCE), Kind::Failed);
}

/// A child that exports an event whose record never completes.
fn exporter() -> (child::Child, IpcHandle) {
    let (mut handles, mut told) = child::pipe();
    let exporter = child::start(|| {
        let device = host();
        let (stream, gate) = (device.stream().unwrap(), Gate::new());
        let event =
            device.event_with(EventOptions::builder().interprocess().build().unwrap()).unwrap();
        stream.wait(&gate.point()).unwrap();
        event.record(&stream).unwrap();
        write!(told, "{}", event.export().unwrap()).unwrap();
        gate.point().synchronize().map_or(1, |()| 0)
    });
    let mut handle = [0; 128];
    handles.read_exact(&mut handle).unwrap();
    (exporter, std::str::from_utf8(&handle).unwrap().parse().unwrap())
}

#[test]
fn a_buffer_that_does_not_fit_is_refused_and_another_is_had_once_there_is_room() {
    const LENGTH: u64 = 64 << 20;
    if !is_cramped_child(
        "a_buffer_that_does_not_fit_is_refused_and_another_is_had_once_there_is_room",
    ) {
        return;
    }
    let device = host();
    let held = ballast();
    refused(device.buffer(LENGTH), Kind::Exhausted);
    drop(held);
    assert_eq!(device.buffer(LENGTH).unwrap().len(), LENGTH);
}

/// As with every collection of the standard library: nothing unwinds, hangs, or goes on with a part of its state.
#[test]
fn no_memory_for_an_entry_of_a_queue_ends_the_process() {
    const ABORTED: i32 = 6;
    let Some(output) = cramped_child("no_memory_for_an_entry_of_a_queue_ends_the_process") else {
        let (stream, gate) = (host().stream().unwrap(), Gate::new());
        stream.wait(&gate.point()).unwrap();
        let _ballast = ballast();
        loop {
            stream.enqueue(|| ()).unwrap();
        }
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(ABORTED), "{told}");
    assert!(told.contains("memory allocation of"), "{told}");
}
