//! A poller that the driver does not let have its capture mode at first, alone in its process: calls are counted.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod capture;
mod fake;

use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::cuda::expose;
use syncpoint::{Result, Stream};
use syncpoint_conformance::patience::{heard, say, settle, until};

use capture::Capture;
use fake::Fake;

/// So long that the poller asks before it is over.
const WORK: Duration = Duration::from_millis(20);

/// Has the poller hear of the end of work, and nobody else ask.
fn work(stream: &Stream) -> Result<()> {
    let (sender, told) = channel();
    stream.delay(WORK)?;
    let _told = stream.record()?.notify(move |end| say(&sender, end))?;
    heard(&told, "the end of the work")
}

#[test]
fn a_poller_that_was_refused_its_capture_mode_asks_for_it_again_and_breaks_no_capture() -> Result<()>
{
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0)?;
    let (captured, other) = (device.stream()?, device.stream()?);
    let handle = expose(&captured)?.as_ptr().addr();
    // The kernel of delays is loaded.
    other.delay(Duration::from_micros(1))?;
    let first = other.record()?;
    until("the first work", || first.query().is_ok_and(|is_over| is_over));
    // Whoever is refused tries once more, this thread too.
    fake.script("fail cuThreadExchangeStreamCaptureMode 1..6 999");
    work(&other)?;
    assert!(fake.struck("syncpoint-cuda") > 1, "the poller was refused");
    let capture = Capture::begin_global(handle);
    work(&other)?;
    capture.end_and_launch(1);
    settle(&captured.record()?);
    Ok(())
}
