//! Memory of which no event tells stays until the device is through with it, and no longer.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use syncpoint::{Buffer, Device, Kind, Result, Stream};
use syncpoint_conformance::patience::{refused, until};

use fake::Fake;

#[test]
fn the_memory_of_a_copy_that_was_refused_stays_until_the_device_is_through() {
    let name = "the_memory_of_a_copy_that_was_refused_stays_until_the_device_is_through";
    Fake::alone(name, |fake| {
        let device = syncpoint::cuda::open(0)?;
        let memory = device.buffer(64)?;
        let [used, other] = [device.host_buffer(64)?, device.host_buffer(64)?];
        fake.script("stall 1");
        let stream = device.stream()?;
        fake.script("late cuMemcpyAsync 1 999");
        refused(stream.copy(&memory, 0..64, &used, 0..64), Kind::Driver);
        let ended = || fake.count("cuMemHostUnregister");
        let before = ended();
        drop(used);
        // Behind the one that was used, if that were let go.
        drop(other);
        until("the end of the other", || ended() > before);
        assert_eq!(ended(), before + 1, "the device has not come to the copy");
        fake.script("release");
        until("the end of what was used", || ended() == before + 2);
        Ok(())
    });
}

#[test]
fn what_a_question_about_a_stream_that_is_gone_left_is_let_go_once_the_device_is_through() {
    let name =
        "what_a_question_about_a_stream_that_is_gone_left_is_let_go_once_the_device_is_through";
    Fake::alone(name, |fake| {
        let (device, buffer, stream) = stalled(fake)?;
        drop(stream.record()?);
        assert_stays_until_through(fake, "cuEventQuery", (device, buffer, stream))
    });
}

#[test]
fn what_a_mark_of_a_stream_that_is_gone_left_is_let_go_once_the_device_is_through() {
    let name = "what_a_mark_of_a_stream_that_is_gone_left_is_let_go_once_the_device_is_through";
    Fake::alone(name, |fake| {
        let streams = stalled(fake)?;
        assert_stays_until_through(fake, "cuEventCreate", streams)
    });
}

/// A stream that stands before a fill of the buffer.
fn stalled(fake: &Fake) -> Result<(Device, Buffer, Stream)> {
    let device = syncpoint::cuda::open(0)?;
    let buffer = device.buffer(64)?;
    fake.script("stall 1");
    let stream = device.stream()?;
    stream.fill(&buffer, 0..64, 1)?;
    Ok((device, buffer, stream))
}

/// What is asked of the driver for a stream that is dropped is refused, once.
fn assert_stays_until_through(
    fake: &Fake,
    function: &str,
    (device, buffer, stream): (Device, Buffer, Stream),
) -> Result<()> {
    let unused = device.buffer(64)?;
    let freed = || fake.count("cuMemFreeAsync");
    let (before, asked) = (freed(), fake.count(function));
    fake.script(&format!("fail {function} 1 999"));
    drop((buffer, stream));
    until("the refusal", || fake.count(function) > asked);
    // Behind the one that is used, if that were let go.
    drop(unused);
    until("the end of the other", || freed() > before);
    assert_eq!(freed(), before + 1, "the device has not come to the fill");
    drop(device);
    fake.script("release");
    until("the end of everything", || fake.alive("all") == 0);
    assert_eq!(freed(), before + 2);
    assert_eq!(syncpoint::cuda::unheard(), 0);
    Ok(())
}
