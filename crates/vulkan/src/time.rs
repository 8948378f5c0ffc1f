//! Times of the device: a query notes each, in steps of the device's own clock.

use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::RawTime;
use syncpoint_core::{Error, Kind, Result, Timestamp};

use crate::anchor::{Reading, doubt};
use crate::context::Context;
use crate::moments::Moment;
use crate::sync::OnceLock;
use crate::sys::{Slot, Timing};

/// The room of one timed point, for as long as somebody has the point.
#[derive(Debug)]
pub(crate) struct Timed {
    slot: Arc<Slot>,
    /// What was read there.
    ticks: OnceLock<u64>,
    /// What was told as the time: it is told the same each time.
    told: OnceLock<Timestamp>,
    timing: Timing,
    /// Both clocks before it was asked for, where the driver reads them at once.
    before: Option<Moment>,
    context: Arc<Context>,
}

impl Timed {
    pub(crate) fn new(
        context: &Arc<Context>,
        slot: Slot,
        (timing, before): (Timing, Option<Moment>),
    ) -> Self {
        let (slot, ticks, told) = (Arc::new(slot), OnceLock::new(), OnceLock::new());
        Self { slot, ticks, told, timing, before, context: Arc::clone(context) }
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

    fn reading(&self) -> Result<Reading> {
        let ticks = self.ticks()?;
        let seen = self.slot.seen().ok_or_else(|| self.unwritten())?;
        Ok(Reading { ticks, seen })
    }

    /// The steps from another time of the same clock to one, with the rounds in between.
    fn steps_between(&self, start: Reading, end: Reading) -> Result<i64> {
        let times = || format!("two times ({} and {})", start.ticks, end.ticks);
        self.timing.span(start, end).ok_or_else(|| self.lost_count(&times()))
    }

    /// When it came on the device's own clock.
    fn of_the_device(&self) -> Result<Timestamp> {
        let reading = self.reading()?;
        let times = || format!("a time ({}) or of the last that was told", reading.ticks);
        let steps = self.context.absolute(self.timing, reading);
        let steps = steps.ok_or_else(|| self.lost_count(&times()))?;
        Ok(Timestamp::exact(self.timing.nanos(steps).unsigned_abs()))
    }

    /// When it came on the host's clock; `None`: the driver does not read both at once, or reads a clock of the device's
    /// that is not the one of its queues. While nobody knows whether it is, the time is as far off as the host saw it.
    fn of_the_host(&self) -> Result<Option<Timestamp>> {
        let (Some(before), reading) = (&self.before, self.reading()?) else { return Ok(None) };
        let after = self.context.moment_after(reading.seen.noticed)?;
        let Some((moments, after)) = after else { return Ok(None) };
        let refused = self.refused(before, reading, after);
        let doubt = doubt(before.reading, reading);
        let doubt = match moments.are_believed(refused.is_none(), doubt) {
            Some(false) => return Ok(None),
            Some(true) => Duration::ZERO,
            None => doubt,
        };
        if let Some(refused) = refused {
            return Err(self.set_anew(&refused));
        }
        let since = |end| {
            let steps = self.steps_between(before.reading, end);
            steps.map(|steps| self.timing.nanos(steps))
        };
        // Where it is asked for so late that nobody can count the rounds up to now, those up to the time itself are enough.
        let after = after.and_then(|after| Some((after, since(after.reading).ok()?)));
        let (nanos, error) = moments.place(before, after, since(reading)?);
        let mut timestamp = Timestamp::exact(nanos);
        timestamp.error = error + doubt + self.timing.resolution();
        Ok(Some(timestamp))
    }

    /// What lies further from the moment before, or nearer, than the host saw it, in words.
    fn refused(&self, before: &Moment, reading: Reading, after: Option<Moment>) -> Option<String> {
        let (before, allows) = (before.reading, |end| self.timing.allows(before.reading, end));
        if !allows(reading) {
            return Some(format!("{} and a queue of it wrote {}", before.ticks, reading.ticks));
        }
        let after = after.map(|after| after.reading).filter(|after| !allows(*after))?;
        Some(format!("{} and later at {}", before.ticks, after.ticks))
    }

    #[cold]
    fn lost_count(&self, times: &str) -> Error {
        let round = self.timing.nanos(self.timing.round().unwrap_or(i64::MAX));
        let message = format!(
            "the clock of {} begins anew every {:?}, and the host saw too little of {times} to tell how often it did in \
             between; synchronize each point within half of that",
            self.context.name(),
            Duration::from_nanos(round.unsigned_abs())
        );
        Error::new(Kind::Driver, message)
    }

    #[cold]
    fn set_anew(&self, both: &str) -> Error {
        let message = format!(
            "the driver of {} read the device's clock at {both}, which lie further apart or nearer than the host saw them; \
             time by spans of the device",
            self.context.name()
        );
        Error::new(Kind::Driver, message)
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
        let start = start.of_backend::<Self>()?;
        Ok(self.timing.nanos(self.steps_between(start.reading()?, self.reading()?)?))
    }

    fn timestamp(&self) -> Result<Timestamp> {
        if let Some(told) = self.told.get() {
            return Ok(*told);
        }
        let told = self.of_the_host()?.map_or_else(|| self.of_the_device(), Ok)?;
        Ok(*self.told.get_or_init(|| told))
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

    /// The steps after which the clock begins anew; `None`: it never does.
    pub(crate) fn round(self) -> Option<i64> {
        (self.bits < 63).then(|| 1 << self.bits)
    }

    /// The steps of the first time that is told of a device. Those of before may be told later, so a clock that goes round
    /// begins some rounds in.
    pub(crate) fn first(self, ticks: u64) -> i64 {
        let steps = i64::try_from(self.valid(ticks)).unwrap_or(i64::MAX);
        let before =
            self.round().map_or(0, |round| round * (BEFORE / self.nanos(round).max(1) + 1));
        steps.saturating_add(before)
    }

    /// The steps from one time to another, where the clock has gone round at most once in between: the shorter way.
    pub(crate) fn steps(self, start: u64, end: u64) -> i64 {
        let unused = 64 - self.bits.clamp(1, 64);
        // The sign of the masked difference, whatever lies above the bits that count.
        (end.wrapping_sub(start) << unused).cast_signed() >> unused
    }

    /// So many steps in nanoseconds.
    pub(crate) fn nanos(self, steps: i64) -> i64 {
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

/// Where the first time that is told of a clock that goes round lies at least: 100 days in nanoseconds. Programs hardly
/// keep a point for longer, and floats have that many to the nanosecond.
const BEFORE: i64 = 100 * 24 * 3600 * 1_000_000_000;

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
