//! Rounds: how often a clock of few bits began anew between two times, told by what the host saw of both.
//!
//! A device writes a time after the host asked for it and before the host noticed that: two instants of the host's own
//! clock, which does not go round. So the span between two times of the device lies between two spans of the host's. Where
//! one number of rounds gives such a span it is the right one; where several do nobody knows, and that is said.

use std::time::Instant;

/// What the host saw of a time of the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// It was asked for then, and not written yet.
    pub(crate) given: Instant,
    /// It was written already.
    pub(crate) noticed: Instant,
}

impl Seen {
    /// How many nanoseconds lie between what the host saw.
    pub(crate) fn width(self) -> i128 {
        span(self.given, self.noticed)
    }
}

/// The two clocks run at almost the same speed: at worst one gains a thousandth on the other. Quartz is ten times better.
pub(crate) const DRIFT: i128 = 1000;

/// What is added for steps of either clock.
const STEP: i128 = 1000;

/// The least and the most nanoseconds that lie between two times of the device.
pub(crate) fn between(start: Seen, end: Seen) -> (i128, i128) {
    let (least, most) = (span(start.noticed, end.given), span(start.given, end.noticed));
    (least - least.abs() / DRIFT - STEP, most + most.abs() / DRIFT + STEP)
}

/// The one number of rounds with which `nanos` is a span between two bounds, each of `round` nanoseconds. `None`: there is
/// no such number, or several.
pub(crate) fn rounds(nanos: i128, round: i128, bounds: (i128, i128)) -> Option<i128> {
    let (fewest, greatest) = numbers(nanos, round, bounds);
    (fewest == greatest).then_some(fewest)
}

/// Whether there is such a number, or several.
pub(crate) fn is_explained(nanos: i128, round: i128, bounds: (i128, i128)) -> bool {
    let (fewest, greatest) = numbers(nanos, round, bounds);
    fewest <= greatest
}

fn numbers(nanos: i128, round: i128, (least, most): (i128, i128)) -> (i128, i128) {
    (-(nanos - least).div_euclid(round), (most - nanos).div_euclid(round))
}

/// Nanoseconds from one instant to another, with a sign.
fn span(start: Instant, end: Instant) -> i128 {
    let forth = end.saturating_duration_since(start).as_nanos();
    let back = start.saturating_duration_since(end).as_nanos();
    i128::try_from(forth).unwrap_or(i128::MAX) - i128::try_from(back).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A round of 36 bits of nanoseconds: 69 seconds.
    const ROUND: i128 = 1 << 36;

    /// What lies on the clock between two times: the shorter way round.
    fn shown(nanos: i128) -> i128 {
        (nanos + ROUND / 2).rem_euclid(ROUND) - ROUND / 2
    }

    #[test]
    fn a_span_of_any_length_is_found_where_the_host_saw_both_ends_well() {
        for seconds in [-1000, -70, -35, 0, 1, 34, 35, 69, 70, 1000] {
            let nanos = seconds * 1_000_000_000 + 123;
            let bounds = (nanos - 1_000_000, nanos + 1_000_000);
            let found =
                rounds(shown(nanos), ROUND, bounds).map(|times| shown(nanos) + times * ROUND);
            assert_eq!(found, Some(nanos), "{seconds} s");
        }
    }

    #[test]
    fn what_several_numbers_of_rounds_would_explain_is_left_open() {
        let nanos = 40_000_000_000;
        assert_eq!(rounds(shown(nanos), ROUND, (-nanos, nanos)), None, "backwards as well");
        assert_eq!(rounds(shown(nanos), ROUND, (0, nanos)), Some(1), "it is known to be later");
        assert_eq!(rounds(0, ROUND, (1, 2)), None, "nothing explains it");
    }

    #[test]
    fn bounds_hold_what_the_host_saw_and_what_clocks_may_gain() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let (start, end) =
            (Seen { given: at(0), noticed: at(2) }, Seen { given: at(10), noticed: at(13) });
        assert_eq!(between(start, end), (8_000_000_000 - 8_001_000, 13_000_000_000 + 13_001_000));
        assert_eq!(between(end, start), (-13_000_000_000 - 13_001_000, -8_000_000_000 + 8_001_000));
    }
}
