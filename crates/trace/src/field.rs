//! The fields of a line, found by their keys.

use std::fmt;
use std::fmt::Write as _;

use crate::error::{DecodeError, Problem};
use crate::word::is_name;

/// A value that a field can have.
pub(crate) trait Field {
    /// Appends the value.
    fn push_value(&self, line: &mut String);

    /// The value of the field with this key.
    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError>
    where
        Self: Sized;
}

/// The fields of one line: words of the form `key=value`.
///
/// Nothing is stored but the text. It is searched once for each key that an operation has: they are
/// few, and so even a hostile line costs time in proportion to its length, and no memory.
pub(crate) struct Fields<'line> {
    text: &'line str,
}

impl<'line> Fields<'line> {
    /// Refuses a text that is not made of fields.
    pub(crate) fn new(text: &'line str) -> Result<Self, DecodeError> {
        for word in text.split_ascii_whitespace() {
            if !word.split_once('=').is_some_and(|(key, _)| is_name(key)) {
                return Err(DecodeError::new(Problem::Field, word));
            }
        }
        Ok(Self { text })
    }

    /// The value of the one field with this key.
    pub(crate) fn get<T: Field>(&self, key: &'static str) -> Result<T, DecodeError> {
        T::read(key, self)
    }

    /// The text of the one field with this key.
    pub(crate) fn value(&self, key: &'static str) -> Result<&'line str, DecodeError> {
        let mut values = self.values(key);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (Some(_), Some(_)) => Err(self.error(Problem::Repeated(key))),
            (None, _) => Err(self.error(Problem::Missing(key))),
        }
    }

    fn values(&self, key: &'static str) -> impl Iterator<Item = &'line str> {
        let fields = self.text.split_ascii_whitespace().filter_map(|word| word.split_once('='));
        fields.filter(move |(found, _)| *found == key).map(|(_, value)| value)
    }

    fn error(&self, problem: Problem) -> DecodeError {
        DecodeError::new(problem, self.text.trim_ascii())
    }
}

/// Appends fields, each after a space.
pub(crate) fn push_all(line: &mut String, fields: &[(&str, &dyn Field)]) {
    for (key, value) in fields {
        push(line, format_args!(" {key}="));
        value.push_value(line);
    }
}

/// Appends formatted text.
pub(crate) fn push(line: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a `String` does not fail, and what is formatted here is numbers and words.
    let _ = line.write_fmt(text);
}
