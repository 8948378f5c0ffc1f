//! A driver of Vulkan 1.1 with the extension for timeline semaphores.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod lying;
mod machine;

use std::time::Duration;

use syncpoint::Result;

#[test]
fn a_device_of_vulkan_1_1_is_used_by_the_names_of_the_extension() -> Result<()> {
    if !between::used(lying::of_vulkan_1_1) || !machine::is_there() {
        return Ok(());
    }
    // So near that the host has to signal too.
    let device = syncpoint::vulkan::open_with_difference(0, 2)?;
    let (first, second, buffer) = (device.stream()?, device.stream()?, device.buffer(64)?);
    let start = first.record_timed()?;
    first.fill(&buffer, 0..64, 3)?;
    second.wait(&first.record()?)?;
    for _ in 0..8 {
        second.enqueue(|| {})?;
    }
    second.fill(&buffer, 0..1, 4)?;
    let end = second.record_timed()?;
    end.synchronize_timeout(Duration::from_secs(20))?;
    end.elapsed_since(&start)?;
    assert_eq!(buffer.to_vec(0..3)?, [4, 3, 3]);
    assert!(lying::signals_by_extension() > 0, "its function was not called");
    Ok(())
}
