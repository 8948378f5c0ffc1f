//! Whole numbers, sizes and lengths of time read from a table, each with its own faults told.

use std::{fmt::Display, str::FromStr, time::Duration};

use toml::{
    Spanned,
    de::{DeInteger, DeValue},
};

use super::{
    fields::Fields,
    quantity::{self, Fault},
};

/// A length of time as files write it, such as `30s`.
///
/// # Errors
///
/// What is wrong with the text, and the remedy.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    quantity::delay(text).map_err(|fault| {
        let remedy = time_remedy("a time", "s", &text, fault);
        format!("{text:?} {fault}; {remedy}")
    })
}

impl Fields<'_> {
    /// A whole number of the given type; `range` says in words which ones fit.
    pub(super) fn whole<N: FromStr>(&self, key: &'static str, range: &str) -> Option<Spanned<N>> {
        let value = self.value(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, &format!("give it a whole number {range}"));
            return None;
        };
        let number = decimal(integer).and_then(|decimal| decimal.parse().ok());
        if number.is_none() {
            let message = format!("has {key} = {integer}, which is not a whole number {range}");
            self.complain_at(&value.span(), &format!("{message}; choose one that is"));
        }
        number.map(|number| Spanned::new(value.span(), number))
    }

    /// A size: a whole number of bytes, or a text with a unit.
    pub(super) fn size(&self, key: &'static str) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        let size = match value.get_ref() {
            DeValue::Integer(integer) => {
                whole_size(integer).map_err(|fault| (integer.to_string(), fault))
            }
            DeValue::String(text) => {
                quantity::size(text).map_err(|fault| (format!("{text:?}"), fault))
            }
            _ => {
                self.wrong_type(
                    key,
                    value,
                    "give it bytes, such as 4096, or a text such as \"64 MiB\"",
                );
                return None;
            }
        };
        let told = |(shown, fault): (String, Fault)| {
            let message = format!("has {key} = {shown}, which {fault}; {}", size_remedy(fault));
            self.complain_at(&value.span(), &message);
        };
        size.map_err(told).ok().map(|size| Spanned::new(value.span(), size))
    }

    /// A length of time: a text with a unit.
    pub(super) fn delay(&self, key: &'static str) -> Option<Duration> {
        let value = self.value(key)?;
        let delay = match value.get_ref() {
            DeValue::String(text) => {
                quantity::delay(text).map_err(|fault| (format!("{text:?}"), fault))
            }
            DeValue::Integer(number) => Err((number.to_string(), Fault::NoUnit)),
            DeValue::Float(number) => Err((number.to_string(), Fault::NoUnit)),
            _ => {
                self.wrong_type(key, value, "give it a text such as \"5ms\"");
                return None;
            }
        };
        let told = |(shown, fault): (String, Fault)| {
            let remedy = time_remedy("a delay", "ms", &shown, fault);
            self.complain_at(
                &value.span(),
                &format!("has {key} = {shown}, which {fault}; {remedy}"),
            );
        };
        delay.map_err(told).ok()
    }
}

/// The number in decimal digits, whatever base the file wrote it in.
fn decimal(integer: &DeInteger<'_>) -> Option<String> {
    i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number.to_string())
}

fn whole_size(integer: &DeInteger<'_>) -> Result<u64, Fault> {
    if integer.as_str().starts_with('-') {
        return Err(Fault::Negative);
    }
    u64::from_str_radix(integer.as_str(), integer.radix()).map_err(|_| Fault::TooLarge)
}

fn size_remedy(fault: Fault) -> &'static str {
    match fault {
        Fault::NoUnit => "write a plain number of bytes without quotes, or add a unit such as MiB",
        Fault::UnknownUnit | Fault::NotANumber => {
            "write a number and one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"
        }
        Fault::Negative => "a size is 0 or more",
        Fault::TooLarge => "a size fits 64 bits",
        Fault::TooFine => "bytes cannot be divided",
    }
}

fn time_remedy(what: &str, unit: &str, shown: &dyn Display, fault: Fault) -> String {
    match fault {
        Fault::NoUnit => {
            let number = shown.to_string().replace('"', "");
            format!("add one, such as \"{}{unit}\"", number.trim().trim_start_matches('-'))
        }
        Fault::UnknownUnit | Fault::NotANumber => {
            "write a number and one of ns, us, ms, s, min".into()
        }
        Fault::Negative => format!("{what} is 0 or more"),
        Fault::TooLarge => format!("{what} fits 64 bits of nanoseconds"),
        Fault::TooFine => format!("{what} is a whole number of nanoseconds"),
    }
}
