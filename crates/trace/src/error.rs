//! What can be wrong with a trace, in words that say how to mend it.

use std::error::Error;
use std::fmt;

use crate::HEADER;

/// How much of what was found a message shows: enough to find it in the line, whose length nobody
/// bounds.
const SHOWN_CHARACTERS: usize = 60;

/// A line that is not understood: which one, what was found, what was expected, and what to do.
///
/// Its message is one line of bounded length, whatever the trace holds.
///
/// # Examples
///
/// A misspelt key:
///
/// ```
/// use syncpoint_trace::Reader;
///
/// let text = "syncpoint-trace 1\n1 900 1 gate_created gaet=3\n";
/// let error = Reader::new(text).next().unwrap().unwrap_err();
/// assert_eq!(error.line(), Some(2));
/// assert_eq!(
///     error.to_string(),
///     "line 2: found \"gaet=3\", expected the field gate; add gate= and its value",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    line: Option<usize>,
    problem: Problem,
    found: String,
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(problem: Problem, found: &str) -> Self {
        Self { line: None, problem, found: shown(found) }
    }

    pub(crate) fn at(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The number of the line, from 1; `None` when one line was decoded by itself.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// Whether the line names an operation, or a kind of work, access, wait or outcome, that this
    /// release does not know, and shows no other damage.
    ///
    /// A later release may have written it; a misspelt name looks the same.
    ///
    /// # Examples
    ///
    /// A later operation and a damaged line:
    ///
    /// ```
    /// use syncpoint_trace::decode;
    ///
    /// assert!(decode("1 900 1 gate_painted gate=3").unwrap_err().is_unknown());
    /// assert!(!decode("1 900 1 gate_created gate=").unwrap_err().is_unknown());
    /// ```
    pub fn is_unknown(&self) -> bool {
        matches!(self.problem, Problem::Unknown(_))
    }
}

impl Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, problem, found } = self;
        if let Some(line) = line {
            write!(formatter, "line {line}: ")?;
        }
        if found.is_empty() {
            write!(formatter, "found nothing, expected {problem}")
        } else {
            write!(formatter, "found {found:?}, expected {problem}")
        }
    }
}

/// What was expected where something else was found. The text inside is the name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Header,
    Version,
    CutShort,
    Name,
    Unknown(&'static str),
    Field,
    Missing(&'static str),
    Repeated(&'static str),
    Value(&'static str, Kind),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => {
                write!(formatter, "the header \"{HEADER}\"; begin the trace with that line")
            }
            Self::Version => formatter.write_str(
                "version 1 of the format; \
                 read this trace with the release of syncpoint that wrote it",
            ),
            Self::CutShort => formatter.write_str(
                "a newline at the end of the line; \
                 drop the line if the trace was cut short, else end it with a newline",
            ),
            Self::Name => formatter
                .write_str("the name of an operation; write it after sequence, nanos and thread"),
            Self::Unknown(what) => write!(
                formatter,
                "a known {what}; correct it, skip the line, or read it with a later syncpoint"
            ),
            Self::Field => {
                formatter.write_str("a field; write key=value, with white space escaped")
            }
            Self::Missing(key) => {
                write!(formatter, "the field {key}; add {key}= and its value")
            }
            Self::Repeated(key) => {
                write!(formatter, "the field {key} only once; drop all but one of them")
            }
            Self::Value(key, kind) => {
                write!(formatter, "{} for {key}; {}", kind.expected(), kind.remedy())
            }
        }
    }
}

/// The kind of value that a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Integer,
    Flag,
    Text,
    NumberOrNone,
    PointOrNone,
}

impl Kind {
    fn expected(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Flag => "true or false",
            Self::Text => "escaped UTF-8 text",
            Self::NumberOrNone => "a number or none",
            Self::PointOrNone => "a point or none",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Number => "write decimal digits, at most 18446744073709551615",
            Self::Integer => "write it in decimal, from -2147483648 to 2147483647",
            Self::Flag => "write one of these two words",
            Self::Text => "write each % as %25, and each escaped byte as % and two digits 0 to F",
            Self::NumberOrNone => "write decimal digits, or the word none",
            Self::PointOrNone => "write timeline:value in decimal digits, or the word none",
        }
    }
}

fn shown(found: &str) -> String {
    match found.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}...", &found[..end]),
        None => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_short_and_of_one_line_whatever_was_found() {
        let found = "\u{2028}\n".repeat(1_000_000);
        let error = DecodeError::new(Problem::Field, &found).at(7);
        let message = error.to_string();
        assert!(message.len() < 1000, "{} bytes", message.len());
        assert!(!message.contains(['\n', '\u{2028}']), "{message}");
        assert!(message.contains("...\", expected a field; "), "{message}");
    }

    #[test]
    fn what_fits_is_shown_whole() {
        let found = "é".repeat(SHOWN_CHARACTERS);
        let message = DecodeError::new(Problem::Name, &found).to_string();
        assert!(message.starts_with(&format!("found \"{found}\", ")), "{message}");
    }
}
