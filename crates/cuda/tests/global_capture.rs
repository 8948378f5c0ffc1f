//! A capture that every query breaks which its thread was not asked for, alone in its process: other tests ask.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod capture;
mod fake;

use std::time::Duration;

use syncpoint::cuda::{expose, shares_words};
use syncpoint::{EventOptions, Result, wait_all};
use syncpoint_conformance::patience::PATIENCE;

use capture::Capture;
use fake::Fake;

/// So long that who waits asks before it is over.
const WORK: Duration = Duration::from_millis(20);

#[test]
fn what_nobody_asked_for_by_name_breaks_no_capture() -> Result<()> {
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0)?;
    let (captured, other) = (device.stream()?, device.stream()?);
    let handle = expose(&captured)?.as_ptr().addr();
    let capture = Capture::begin_global(handle);

    // The kernel of a delay is loaded now.
    other.delay(WORK)?;
    let start = other.record_timed()?;
    other.delay(WORK)?;
    let (end, foreign) = (other.record_timed()?, fake.borrow_event(&device, ())?);
    start.synchronize_timeout(PATIENCE)?;
    wait_all(&[end.point().clone()])?;
    end.elapsed_since(&start)?;
    end.timestamp()?;
    foreign.synchronize_timeout(PATIENCE)?;
    let buffer = device.buffer(64)?;
    buffer.write(0, &[1; 64])?;
    assert_eq!(buffer.to_vec(0..64)?, [1; 64]);
    // Every so many records it is found out which events are needed no more.
    for value in 0..40 {
        other.fill(&buffer, 0..8, value)?;
        other.record()?;
    }
    let with_gates = syncpoint::cuda::builder().device_gates(PATIENCE).open(0)?;
    // The page of an event that is exported is made known to the device.
    if cfg!(target_os = "linux") {
        let event = with_gates.event_with(EventOptions::builder().interprocess().build()?)?;
        event.export()?;
        shares_words(&event)?;
    }

    capture.end_and_launch(1);
    Ok(())
}
