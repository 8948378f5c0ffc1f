//! Work in which every function of the driver is called, some of them many times.

use std::time::Duration;

use syncpoint::{Device, Result};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// Everything that calls a driver: two streams, one of them waiting for the other, work of each kind, times.
#[expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
pub(crate) fn work(device: &Device) -> Result<()> {
    let (first, second) = (device.stream()?, device.stream()?);
    let (source, target) = (device.buffer(64)?, device.buffer(64)?);
    let start = first.record_timed()?;
    first.fill(&source, 1..63, 7)?;
    second.wait(&first.record()?)?;
    second.copy(&source, 0..64, &target, 0..64)?;
    let end = second.record_timed()?;
    // Values that pass on the host, more than the device allows to leap over.
    for _ in 0..8 {
        second.enqueue(|| {})?;
    }
    second.fill(&target, 0..1, 9)?;
    let last = second.record()?;
    last.query()?;
    last.synchronize_timeout(LONG)?;
    end.elapsed_since(&start)?;
    assert_eq!(target.to_vec(0..3)?, [9, 7, 7]);
    Ok(())
}

/// The same on a device of its own.
pub(crate) fn open_and_work() -> Result<()> {
    work(&syncpoint::vulkan::open_with_difference(0, 3)?)
}
