//! Times of the device: the end of a command buffer, as the device says.
//!
//! They are seconds of the clock that stands still while the machine sleeps, and nothing relates them to the host's times in a
//! trace.

use std::time::Duration;

use syncpoint_core::contract::RawTime;
use syncpoint_core::{Error, Kind, Result, Timestamp};

use crate::sync::OnceLock;

/// The smallest difference that the clock can tell: GPU end times are steps of a clock of 24 MHz, as seconds, on machines
/// with Apple's own processors. Those with Intel's tell smaller ones, of which nothing is promised.
pub(crate) const RESOLUTION: Duration = Duration::from_nanos(42);

/// The time of one timed point, which the end of its command buffer brings.
#[derive(Debug)]
pub(crate) struct Timed {
    seconds: OnceLock<f64>,
    /// The device, for messages.
    device: String,
}

impl Timed {
    pub(crate) fn new(device: &str) -> Self {
        Self { seconds: OnceLock::new(), device: device.to_owned() }
    }

    /// Notes the time, once.
    pub(crate) fn note(&self, seconds: f64) {
        let _once = self.seconds.set(seconds);
    }

    /// The time in nanoseconds. Devices give 0 where they took no time.
    fn nanos(&self) -> Result<u64> {
        let seconds = self.seconds.get().copied().unwrap_or(f64::NAN);
        // Beyond it lie more than three years since the machine began, and steps of the number that come near the clock's.
        if !(seconds > 0.0 && seconds < 1.0e8) {
            return Err(self.untimed(seconds));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and far below the largest number"
        )]
        let nanos = (seconds * 1.0e9).round() as u64;
        Ok(nanos)
    }

    #[cold]
    fn untimed(&self, seconds: f64) -> Error {
        let message = format!(
            "{} gave {seconds} as the end time of a command buffer, which is no time; do without, or time by the host",
            self.device
        );
        Error::new(Kind::Driver, message)
    }
}

impl RawTime for Timed {
    fn nanos_since(&self, start: &dyn RawTime) -> Result<i64> {
        let start = start.of_backend::<Self>()?;
        let (start, end) = (start.nanos()?, self.nanos()?);
        Ok(end.cast_signed() - start.cast_signed())
    }

    fn timestamp(&self) -> Result<Timestamp> {
        self.nanos().map(Timestamp::exact)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timed {
        let timed = Timed::new("metal:0");
        timed.note(seconds);
        timed
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY, 1.0e9] {
            let error = at(seconds).timestamp().unwrap_err();
            assert_eq!(error.kind(), Kind::Driver, "{seconds}");
            assert!(at(1.0).nanos_since(&at(seconds)).is_err(), "{seconds}");
        }
        assert!(Timed::new("metal:0").timestamp().is_err(), "none was given");
    }

    #[test]
    fn a_span_has_its_sign() {
        assert_eq!(at(2.5).nanos_since(&at(1.0)).unwrap(), 1_500_000_000);
        assert_eq!(at(1.0).nanos_since(&at(2.5)).unwrap(), -1_500_000_000);
        assert_eq!(at(1.0).nanos_since(&at(1.0)).unwrap(), 0, "both ended together");
    }

    #[test]
    fn a_machine_that_runs_for_a_month_still_tells_nanoseconds() {
        let month = 2_592_000.0;
        assert_eq!(at(month + 1.0e-6).nanos_since(&at(month)).unwrap(), 1_000);
    }
}
