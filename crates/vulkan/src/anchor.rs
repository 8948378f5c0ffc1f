//! The anchor: the one time of a device by which all others become absolute times, with the rounds of before.
//!
//! A clock that goes round says of one time alone not in which of its rounds it lies. So the first time that is told
//! chooses, and every other is told by the span from there. What the host saw of the anchor is part of each such span: one
//! that was badly seen would leave all of them open, so it becomes none. Where the clocks may have drifted apart by a round
//! since (after some 500 rounds in which no time was told) nobody can tell, and that is said.

use std::time::Duration;

use crate::rounds::{Seen, between, is_explained, rounds};
use crate::sys::Timing;

/// A time as the device wrote it, and what the host saw of that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) ticks: u64,
    pub(crate) seen: Seen,
}

/// The time by which the others of a device are told.
#[derive(Debug, Default)]
pub(crate) struct Anchor(Option<Told>);

/// A time that was told as an absolute one.
#[derive(Clone, Copy, Debug)]
struct Told {
    reading: Reading,
    /// With the rounds of before.
    steps: i64,
}

/// So many nanoseconds the device's clock may be off where the driver reads it beside the host's: more than any reads them
/// apart, and less than lies between two clocks that began on their own.
const LOOSE: i128 = 1_000_000;

/// An anchor is replaced by one that was not seen as well when so many rounds lie in between: the clocks have drifted apart
/// by a tenth of a round at most then, and whoever asks next is served better.
const FAR: i64 = 50;

impl Anchor {
    /// The steps of an absolute time, the same for a time whenever it is asked for. `None`: the host saw too little to tell.
    pub(crate) fn tell(&mut self, timing: Timing, reading: Reading) -> Option<i64> {
        let Some(round) = timing.round() else { return Some(timing.first(reading.ticks)) };
        let is_well_seen = reading.seen.width() < i128::from(timing.nanos(round) / 2);
        let Some(Told { reading: start, steps }) = self.0 else {
            let first = Told { reading, steps: timing.first(reading.ticks) };
            self.0 = is_well_seen.then_some(first);
            return self.0.map(|first| first.steps);
        };
        let since = timing.span(start, reading)?;
        let told = steps.checked_add(since).filter(|told| *told >= 0)?;
        let is_better = reading.seen.width() <= start.seen.width() || since / round >= FAR;
        if is_well_seen && since > 0 && is_better {
            self.0 = Some(Told { reading, steps: told });
        }
        Some(told)
    }
}

impl Timing {
    /// The steps from one time to another, with the rounds in between. `None`: the host saw too little to count those.
    pub(crate) fn span(self, start: Reading, end: Reading) -> Option<i64> {
        let steps = self.steps(start.ticks, end.ticks);
        let Some(round) = self.round() else { return Some(steps) };
        let nanos = |steps| i128::from(self.nanos(steps));
        let times = rounds(nanos(steps), nanos(round), between(start.seen, end.seen))?;
        i64::try_from(i128::from(steps) + times * i128::from(round)).ok()
    }

    /// Whether what the host saw of two times allows what lies between them, with any number of rounds. It does not where
    /// they are of two clocks, or of one that was set meanwhile.
    pub(crate) fn allows(self, start: Reading, end: Reading) -> bool {
        let nanos = |steps| i128::from(self.nanos(steps));
        let steps = nanos(self.steps(start.ticks, end.ticks));
        let (least, most) = between(start.seen, end.seen);
        let (least, most) = (least - LOOSE, most + LOOSE);
        match self.round() {
            Some(round) => is_explained(steps, nanos(round), (least, most)),
            None => (least..=most).contains(&steps),
        }
    }
}

/// How far a time that is allowed may be off, by what the host saw of both.
pub(crate) fn doubt(start: Reading, end: Reading) -> Duration {
    let (least, most) = between(start.seen, end.seen);
    let nanos = u64::try_from(most - least + 2 * LOOSE);
    Duration::from_nanos(nanos.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A clock of 36 bits of nanoseconds begins anew after 69 seconds.
    const SHORT: Timing = Timing { bits: 36, period: 1.0 };

    const SECOND: i64 = 1_000_000_000;

    /// A device whose clock stood anywhere as the host began to look.
    struct Looked(Instant);

    impl Looked {
        /// A time that was written so many seconds after that, and noticed so many later. Bits that do not count are
        /// anything.
        fn at(&self, written: u64, late: u64) -> Reading {
            let (ticks, begin) = (written * 1_000_000_000 + (1 << 35), self.0);
            let given = begin + Duration::from_secs(written);
            let noticed = given + Duration::from_secs(late);
            Reading { ticks, seen: Seen { given, noticed } }
        }
    }

    #[test]
    fn a_time_long_before_the_first_that_was_told_lies_before_it() {
        let (looked, mut anchor) = (Looked(Instant::now()), Anchor::default());
        let (early, late) = (looked.at(0, 0), looked.at(200, 0));
        let late = anchor.tell(SHORT, late).expect("the first");
        let early = anchor.tell(SHORT, early).expect("both were seen well");
        assert_eq!(late - early, 200 * SECOND);
    }

    #[test]
    fn a_time_before_the_first_of_all_rounds_is_told_by_nobody() {
        let (looked, mut anchor) = (Looked(Instant::now()), Anchor::default());
        let timing = Timing { bits: 50, period: 1.0 };
        let day = 24 * 3600;
        assert!(anchor.tell(timing, looked.at(300 * day, 0)).is_some());
        assert_eq!(anchor.tell(timing, looked.at(0, 0)), None, "it would be negative");
        assert!(anchor.tell(timing, looked.at(201 * day, 0)).is_some());
    }

    #[test]
    fn a_time_that_was_badly_seen_is_no_anchor() {
        let (looked, mut anchor) = (Looked(Instant::now()), Anchor::default());
        assert_eq!(anchor.tell(SHORT, looked.at(0, 140)), None, "it would spoil all others");
        let first = anchor.tell(SHORT, looked.at(200, 0)).expect("it was seen well");
        let bad = anchor.tell(SHORT, looked.at(300, 60)).expect("one end alone was badly seen");
        assert_eq!(bad - first, 100 * SECOND);
        assert_eq!(anchor.tell(SHORT, looked.at(400, 140)), None, "nobody knows");
        let next = anchor.tell(SHORT, looked.at(500, 20)).expect("the anchor is the well seen one");
        assert_eq!(next - first, 300 * SECOND);
    }

    #[test]
    fn an_anchor_goes_along_with_the_times_that_are_told() {
        let (looked, mut anchor) = (Looked(Instant::now()), Anchor::default());
        let told = |at: u64| anchor.tell(SHORT, looked.at(at, 1)).expect("each was seen well");
        let day: Vec<_> = (0..24).map(|hour| hour * 3600).map(told).collect();
        assert!(day.is_sorted());
        assert_eq!(day[23] - day[0], 23 * 3600 * SECOND);
        assert_eq!(anchor.tell(SHORT, looked.at(23 * 3600 + 500 * 69 * 2, 1)), None, "it drifted");
    }

    #[test]
    fn what_the_host_saw_allows_times_of_one_clock_and_none_of_two() {
        let (looked, long) = (Looked(Instant::now()), Timing { bits: 64, period: 1.0 });
        let (start, end) = (looked.at(10, 0), looked.at(11, 0));
        for timing in [SHORT, long] {
            assert!(timing.allows(start, end) && timing.allows(end, start));
            for off in [-11_850_000_000, -3_000_000, 3_000_000, 11_850_000_000_i64] {
                let other = Reading { ticks: end.ticks.wrapping_add_signed(off), ..end };
                assert!(!timing.allows(start, other), "{off} of {timing:?}");
            }
        }
        let late = looked.at(10, 300);
        assert!(SHORT.allows(start, late), "several numbers of rounds explain it");
    }

    #[test]
    fn a_clock_that_never_begins_anew_tells_what_it_shows() {
        let (looked, mut anchor) = (Looked(Instant::now()), Anchor::default());
        let timing = Timing { bits: 64, period: 1.0 };
        for (at, late) in [(9, 500), (7, 0), (8, 1)] {
            let reading = looked.at(at, late);
            assert_eq!(anchor.tell(timing, reading), Some(reading.ticks.cast_signed()));
        }
    }
}
