//! A trace as an iterator over its records.

use std::iter::{Enumerate, FusedIterator};
use std::str::SplitInclusive;

use crate::error::{DecodeError, Problem};
use crate::field::Fields;
use crate::word::take_word;
use crate::{Record, decode};

/// The first line of a trace: the name of the format and its version, without a newline.
///
/// # Examples
///
/// A trace without records:
///
/// ```
/// use syncpoint_trace::{HEADER, Reader};
///
/// assert_eq!(Reader::new(&format!("{HEADER}\n")).count(), 0);
/// ```
pub const HEADER: &str = "syncpoint-trace 1";

/// The two words of [`HEADER`].
const NAME: &str = "syncpoint-trace";
const VERSION: &str = "1";

/// The records of a trace, in the order of its lines.
///
/// It checks the header, skips empty lines and comments, and gives every error the number of its
/// line. After a damaged line it goes on with the next; after a bad header it ends, because
/// nothing that follows can be understood.
///
/// # Examples
///
/// What a later version added is skipped, and anything else is an error:
///
/// ```
/// use syncpoint_trace::{DecodeError, Reader};
///
/// let text = "\
/// syncpoint-trace 1
/// 1 900 1 gate_created gate=3
/// 2 950 1 gate_painted gate=3 colour=blue
/// 3 990 1 gate_opened gate=3
/// ";
/// let known = Reader::new(text).filter(|item| !item.as_ref().is_err_and(DecodeError::is_unknown));
/// let records = known.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(records.len(), 2);
/// # Ok::<(), DecodeError>(())
/// ```
///
/// An error says where it is and what to do:
///
/// ```
/// use syncpoint_trace::Reader;
///
/// let error = Reader::new("syncpoint-trace 9\n").next().unwrap().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 1: found \"9\", expected version 1 of the format; \
///      read this trace with the release of syncpoint that wrote it",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'text> {
    lines: Enumerate<SplitInclusive<'text, char>>,
    /// Whether the header is still to come.
    unread: bool,
}

impl<'text> Reader<'text> {
    /// A reader of a whole trace, header included.
    pub fn new(text: &'text str) -> Self {
        Self { lines: lines(text), unread: true }
    }

    fn read_header(&mut self) -> Result<(), DecodeError> {
        self.unread = false;
        let (_, line) = self.lines.next().unwrap_or_default();
        check_header(line).map_err(|error| {
            self.lines = lines("");
            error.at(1)
        })
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.unread
            && let Err(error) = self.read_header()
        {
            return Some(Err(error));
        }
        let (index, line) = self.lines.find(|(_, line)| is_record(line))?;
        Some(whole(line).and_then(decode).map_err(|error| error.at(index + 1)))
    }
}

impl FusedIterator for Reader<'_> {}

fn lines(text: &str) -> Enumerate<SplitInclusive<'_, char>> {
    text.split_inclusive('\n').enumerate()
}

/// Fields after the version are those of a later release.
fn check_header(line: &str) -> Result<(), DecodeError> {
    let mut rest = line;
    if take_word(&mut rest) != NAME {
        return Err(DecodeError::new(Problem::Header, line.trim_ascii()));
    }
    let version = take_word(&mut rest);
    if version != VERSION {
        return Err(DecodeError::new(Problem::Version, version));
    }
    Fields::new(rest)?;
    whole(line).map(drop)
}

fn is_record(line: &str) -> bool {
    let line = line.trim_ascii_start();
    !(line.is_empty() || line.starts_with('#'))
}

/// A line that has its newline; without it, the end of the line may be missing too.
fn whole(line: &str) -> Result<&str, DecodeError> {
    line.strip_suffix('\n').ok_or_else(|| DecodeError::new(Problem::CutShort, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items of a trace as text: an error as its message, a record as its sequence.
    fn items(text: &str) -> Vec<String> {
        let item = |item: Result<Record, DecodeError>| match item {
            Ok(record) => record.sequence.to_string(),
            Err(error) => error.to_string(),
        };
        Reader::new(text).map(item).collect()
    }

    #[test]
    fn empty_lines_and_comments_are_no_records_and_are_counted() {
        let text = "syncpoint-trace 1\n\n# a gate\n7 1 1 gate_created gate=1\n  # indented\nx\n#";
        let items = items(text);
        assert_eq!(items.len(), 2, "{items:?}");
        assert_eq!(items[0], "7");
        assert!(items[1].starts_with("line 6: found \"x\", expected a number for sequence; "));
    }

    #[test]
    fn a_damaged_line_does_not_end_the_trace() {
        let text = "syncpoint-trace 1\n1 1 1 gate_created gate=\n2 1 1 gate_created gate=2\n";
        let items = items(text);
        assert_eq!(items.len(), 2, "{items:?}");
        assert_eq!(items[1], "2");
    }

    #[test]
    fn a_trace_with_the_line_ends_of_windows_is_read() {
        assert_eq!(items("syncpoint-trace 1\r\n\r\n7 1 1 gate_created gate=1\r\n"), ["7"]);
    }

    #[test]
    fn a_bad_header_is_one_error_and_the_end() {
        let bad = [
            "",
            "\n",
            "1 1 1 gate_created gate=1\n",
            "syncpoint-trace\n",
            "syncpoint-traces 1\n",
            "syncpoint-trace 2\n1 1 1 gate_created gate=1\n",
            "syncpoint-trace 01\n",
            "syncpoint-trace 1 clock\n1 1 1 gate_created gate=1\n",
            "syncpoint-trace 1",
        ];
        for text in bad {
            let items = items(text);
            assert_eq!(items.len(), 1, "{text:?}: {items:?}");
            assert!(items[0].starts_with("line 1: found "), "{items:?}");
        }
    }

    #[test]
    fn the_header_is_its_name_and_version() {
        assert_eq!(HEADER, format!("{NAME} {VERSION}"));
    }

    #[test]
    fn a_header_may_have_fields_of_a_later_version() {
        assert_eq!(items("syncpoint-trace 1 clock=raw\n7 1 1 gate_created gate=1\n"), ["7"]);
    }

    #[test]
    fn a_last_line_without_its_newline_is_not_believed() {
        let items = items("syncpoint-trace 1\n1 1 1 gate_created gate=1");
        assert_eq!(items.len(), 1);
        assert!(items[0].contains("expected a newline at the end of the line; "), "{items:?}");
    }
}
