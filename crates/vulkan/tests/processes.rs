//! Events between two processes that both have streams of Vulkan: one waits for what the other's device has done.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod machine;

use syncpoint::{Buffer, Device, Event, EventOptions, Gate, Kind, Point, Result, Stream};
use syncpoint_conformance::other::{Other, go_on, play, say};
use syncpoint_conformance::patience::{PATIENCE, assert_held, failure_of, refused, settle};

/// The test of the other process, in which this program plays the exporter.
#[test]
fn the_other_process() {
    play(&[("records behind a fill", records_behind_a_fill)]);
}

/// A stream that fills once it is told to, and records an event then.
fn records_behind_a_fill() -> Result<()> {
    let (device, gate) = (syncpoint::vulkan::open(0)?, Gate::new());
    let (stream, buffer, event) = (device.stream()?, device.buffer(LEN)?, shared(&device)?);
    say(&event.export()?);
    stream.wait(&gate.point())?;
    stream.fill(&buffer, 0..LEN, 1)?;
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    gate.open()?;
    event.synchronize_timeout(PATIENCE)?;
    go_on();
    Ok(())
}

const LEN: u64 = 1 << 20;

fn shared(device: &Device) -> Result<Event> {
    device.event_with(EventOptions::builder().interprocess().build()?)
}

/// Another process that has recorded, and a stream that waits for that and then fills.
struct Waiting {
    other: Other,
    event: Event,
    buffer: Buffer,
    end: Point,
    _stream: Stream,
}

fn waiting() -> Result<Waiting> {
    let (other, device) = (Other::begin("records behind a fill"), syncpoint::vulkan::open(0)?);
    let event = device.import_event(&other.hear())?;
    other.hear::<String>();
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    stream.wait_event(&event)?;
    stream.fill(&buffer, 0..8, 7)?;
    let end = stream.record()?;
    assert_held(&end);
    assert_eq!(buffer.to_vec(0..8)?, [0; 8], "the device was not held back");
    Ok(Waiting { other, event, buffer, end, _stream: stream })
}

#[test]
fn a_stream_waits_for_what_the_device_of_another_process_has_done() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let Waiting { other, event, buffer, end, _stream } = waiting()?;
    other.next();
    settle(&end);
    assert!(event.query_recorded()?);
    assert_eq!(buffer.to_vec(0..8)?, [7; 8]);
    other.end();
    Ok(())
}

#[test]
fn a_process_that_is_killed_with_work_on_its_device_fails_who_waits_for_it() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let Waiting { other, event, buffer, end, _stream } = waiting()?;
    other.kill();
    let failure = failure_of(&end);
    assert_eq!(failure.kind(), Kind::Failed, "{failure}");
    refused(event.synchronize_timeout(PATIENCE), Kind::Failed);
    assert_eq!(buffer.to_vec(0..8)?, [0; 8], "what waited has run all the same");
    Ok(())
}
