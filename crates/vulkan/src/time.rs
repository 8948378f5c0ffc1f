//! Times of the device: a query notes each, in steps of the device's own clock.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::RawTime;
use syncpoint_core::{Error, Kind, Reason, Result, Timestamp};

use crate::context::Context;
use crate::sync::OnceLock;
use crate::sys::{Slot, Timing};

/// The room of one timed point, for as long as somebody has the point.
#[derive(Debug)]
pub(crate) struct Timed {
    slot: Arc<Slot>,
    /// What was read there.
    ticks: OnceLock<u64>,
    timing: Timing,
    context: Arc<Context>,
}

impl Timed {
    pub(crate) fn new(context: &Arc<Context>, slot: Slot, timing: Timing) -> Self {
        let (slot, ticks) = (Arc::new(slot), OnceLock::new());
        Self { slot, ticks, timing, context: Arc::clone(context) }
    }

    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// The time as the device wrote it.
    fn ticks(&self) -> Result<u64> {
        if let Some(ticks) = self.ticks.get() {
            return Ok(*ticks);
        }
        let _inside = self.context.enter()?;
        let read = self.slot.ticks().map_err(|refusal| self.context.refused(refusal))?;
        read.map(|ticks| *self.ticks.get_or_init(|| ticks)).ok_or_else(|| self.unwritten())
    }

    #[cold]
    fn unwritten(&self) -> Error {
        let message = format!(
            "{} has come to a timed point and its driver has no time of it; do without",
            self.context.name()
        );
        Error::new(Kind::Driver, message)
    }
}

impl RawTime for Timed {
    fn nanos_since(&self, start: &dyn RawTime) -> Result<i64> {
        let start: &dyn Any = start;
        let Some(start) = start.downcast_ref::<Self>() else {
            let message =
                "the two points are of different backends; compare times of one device only";
            return Err(Error::misuse(Reason::WrongDevice, message));
        };
        let span = self.timing.steps(start.ticks()?, self.ticks()?);
        Ok(self.timing.nanos(span))
    }

    fn timestamp(&self) -> Result<Timestamp> {
        let steps = i64::try_from(self.timing.valid(self.ticks()?)).unwrap_or(i64::MAX);
        Ok(Timestamp::exact(self.timing.nanos(steps).unsigned_abs()))
    }
}

impl Timing {
    /// The smallest difference that the clock can tell, at least a nanosecond.
    pub(crate) fn resolution(self) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let nanos = f64::from(self.period).ceil() as u64;
        Duration::from_nanos(nanos.max(1))
    }

    /// The bits of a time that count.
    fn valid(self, ticks: u64) -> u64 {
        ticks & (u64::MAX >> (64 - self.bits.clamp(1, 64)))
    }

    /// The steps from one time to another, where the clock has gone round at most once in between: the shorter way.
    fn steps(self, start: u64, end: u64) -> i64 {
        let unused = 64 - self.bits.clamp(1, 64);
        // The sign of the masked difference, whatever lies above the bits that count.
        (end.wrapping_sub(start) << unused).cast_signed() >> unused
    }

    /// So many steps in nanoseconds.
    fn nanos(self, steps: i64) -> i64 {
        let period = f64::from(self.period);
        // Most clocks count nanoseconds: then nothing is lost to floats.
        if (period - 1.0).abs() < f64::EPSILON {
            return steps;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast of a float saturates: 292 years"
        )]
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 binary digits: 100 days to the nanosecond"
        )]
        let nanos = (steps as f64 * period).round() as i64;
        nanos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Timing = Timing { bits: 36, period: 1.0 };

    #[test]
    fn a_clock_that_has_gone_round_gives_the_span_all_the_same() {
        let last = (1_u64 << 36) - 1;
        assert_eq!(SHORT.steps(last - 9, 10), 20);
        assert_eq!(SHORT.steps(10, last - 9), -20);
        // What lies above the bits that count is anything.
        assert_eq!(SHORT.steps(last - 9, 0xa | (7 << 40)), 20);
        assert_eq!(SHORT.valid(0xa | (7 << 40)), 10);
    }

    #[test]
    fn a_clock_of_all_bits_needs_no_mask() {
        let timing = Timing { bits: 64, period: 1.0 };
        assert_eq!(timing.steps(u64::MAX, 4), 5);
        assert_eq!(timing.steps(4, u64::MAX), -5);
        assert_eq!(timing.valid(u64::MAX), u64::MAX);
    }

    #[test]
    fn steps_become_nanoseconds_by_the_period() {
        let timing = Timing { bits: 64, period: 52.083_332 };
        let second = timing.nanos(19_200_000);
        assert!(
            (second - 1_000_000_000).abs() < 100,
            "{second}: as exact as the float of the driver"
        );
        assert_eq!(timing.resolution(), Duration::from_nanos(53));
        assert_eq!(SHORT.nanos(i64::MAX), i64::MAX);
    }
}
