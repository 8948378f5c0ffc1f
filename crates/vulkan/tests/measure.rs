//! Measuring on a device of Vulkan: what is measured is what the device did, not how soon it was told.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod machine;

use std::time::Duration;

use syncpoint::{Measure, Result};

/// By either clock, the round is over when the device is through with it.
#[test]
fn what_takes_long_is_measured_as_long_as_it_is() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let (stream, delay) = (syncpoint::vulkan::open(0)?.stream()?, Duration::from_millis(5));
    for measure in [Measure::new(), Measure::new().by_host_clock()] {
        let measured = measure.warm_up(1).repeats(5).run(&stream, |stream| stream.delay(delay))?;
        assert_eq!(measured.samples().len(), 5);
        assert!(measured.shortest() >= delay, "{measured}");
    }
    Ok(())
}
