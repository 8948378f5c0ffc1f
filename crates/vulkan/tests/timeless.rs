//! A driver whose queues have no timestamps.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod lying;
mod machine;

use std::time::Duration;

use syncpoint::{EventOptions, Kind, Result};

#[test]
fn a_device_without_timestamps_says_so_and_refuses_times_alone() -> Result<()> {
    if !between::used(lying::without_timestamps) || !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    assert!(!device.capabilities().timing, "a period that is there is no clock");
    let refused = stream.record_timed().expect_err("there is no time");
    assert_eq!(refused.kind(), Kind::Unsupported);
    let refused = device.event_with(EventOptions::timed()).expect_err("there is no time");
    assert_eq!(refused.kind(), Kind::Unsupported);
    stream.fill(&buffer, 0..8, 5)?;
    stream.delay(Duration::from_millis(1))?;
    stream.record()?.synchronize_timeout(Duration::from_secs(20))?;
    assert_eq!(buffer.to_vec(0..8)?, [5; 8]);
    Ok(())
}
