//! Lengths of time in a unit that suits them, with no more digits than the clock can tell.

use std::time::Duration;

/// The units, and how many nanoseconds each is.
const UNITS: [(&str, u128); 4] =
    [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
/// The most digits behind the point: they end where the next smaller unit begins.
const DIGITS: u32 = 3;

/// A unit and how many digits to show of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) name: &'static str,
    nanos: u128,
    digits: u32,
}

impl Unit {
    /// The unit in which the longest of some lengths is at least 1, for a clock of this resolution.
    pub(super) fn fitting(longest: Duration, resolution: Duration) -> Self {
        let fits = |unit: &&(&str, u128)| unit.1 <= longest.as_nanos();
        let (name, nanos) = UNITS.iter().rev().find(fits).copied().unwrap_or(UNITS[0]);
        let honest = |digits: &u32| nanos / 10_u128.pow(*digits) >= resolution.as_nanos().max(1);
        Self { name, nanos, digits: (0..=DIGITS).rev().find(honest).unwrap_or(0) }
    }

    /// The number alone, rounded.
    pub(super) fn number(&self, length: Duration) -> String {
        let scale = 10_u128.pow(self.digits);
        let parts = (length.as_nanos() * scale + self.nanos / 2) / self.nanos;
        if self.digits == 0 {
            return parts.to_string();
        }
        let width = self.digits as usize;
        format!("{}.{:0>width$}", parts / scale, parts % scale)
    }
}

/// One length in the unit that suits it, with the three digits that a reader takes in.
pub(crate) fn show(length: Duration, resolution: Duration) -> String {
    let mut unit = Unit::fitting(length, resolution);
    let enough = match length.as_nanos() / unit.nanos {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    unit.digits = unit.digits.min(enough);
    format!("{} {}", unit.number(length), unit.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NANO: Duration = Duration::from_nanos(1);

    #[test]
    fn every_length_has_a_unit_that_suits_it() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 us"),
            (20_331_400, "20.3 ms"),
            (132_500_000, "133 ms"),
            (1_999_999_999, "2.00 s"),
            (3_600_000_000_000, "3600 s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(show(Duration::from_nanos(nanos), NANO), text);
        }
    }

    #[test]
    fn no_digit_is_finer_than_the_clock() {
        let length = Duration::from_nanos(20_331_500);
        let seen: Vec<String> = [1, 1_000, 2_000, 41_000, 1_000_000, 16_000_000]
            .map(|nanos| Unit::fitting(length, Duration::from_nanos(nanos)).number(length))
            .into();
        assert_eq!(seen, ["20.332", "20.332", "20.33", "20.3", "20", "20"]);
    }

    #[test]
    fn the_longest_length_can_be_shown() {
        assert_eq!(show(Duration::MAX, NANO), "18446744073709551616 s");
    }
}
