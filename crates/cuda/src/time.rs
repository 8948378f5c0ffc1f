//! Times of the device: an event notes each, and the driver gives differences.

use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::RawTime;
use syncpoint_core::{Error, Kind, Result, Timestamp};

use crate::anchor::Anchor;
use crate::pool::Lease;
use crate::sync::OnceLock;
use crate::sys::Event;

/// The smallest difference that the clock can tell (*documented*: around half a microsecond).
pub(crate) const RESOLUTION: Duration = Duration::from_nanos(500);

/// The event of one timed point, for as long as somebody has the point.
#[derive(Debug)]
pub(crate) struct Timed {
    /// Before the lease: the context goes last. Set at once, or, where the device was too busy for the first one, by who
    /// first asks for the time: the next answer is of the same.
    anchor: OnceLock<Arc<Anchor>>,
    lease: Lease,
}

impl Timed {
    pub(crate) fn new(anchor: Option<Arc<Anchor>>, lease: Lease) -> Self {
        Self { anchor: anchor.map_or_else(OnceLock::new, OnceLock::from), lease }
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    fn anchor(&self) -> Result<&Anchor> {
        if let Some(anchor) = self.anchor.get() {
            return Ok(anchor);
        }
        // Outside, since it may wait for the device. Of two threads the first one's stays.
        let made = Anchor::awaited(self.lease.context())?;
        Ok(self.anchor.get_or_init(|| made))
    }

    /// The span from another event to this, in milliseconds as the driver gives it.
    fn milliseconds_since(&self, start: &Event) -> Result<f32> {
        let context = self.lease.context();
        context.check()?;
        let asked = self.lease.event().milliseconds_since(start);
        asked.map_err(|refusal| context.refused(&refusal))
    }
}

impl RawTime for Timed {
    fn nanos_since(&self, start: &dyn RawTime) -> Result<i64> {
        let start = start.of_backend::<Self>()?;
        self.milliseconds_since(start.lease.event()).and_then(nanos)
    }

    /// An estimate: what the driver says of the span from the anchor, whose own time was seen from the host.
    fn timestamp(&self) -> Result<Timestamp> {
        let anchor = self.anchor()?;
        let milliseconds = self.milliseconds_since(anchor.event())?;
        let (seen, bound) = anchor.seen();
        let span = nanos(milliseconds)?;
        let mut timestamp = Timestamp::exact(seen.saturating_add_signed(span));
        timestamp.error = error_of(Duration::from_nanos(span.unsigned_abs()), bound);
        Ok(timestamp)
    }
}

/// The two clocks run at almost the same speed: at worst one gains a thousandth on the other. Quartz is ten times better.
const DRIFT: u32 = 1000;

/// How far a time may be off that lies so far from an anchor that may be off by `bound`.
fn error_of(span: Duration, bound: Duration) -> Duration {
    bound + step(span) + span / DRIFT
}

/// A span in nanoseconds.
fn nanos(milliseconds: f32) -> Result<i64> {
    if !milliseconds.is_finite() {
        let message =
            format!("the driver gave {milliseconds} ms between two events; do not use this time");
        return Err(Error::new(Kind::Driver, message));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates: 292 years")]
    let nanos = (f64::from(milliseconds) * 1e6).round() as i64;
    Ok(nanos)
}

/// How coarse a span of this length is: both functions of the driver, also the `_v2` of 12.8, give it as a float of
/// milliseconds, so in 24 binary digits.
pub(crate) fn step(span: Duration) -> Duration {
    let milliseconds = span.as_secs_f32() * 1000.0;
    let step = milliseconds.next_up() - milliseconds;
    Duration::try_from_secs_f32(step / 1000.0).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_given_to_the_nanosecond_where_its_float_has_it() {
        for (milliseconds, expected) in [(0.0, 0), (1.0, 1_000_000), (-2.5, -2_500_000)] {
            assert_eq!(nanos(milliseconds).ok(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_number_is_no_time() {
        assert_eq!(nanos(f32::NAN).unwrap_err().kind(), Kind::Driver);
        assert_eq!(nanos(f32::INFINITY).unwrap_err().kind(), Kind::Driver);
    }

    #[test]
    fn the_error_of_a_time_has_the_drift_of_the_clocks_since_its_anchor() {
        let bound = Duration::from_micros(15);
        assert_eq!(error_of(Duration::ZERO, bound), bound);
        for seconds in [1, 4, 3600] {
            let drift = Duration::from_millis(seconds);
            assert!(error_of(Duration::from_secs(seconds), bound) >= drift + bound, "{seconds} s");
        }
    }

    #[test]
    fn a_long_span_is_coarse_and_says_so() {
        assert!(step(Duration::from_millis(1)) < Duration::from_nanos(1));
        // Of the exponents of two between which so many milliseconds lie, in 23 further digits.
        for (seconds, nanos) in [(8, 488), (9, 977), (60, 3_906), (3600, 250_000)] {
            assert_eq!(step(Duration::from_secs(seconds)).as_nanos(), nanos, "{seconds} s");
        }
    }
}
