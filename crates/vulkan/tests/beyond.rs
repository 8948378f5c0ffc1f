//! A semaphore that is where nobody signalled it to: drivers say so of a lost device.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod lying;
mod machine;

use std::time::Duration;

use syncpoint::{Gate, Kind, Result};
use syncpoint_conformance::patience;

const LONG: Duration = Duration::from_secs(20);

/// One more than was promised tells as much as the largest number, which is what drivers are seen to say.
#[test]
fn a_value_that_nobody_signalled_is_a_loss_and_completes_nothing() -> Result<()> {
    if !between::used(lying::that_counts_too_far) || !machine::is_there() {
        return Ok(());
    }
    for beyond in [3, u64::MAX] {
        let (device, gate) = (syncpoint::vulkan::open(0)?, Gate::new());
        let (stream, held, buffer) = (device.stream()?, device.stream()?, device.buffer(64)?);
        held.wait(&gate.point())?;
        let waiting = held.record()?;
        stream.fill(&buffer, 0..64, 1)?;
        let before = stream.record()?;
        before.synchronize_timeout(LONG)?;
        lying::count_to(beyond);
        stream.fill(&buffer, 0..64, 2)?;
        let after = stream.record()?;
        // Whoever looks at the semaphore finds it out.
        patience::until("the loss", || after.query().is_err());
        lying::count_to(0);
        for point in [&after, &waiting] {
            let error =
                point.synchronize_timeout(LONG).expect_err("a lost device completes nothing");
            assert_eq!(error.kind(), Kind::DeviceLost, "{error}");
            assert!(error.to_string().contains("vkGetSemaphoreCounterValue"), "{error}");
        }
        before.query()?;
        gate.open()?;
    }
    Ok(())
}
