//! The events of a capture, each test alone in its process: what the driver does is counted for all.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
#![cfg(test)]

mod capture;
mod fake;

use std::sync::Arc;
use std::thread;

use syncpoint::cuda::expose;
use syncpoint::{EventOptions, Result};
use syncpoint_conformance::patience::{settle, until};

use capture::Capture;
use fake::Fake;

#[test]
fn the_events_of_a_capture_live_until_it_has_ended() {
    Fake::alone("the_events_of_a_capture_live_until_it_has_ended", outlive_it);
}

fn outlive_it(fake: &'static Fake) -> Result<()> {
    let device = syncpoint::cuda::open(0)?;
    let stream = device.stream()?;
    let handle = expose(&stream)?.as_ptr().addr();
    settle(&stream.record()?);
    let capture = Capture::begin(handle);
    let before = fake.count("cuEventDestroy_v2");
    for _ in 0..20 {
        drop(stream.record()?);
    }
    let other = device.event_with(EventOptions::builder().native_handle().build()?)?;
    syncpoint::cuda::event_handle(&other)?;
    drop(other);
    until("the end of an event that is not captured", || fake.count("cuEventDestroy_v2") > before);
    assert_eq!(fake.count("cuEventDestroy_v2"), before + 1);
    capture.end_and_launch(1);
    settle(&stream.record()?);
    until("the end of the captured ones", || fake.count("cuEventDestroy_v2") >= before + 21);
    Ok(())
}

#[test]
fn a_record_of_a_capture_is_in_its_graph_whatever_is_recorded_meanwhile() {
    let name = "a_record_of_a_capture_is_in_its_graph_whatever_is_recorded_meanwhile";
    Fake::alone(name, record_beside_a_capture);
}

fn record_beside_a_capture(fake: &'static Fake) -> Result<()> {
    let device = syncpoint::cuda::open(0)?;
    let event = Arc::new(device.event_with(EventOptions::builder().external().build()?)?);
    let (captured, other) = (device.stream()?, device.stream()?);
    let capture = Capture::begin(expose(&captured)?.as_ptr().addr());
    let (before, recorded) = (fake.count("cuStreamIsCapturing"), Arc::clone(&event));
    fake.script("block cuStreamIsCapturing 1");
    let recording = thread::spawn(move || recorded.record(&captured).map(|()| captured));
    until("the question about the capture", || fake.count("cuStreamIsCapturing") > before);
    event.record(&other)?;
    settle(&other.record()?);
    fake.script("release");
    let captured = recording.join().unwrap()?;
    assert_eq!(fake.count("cuEventRecordWithFlags"), 1, "it is a node of the graph");
    capture.end_and_launch(1);
    drop(captured);
    assert!(event.query()?);
    Ok(())
}
