//! The host's clock: monotonic nanoseconds since the device was opened.

use std::time::Instant;

/// Stamps timed points.
#[derive(Debug)]
pub(crate) struct HostClock(Instant);

impl HostClock {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since the device was opened; enough for 584 years.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
