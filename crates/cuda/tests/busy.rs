//! A device that comes to nothing for a while: who asks for times waits for it no longer than he has to.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::time::{Duration, Instant};

use syncpoint::{Device, Kind, Result, TimedPoint};
use syncpoint_conformance::patience::{PATIENCE, failure_of, promptly, refused, settle, until};

use fake::Fake;

/// After so long what is known of the device's clock is old.
const OLD: Duration = Duration::from_millis(4100);

/// One test, because what is scripted meets the whole process.
#[test]
fn a_device_that_is_busy_holds_neither_records_of_times_nor_the_poller() -> Result<()> {
    let fake = Fake::used();
    // The first stream is the backend's own, on which it looks at the clock.
    fake.script("stall 1");
    let device = syncpoint::cuda::open(0)?;
    let [start, end] = promptly(move || times(&device))?;
    settle(&end);
    assert!(end.elapsed_since(&start)? < PATIENCE, "differences need no clock");
    let busy = refused(end.timestamp(), Kind::TimedOut);
    assert!(busy.message().contains("ask again"), "{busy}");
    fake.script("release");
    until("a time", || end.timestamp().is_ok());

    let (known, device) = (Instant::now(), syncpoint::cuda::open(0)?);
    let [_, known_again] = times(&device)?;
    settle(&known_again);
    known_again.timestamp()?;
    until("an old clock", || known.elapsed() > OLD);
    fake.script("fail cuEventQuery * 600");
    // Has the poller look at the clock anew.
    let [_, pending] = times(&device)?;
    fake.script("fail cuMemAllocAsync 1 719");
    refused(device.buffer(8), Kind::DeviceLost);
    // The poller tells.
    assert_eq!(failure_of(&pending).kind(), Kind::DeviceLost);
    Ok(())
}

fn times(device: &Device) -> Result<[TimedPoint; 2]> {
    let stream = device.stream()?;
    Ok([stream.record_timed()?, stream.record_timed()?])
}
