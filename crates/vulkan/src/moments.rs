//! Moments: what the device's clock and the host's showed at once, so that a time of the device is one of the host's too.
//!
//! A timed point lies between a moment of before it was asked for and one of after it had come, and on a line between the
//! two: so what one clock gains on the other is measured, not assumed, and what is left is how far apart both were read.
//! Over long, the line bends: one clock may be slewed for a while. Who asks late is told how far that may be.

use std::time::{Duration, Instant};

use crate::anchor::Reading;
use crate::rounds::{DRIFT, Seen};
use crate::sync::{Mutex, OnceLock, lock};
use crate::sys::{Answer, Both, Device, Meaning};

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The device's.
    pub(crate) reading: Reading,
    /// The host's, in nanoseconds.
    nanos: u64,
    /// How far apart both were read at most.
    apart: Duration,
}

/// The moments of a device.
#[derive(Debug)]
pub(crate) struct Moments {
    /// As the device was opened: where absolute times are counted from.
    began: u64,
    latest: Mutex<Moment>,
    /// Whether the clock of the device's that is read is the one of its queues, as the first time that can tell says.
    are_believed: OnceLock<bool>,
}

/// After so long a timed point has a new one read before it: over seconds two clocks keep to one line.
const OLD: Duration = Duration::from_secs(4);

/// A time that the host saw as closely is not taken for one of another clock: those lie seconds apart.
const CLOSE: Duration = Duration::from_millis(100);

/// Over so long both clocks keep to one line: from a moment to one after a timed point that is asked for soon.
const STRAIGHT: Duration = Duration::from_secs(10);

/// A reading that takes longer is tried again, so often at most: the thread may have lost its core between the clocks.
const LONG: Duration = Duration::from_micros(20);
const TIMES: usize = 3;

impl Moments {
    /// The first, as the device is opened; `None`: its driver reads no two clocks at once, or refuses to. Then none is read
    /// later either: all times of a device are of one clock.
    pub(crate) fn begin(device: &Device) -> Answer<Option<Self>> {
        let first = Moment::read(device)?;
        Ok(first.map(|first| Self::since(first.nanos, first)))
    }

    fn since(began: u64, latest: Moment) -> Self {
        Self { began, latest: Mutex::new(latest), are_believed: OnceLock::new() }
    }

    /// Whether times are told by the moments: the first time that can tell says so for all, since those of a device are to
    /// be of one clock. It `agrees` where it lies as far from its moments as the host saw it, within `doubt`. One that does
    /// not agree can tell; one that does agrees with many clocks where the host saw it badly. `None`: none could tell yet.
    pub(crate) fn are_believed(&self, agrees: bool, doubt: Duration) -> Option<bool> {
        if agrees && doubt > CLOSE {
            return self.are_believed.get().copied();
        }
        Some(*self.are_believed.get_or_init(|| agrees))
    }

    /// One of a few seconds ago at most, or the latest where the driver refuses another.
    pub(crate) fn recent(&self, device: &Device) -> Answer<Moment> {
        let latest = *lock(&self.latest);
        if latest.reading.seen.noticed.elapsed() < OLD {
            return Ok(latest);
        }
        Ok(self.renew(device)?.unwrap_or(latest))
    }

    /// One of after this instant; `None`: the driver refuses it.
    pub(crate) fn after(&self, instant: Instant, device: &Device) -> Answer<Option<Moment>> {
        let latest = *lock(&self.latest);
        if latest.reading.seen.given >= instant {
            return Ok(Some(latest));
        }
        self.renew(device)
    }

    fn renew(&self, device: &Device) -> Answer<Option<Moment>> {
        let Some(moment) = Moment::read(device)? else { return Ok(None) };
        let mut latest = lock(&self.latest);
        if latest.nanos < moment.nanos {
            *latest = moment;
        }
        Ok(Some(moment))
    }

    /// When a time came, in nanoseconds since the device was opened, and how far that may be off: it lies `part` behind
    /// the moment before it, in nanoseconds of the device's, and the moment after it, where there is one, `whole`.
    pub(crate) fn place(
        &self,
        before: &Moment,
        after: Option<(Moment, i64)>,
        part: i64,
    ) -> (u64, Duration) {
        let (behind, apart, gained) = match after {
            Some((after, whole)) => {
                let length = i128::from(after.nanos) - i128::from(before.nanos);
                let behind = i128::from(part) * length / i128::from(whole.max(1));
                (behind, before.apart.max(after.apart), bend(part, whole))
            }
            None => (i128::from(part), before.apart, i128::from(part) / DRIFT),
        };
        let since = i128::from(before.nanos) + behind - i128::from(self.began);
        let gained = Duration::from_nanos(u64::try_from(gained).unwrap_or(0));
        (u64::try_from(since).unwrap_or(0), apart + gained)
    }
}

/// How far a time may lie off the line between two moments, in nanoseconds: one clock may gain on the other up to there and
/// lose that again behind it, or the other way round.
fn bend(part: i64, whole: i64) -> i128 {
    if u128::from(whole.unsigned_abs()) <= STRAIGHT.as_nanos() {
        return 0;
    }
    2 * i128::from(part.min(whole - part)) / DRIFT
}

impl Moment {
    /// Reads both clocks; `None`: the driver does not, or refuses to, which is no reason to refuse a time of the device's.
    fn read(device: &Device) -> Answer<Option<Self>> {
        match Self::read_closely(device) {
            Err(refusal) if refusal.meaning() != Meaning::Lost => Ok(None),
            read => read,
        }
    }

    fn read_closely(device: &Device) -> Answer<Option<Self>> {
        let mut best: Option<Self> = None;
        for _ in 0..TIMES {
            let given = Instant::now();
            let Some(both) = device.clocks() else { return Ok(None) };
            let moment = Self::of(both?, Seen { given, noticed: Instant::now() });
            best = Some(best.filter(|best| best.apart <= moment.apart).unwrap_or(moment));
            if moment.apart < LONG {
                break;
            }
        }
        Ok(best)
    }

    /// What the driver says of how far apart both were read is its best case: where its thread lost the core in between, how
    /// long the call took says more.
    fn of(both: Both, seen: Seen) -> Self {
        let took = seen.noticed.saturating_duration_since(seen.given);
        let apart = took.max(Duration::from_nanos(both.apart));
        Self { reading: Reading { ticks: both.ticks, seen }, nanos: both.nanos, apart }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(nanos: u64, apart: u64) -> Moment {
        let now = Instant::now();
        let reading = Reading { ticks: 0, seen: Seen { given: now, noticed: now } };
        Moment { reading, nanos, apart: Duration::from_nanos(apart) }
    }

    #[test]
    fn a_time_lies_on_the_line_between_two_moments_whichever_clock_is_faster() {
        let (before, after) = (moment(5_000, 7), moment(9_000, 40));
        let moments = Moments::since(1_000, after);
        for (part, whole, nanos) in
            [(0, 4_000, 4_000), (1_000, 4_000, 5_000), (4_000, 4_000, 8_000)]
        {
            assert_eq!(moments.place(&before, Some((after, whole)), part).0, nanos);
        }
        // A device whose clock runs twice as fast.
        assert_eq!(moments.place(&before, Some((after, 8_000)), 4_000).0, 6_000);
        let error = moments.place(&before, Some((after, 2)), 1).1;
        assert_eq!(error, Duration::from_nanos(40));
    }

    #[test]
    fn a_time_that_was_badly_seen_decides_nothing_unless_it_disagrees() {
        let new = || Moments::since(0, moment(0, 7));
        let (moments, late, soon) = (new(), Duration::from_secs(15), Duration::from_millis(5));
        assert_eq!(moments.are_believed(true, late), None);
        assert_eq!(moments.are_believed(false, soon), Some(false));
        assert_eq!(moments.are_believed(true, soon), Some(false), "for good");
        let moments = new();
        assert_eq!(moments.are_believed(true, soon), Some(true));
        assert_eq!(moments.are_believed(true, late), Some(true));
        assert_eq!(new().are_believed(false, late), Some(false), "it is of no such clock");
    }

    #[test]
    fn two_moments_at_once_divide_nothing_by_nothing() {
        let both = moment(5_000, 7);
        let moments = Moments::since(5_001, both);
        assert_eq!(moments.place(&both, Some((both, 0)), 0), (0, Duration::from_nanos(7)));
    }

    #[test]
    fn a_time_that_is_asked_for_late_says_how_far_one_clock_may_have_gained_on_the_other() {
        const HOUR: u64 = 3_600_000_000_000;
        let (before, after) = (moment(0, 7), moment(HOUR, 7));
        let moments = Moments::since(0, after);
        let whole = HOUR.cast_signed();
        for (part, error) in [(0, 7), (2_000_000_000, 4_000_007), (whole - 5_000, 17)] {
            let told = moments.place(&before, Some((after, whole)), part);
            assert_eq!(told, (part.unsigned_abs(), Duration::from_nanos(error)));
        }
    }

    #[test]
    fn a_time_without_a_moment_after_it_is_counted_on_from_the_one_before() {
        let before = moment(5_000, 7);
        let moments = Moments::since(1_000, before);
        let told = moments.place(&before, None, 3_000_000);
        assert_eq!(told, (3_004_000, Duration::from_nanos(3_007)));
    }

    #[test]
    fn a_reading_is_off_by_as_long_as_it_took_where_the_driver_says_less() {
        let given = Instant::now();
        let seen = Seen { given, noticed: given + Duration::from_nanos(500) };
        let both = |apart| Both { ticks: 1, nanos: 2, apart };
        assert_eq!(Moment::of(both(1), seen).apart, Duration::from_nanos(500));
        assert_eq!(Moment::of(both(900), seen).apart, Duration::from_nanos(900));
    }
}
