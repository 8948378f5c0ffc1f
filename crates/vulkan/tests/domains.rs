//! A driver that refuses to say which clocks it reads at once, as it begins.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod faulty;
mod machine;

use std::time::Duration;

use ash::vk;
use syncpoint::Result;

use faulty::Fault;

/// Once in a process, so nothing else is tried in this one.
#[test]
fn a_device_whose_clocks_nobody_tells_of_has_times_of_its_own() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() {
        return Ok(());
    }
    let function = "vkGetPhysicalDeviceCalibrateableTimeDomainsEXT";
    let code = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
    faulty::plan(Some(Fault { function, first: 1, times: u64::MAX, code }));
    let is_there = machine::is_there();
    faulty::plan(None);
    if !is_there {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let point = device.stream()?.record_timed()?;
    point.synchronize_timeout(Duration::from_secs(20))?;
    assert!(point.timestamp()?.error.is_zero(), "a time of the device's own is exact");
    assert!(device.clock().name().ends_with("timestamps"), "it is asked for no other");
    assert_eq!(faulty::calls_of("vkGetCalibratedTimestampsEXT"), 0);
    Ok(())
}
