//! Absolute times: the host's, where the driver reads both clocks at once, and otherwise the device's own.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "what a handle names only its owner can say")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod machine;
mod theirs;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ash::vk;
use syncpoint::vulkan::Access;
use syncpoint::{Device, Result, TimedPoint};

use theirs::Theirs;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn an_absolute_time_lies_between_what_the_host_saw_before_and_after_it() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let opens = Instant::now();
    let (device, opened) = (syncpoint::vulkan::open(0)?, Instant::now());
    let is_read = Theirs::of(&syncpoint::vulkan::handles(&device)?).reads_two_clocks();
    let is_read = machine::has(machine::TWO_CLOCKS, is_read);
    assert_lies_between(&device, (opens, opened), is_read)
}

/// `is_read`: whether the driver reads the host's clock with the device's.
fn assert_lies_between(
    device: &Device,
    (opens, opened): (Instant, Instant),
    is_read: bool,
) -> Result<()> {
    let (stream, buffer) = (device.stream()?, device.buffer(1 << 16)?);
    let mut points: Vec<(Instant, TimedPoint, Instant)> = Vec::new();
    for _ in 0..50 {
        let before = Instant::now();
        stream.fill(&buffer, 0..1 << 16, 1)?;
        let point = stream.record_timed()?;
        point.synchronize_timeout(LONG)?;
        points.push((before, point, Instant::now()));
    }
    for (before, point, after) in &points {
        let time = point.timestamp()?;
        assert_eq!(point.timestamp()?, time, "it is the same at each call");
        assert_eq!(!time.error.is_zero(), is_read, "{time:?}");
        if time.error.is_zero() {
            continue;
        }
        let nanos = Duration::from_nanos(time.nanos);
        let (least, most) = (*before - opened, *after - opens);
        assert!(nanos + time.error >= least, "{time:?} before {least:?}");
        assert!(nanos <= most + time.error, "{time:?} after {most:?}");
    }
    Ok(())
}

#[test]
fn absolute_times_and_spans_agree_within_their_bounds() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let stream = syncpoint::vulkan::open(0)?.stream()?;
    let start = stream.record_timed()?;
    // Told before the end comes, from other moments.
    start.synchronize_timeout(LONG)?;
    let first = start.timestamp()?;
    stream.delay(Duration::from_millis(20))?;
    let end = stream.record_timed()?;
    end.synchronize_timeout(LONG)?;
    let (last, span) = (end.timestamp()?, end.elapsed_since(&start)?);
    let told = Duration::from_nanos(last.nanos - first.nanos);
    assert!(told.abs_diff(span) <= first.error + last.error, "{first:?} to {last:?}: {span:?}");
    Ok(())
}

/// Takes in a device of others.
fn taken_in(user: Theirs) -> Result<Device> {
    let user = Arc::new(user);
    let (handles, owner) = (user.handles(), Arc::clone(&user));
    // SAFETY: the owner keeps all of it alive, and nobody else uses the queue.
    unsafe { syncpoint::vulkan::open_device(&handles, Access::Dedicated, owner) }
}

#[test]
fn a_device_taken_in_that_was_made_with_the_extension_tells_the_hosts_clock() -> Result<()> {
    if !machine::is_there() || !machine::has(machine::TWO_CLOCKS, Theirs::new().reads_two_clocks())
    {
        return Ok(());
    }
    let user = Theirs::made(vk::API_VERSION_1_2, &[vk::EXT_CALIBRATED_TIMESTAMPS_NAME]);
    let opens = Instant::now();
    let device = taken_in(user)?;
    assert!(device.clock().name().ends_with("timestamps"), "{}", device.clock().name());
    assert_lies_between(&device, (opens, Instant::now()), true)
}

#[test]
fn a_device_taken_in_that_was_made_without_the_extension_tells_its_own_clock() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = taken_in(Theirs::new())?;
    let point = device.stream()?.record_timed()?;
    point.synchronize_timeout(LONG)?;
    assert!(point.timestamp()?.error.is_zero());
    Ok(())
}
