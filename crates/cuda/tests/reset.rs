//! A device that somebody else resets is lost, and what is left of it harms nobody.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
#![cfg(test)]

mod fake;

use std::time::Duration;

use syncpoint::{Kind, Result};
use syncpoint_conformance::patience::{failure_of, refused, settle, until};

use fake::Fake;

#[test]
fn a_device_that_others_reset_is_lost_and_can_be_opened_anew() -> Result<()> {
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    stream.fill(&buffer, 0..8, 1)?;
    let timed = stream.record_timed()?;
    settle(&timed);
    // From now on the device has an anchor of times.
    timed.timestamp()?;
    // What cleared the buffer is ended while it can be.
    until("the end of an event", || fake.count("cuEventDestroy_v2") == 1);
    stream.delay(Duration::from_millis(20))?;
    let pending = stream.record()?;

    fake.reset_device(0);
    assert_eq!(fake.alive("streams"), 0);
    let first = refused(stream.fill(&buffer, 0..8, 2), Kind::DeviceLost);
    assert!(failure_of(&pending).is_same(&first), "what was not seen complete is lost");
    assert!(refused(device.stream(), Kind::DeviceLost).is_same(&first));
    assert!(refused(buffer.to_vec(0..8), Kind::DeviceLost).is_same(&first));
    until("the failure of the stream", || stream.failure().is_some());
    drop((stream, buffer, timed, pending, device));
    assert_eq!(syncpoint::cuda::unheard(), 0, "what is gone is not ended");

    let anew = syncpoint::cuda::open(0)?;
    let (stream, buffer) = (anew.stream()?, anew.buffer(8)?);
    stream.fill(&buffer, 0..8, 3)?;
    settle(&stream.record()?);
    assert_eq!(buffer.to_vec(0..8)?, [3; 8]);
    drop((stream, buffer, anew));
    until("the end of the events", || fake.alive("events") == 0);
    until("the end of the context", || fake.alive("contexts") == 0);
    assert_eq!(syncpoint::cuda::unheard(), 0, "nor later");
    Ok(())
}
