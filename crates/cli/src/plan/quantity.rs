//! Sizes and lengths of time as a person writes them: `64 MiB`, `1.5 s`.

use std::{fmt, time::Duration};

/// Units of size and how many bytes each is.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Units of time and how many nanoseconds each is.
const TIMES: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
];

/// Why a text is not a quantity. Its display is what is wrong, without the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NotANumber,
    Negative,
    NoUnit,
    UnknownUnit,
    TooLarge,
    TooFine,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotANumber => "does not begin with a number",
            Self::Negative => "is negative",
            Self::NoUnit => "has no unit",
            Self::UnknownUnit => "has a unit that is not known",
            Self::TooLarge => "is too large",
            Self::TooFine => "is no whole number of the smallest unit",
        })
    }
}

/// A number of bytes: a number, then a unit from `B` to `TiB`.
pub(super) fn size(text: &str) -> Result<u64, Fault> {
    quantity(text, &SIZES)
}

/// A length of time: a number, then a unit from `ns` to `min`.
pub(super) fn delay(text: &str) -> Result<Duration, Fault> {
    quantity(text, &TIMES).map(Duration::from_nanos)
}

/// The exact value in the smallest unit; no rounding, so what the file says is what happens.
fn quantity(text: &str, units: &[(&str, u64)]) -> Result<u64, Fault> {
    let text = text.trim();
    if let Some(positive) = text.strip_prefix('-') {
        return Err(quantity(positive, units).map_or_else(|fault| fault, |_| Fault::Negative));
    }
    let digits_end = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.');
    let (number, unit) = text.split_at(digits_end.unwrap_or(text.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(Fault::NotANumber);
    }
    exact(whole, fraction, factor(unit.trim_start(), units)?)
}

fn factor(unit: &str, units: &[(&str, u64)]) -> Result<u64, Fault> {
    if unit.is_empty() {
        return Err(Fault::NoUnit);
    }
    let known = units.iter().find(|(name, _)| *name == unit);
    known.map(|(_, factor)| *factor).ok_or(Fault::UnknownUnit)
}

/// `whole.fraction × factor`, if that is a whole number that fits.
fn exact(whole: &str, fraction: &str, factor: u64) -> Result<u64, Fault> {
    let fraction = fraction.trim_end_matches('0');
    let too_large = |_| Fault::TooLarge;
    let whole = whole.parse::<u64>().map_err(too_large)?.checked_mul(factor);
    let whole = whole.ok_or(Fault::TooLarge)?;
    whole.checked_add(part(fraction, factor)?).ok_or(Fault::TooLarge)
}

/// `0.fraction × factor`, if that is a whole number.
fn part(fraction: &str, factor: u64) -> Result<u64, Fault> {
    if fraction.is_empty() {
        return Ok(0);
    }
    let numerator = fraction.parse::<u128>().map_err(|_| Fault::TooFine)?;
    let places = u32::try_from(fraction.len()).map_err(|_| Fault::TooFine)?;
    let denominator = 10_u128.checked_pow(places).ok_or(Fault::TooFine)?;
    let product = numerator.checked_mul(factor.into()).ok_or(Fault::TooFine)?;
    if product % denominator != 0 {
        return Err(Fault::TooFine);
    }
    u64::try_from(product / denominator).map_err(|_| Fault::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        let cases = [
            ("0 B", 0),
            ("64 MiB", 64 << 20),
            ("64MiB", 64 << 20),
            ("1.5 KiB", 1536),
            ("0.5kB", 500),
            ("1.50 MB", 1_500_000),
            (" 2 GB ", 2_000_000_000),
            ("18446744073709551615 B", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn delays_are_exact_to_the_nanosecond() {
        let cases =
            [("5ms", 5_000_000), ("0.25 us", 250), ("3 \u{b5}s", 3_000), ("2min", 120_000_000_000)];
        for (text, nanos) in cases {
            assert_eq!(delay(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn every_fault_has_its_own_name() {
        let cases = [
            ("", Fault::NotANumber),
            ("MiB", Fault::NotANumber),
            (".5 MiB", Fault::NotANumber),
            ("5. MiB", Fault::NotANumber),
            ("1.2.3 MiB", Fault::NotANumber),
            ("-5 MiB", Fault::Negative),
            ("-5", Fault::NoUnit),
            ("5", Fault::NoUnit),
            ("5 M", Fault::UnknownUnit),
            ("5 mib", Fault::UnknownUnit),
            ("1e3 B", Fault::UnknownUnit),
            ("16777216 TiB", Fault::TooLarge),
            ("18446744073709551615.5 KiB", Fault::TooLarge),
            ("99999999999999999999 B", Fault::TooLarge),
            ("0.3 B", Fault::TooFine),
            ("1.3 KiB", Fault::TooFine),
            ("0.00000000000000000000000000000000000000001 TiB", Fault::TooFine),
        ];
        for (text, fault) in cases {
            assert_eq!(size(text), Err(fault), "{text}");
        }
    }
}
