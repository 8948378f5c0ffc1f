//! Each type of value as it stands in a field.

use crate::error::{DecodeError, Kind, Problem};
use crate::escape;
use crate::field::{Field, Fields, push};
use crate::word::number;

/// What stands for the absence of a value.
const NONE: &str = "none";

impl Field for u64 {
    fn push_value(&self, line: &mut String) {
        push(line, format_args!("{self}"));
    }

    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
        read(key, Kind::Number, fields, number)
    }
}

impl Field for i32 {
    fn push_value(&self, line: &mut String) {
        push(line, format_args!("{self}"));
    }

    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
        read(key, Kind::Integer, fields, number)
    }
}

impl Field for bool {
    fn push_value(&self, line: &mut String) {
        push(line, format_args!("{self}"));
    }

    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
        read(key, Kind::Flag, fields, |text| text.parse().ok())
    }
}

impl Field for String {
    fn push_value(&self, line: &mut String) {
        escape::push(self, line);
    }

    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
        read(key, Kind::Text, fields, escape::read)
    }
}

impl Field for Option<u64> {
    fn push_value(&self, line: &mut String) {
        match self {
            Some(number) => number.push_value(line),
            None => line.push_str(NONE),
        }
    }

    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
        read(key, Kind::NumberOrNone, fields, |text| or_none(text, number))
    }
}

impl Field for Option<(u64, u64)> {
    fn push_value(&self, line: &mut String) {
        match self {
            Some((timeline, value)) => push(line, format_args!("{timeline}:{value}")),
            None => line.push_str(NONE),
        }
    }

    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
        read(key, Kind::PointOrNone, fields, |text| or_none(text, point))
    }
}

fn point(text: &str) -> Option<(u64, u64)> {
    let (timeline, value) = text.split_once(':')?;
    Some((number(timeline)?, number(value)?))
}

/// Outer `None`: the text is neither a value nor `none`.
#[expect(clippy::option_option, reason = "the two absences are different answers")]
fn or_none<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == NONE { Some(None) } else { parse(text).map(Some) }
}

fn read<T>(
    key: &'static str,
    kind: Kind,
    fields: &Fields<'_>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, DecodeError> {
    let text = fields.value(key)?;
    parse(text).ok_or_else(|| DecodeError::new(Problem::Value(key, kind), text))
}
