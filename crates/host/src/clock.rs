//! The host's clock: monotonic nanoseconds since the device was opened.

use std::time::{Duration, Instant};

use syncpoint_core::Clock;

/// Stamps timed points.
#[derive(Debug)]
pub(crate) struct HostClock {
    begin: Instant,
    face: Clock,
}

impl HostClock {
    pub(crate) fn new(device: &str) -> Self {
        // `Instant` counts nanoseconds on every system that has a finer clock than milliseconds.
        let face = Clock::new(format!("{device} monotonic"), Duration::from_nanos(1));
        Self { begin: Instant::now(), face }
    }

    pub(crate) fn face(&self) -> &Clock {
        &self.face
    }

    /// Nanoseconds since the device was opened; enough for 584 years.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
