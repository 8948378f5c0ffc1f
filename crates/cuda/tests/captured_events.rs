//! The events of a capture, alone in its process: what the driver destroys is counted for all.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod capture;
mod fake;

use syncpoint::cuda::expose;
use syncpoint::{EventOptions, Result};
use syncpoint_conformance::patience::{settle, until};

use capture::Capture;
use fake::Fake;

#[test]
fn the_events_of_a_capture_live_until_it_has_ended() -> Result<()> {
    let fake = Fake::used();
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
