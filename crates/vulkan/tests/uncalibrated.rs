//! Drivers that say they read both clocks at once, and refuse to.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod faulty;
mod machine;
mod theirs;

use std::time::Duration;

use ash::vk;
use syncpoint::vulkan::handles;
use syncpoint::{Kind, Result, TimedPoint};

use faulty::Fault;
use theirs::Theirs;

const LONG: Duration = Duration::from_secs(20);
const READ: &str = "vkGetCalibratedTimestampsEXT";

/// Whether there is a driver that reads both clocks, and faults before it.
fn reads_two_clocks() -> Result<bool> {
    if !faulty::used() || !machine::is_there() {
        return Ok(false);
    }
    let device = syncpoint::vulkan::open(0)?;
    Ok(machine::has(machine::TWO_CLOCKS, Theirs::of(&handles(&device)?).reads_two_clocks()))
}

fn refuse(code: vk::Result) {
    faulty::plan(Some(Fault { function: READ, first: 1, times: u64::MAX, code }));
}

fn timed() -> Result<(String, TimedPoint)> {
    let device = syncpoint::vulkan::open(0)?;
    let point = device.stream()?.record_timed()?;
    point.synchronize_timeout(LONG)?;
    Ok((device.clock().name().to_owned(), point))
}

#[test]
fn a_device_whose_driver_refuses_the_hosts_clock_has_times_of_its_own_and_says_so() -> Result<()> {
    let _alone = faulty::alone();
    if !reads_two_clocks()? {
        return Ok(());
    }
    refuse(vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    let timed = timed();
    faulty::plan(None);
    let (clock, point) = timed?;
    assert!(clock.ends_with("of its own, since the driver refused to read the host's clock too"));
    // Later, too: two times of a device may be laid side by side.
    assert!(point.timestamp()?.error.is_zero());
    Ok(())
}

#[test]
fn a_time_after_which_the_driver_refuses_the_hosts_clock_is_told_within_a_wider_bound() -> Result<()>
{
    let _alone = faulty::alone();
    if !reads_two_clocks()? {
        return Ok(());
    }
    let (clock, point) = timed()?;
    assert!(clock.ends_with("timestamps"), "{clock}");
    refuse(vk::Result::ERROR_INITIALIZATION_FAILED);
    let told = point.timestamp();
    assert_eq!(faulty::met(), 1);
    faulty::plan(None);
    assert!(!told?.error.is_zero());
    Ok(())
}

#[test]
fn a_device_that_is_lost_as_its_clocks_are_read_is_lost() -> Result<()> {
    let _alone = faulty::alone();
    if !reads_two_clocks()? {
        return Ok(());
    }
    let (_clock, point) = timed()?;
    refuse(vk::Result::ERROR_DEVICE_LOST);
    let told = point.timestamp();
    let opened = syncpoint::vulkan::open(0);
    faulty::plan(None);
    assert_eq!(told.unwrap_err().kind(), Kind::DeviceLost);
    assert_eq!(opened.unwrap_err().kind(), Kind::DeviceLost);
    Ok(())
}
