//! One record as one line of text, both ways.

use crate::error::{DecodeError, Kind, Problem};
use crate::field::{Fields, push};
use crate::table::Choice;
use crate::word::{is_name, number, take_word};
use crate::{Operation, Record};

/// The line of a record, without a newline.
///
/// Whatever the texts in the record, the line has no newline in it, and [`decode`] gives the same
/// record back.
///
/// # Examples
///
/// A record and its line:
///
/// ```
/// use syncpoint_trace::{Operation, Record, decode, encode};
///
/// let record = Record::new(7, 1200, 1, Operation::GateFailed {
///     gate: 3,
///     reason: "no room\nleft".to_owned(),
/// });
/// let line = encode(&record);
/// assert_eq!(line, "7 1200 1 gate_failed gate=3 reason=no%20room%0Aleft");
/// assert_eq!(decode(&line)?, record);
/// # Ok::<(), syncpoint_trace::DecodeError>(())
/// ```
pub fn encode(record: &Record) -> String {
    let mut line = String::new();
    push_record(record, &mut line);
    line
}

/// Appends the line of a record, and the newline that ends it.
///
/// It allocates only when the text must grow, so that one text can serve many records.
///
/// # Examples
///
/// A whole trace:
///
/// ```
/// use syncpoint_trace::{HEADER, Operation, Record, write_line};
///
/// let mut trace = format!("{HEADER}\n");
/// write_line(&Record::new(1, 900, 1, Operation::GateCreated { gate: 3 }), &mut trace);
/// assert_eq!(trace, "syncpoint-trace 1\n1 900 1 gate_created gate=3\n");
/// ```
pub fn write_line(record: &Record, text: &mut String) {
    push_record(record, text);
    text.push('\n');
}

/// The record of one line; a newline at its end is white space like any other.
///
/// Headers, comments and empty lines are no records: [`Reader`](crate::Reader) knows them.
///
/// # Errors
///
/// A [`DecodeError`] without a line number, when the line is damaged or names something of a later
/// version.
///
/// # Examples
///
/// A line, and a damaged one:
///
/// ```
/// use syncpoint_trace::{Operation, decode};
///
/// let record = decode("4 2000 1 gate_opened gate=3")?;
/// assert_eq!(record.operation, Operation::GateOpened { gate: 3 });
///
/// let error = decode("4 2000 1 gate_opened gate=three").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "found \"three\", expected a number for gate; \
///      write decimal digits, at most 18446744073709551615",
/// );
/// # Ok::<(), syncpoint_trace::DecodeError>(())
/// ```
pub fn decode(line: &str) -> Result<Record, DecodeError> {
    let mut rest = line;
    let sequence = take_number("sequence", &mut rest)?;
    let nanos = take_number("nanos", &mut rest)?;
    let thread = take_number("thread", &mut rest)?;
    let operation = read_operation(take_word(&mut rest), rest)?;
    Ok(Record::new(sequence, nanos, thread, operation))
}

fn push_record(record: &Record, line: &mut String) {
    let Record { sequence, nanos, thread, operation } = record;
    push(line, format_args!("{sequence} {nanos} {thread} {}", operation.word()));
    operation.push_fields(line);
}

/// The fields are checked first, so that a line is unknown only when it is otherwise sound.
fn read_operation(name: &str, fields: &str) -> Result<Operation, DecodeError> {
    if !is_name(name) {
        return Err(DecodeError::new(Problem::Name, name));
    }
    let fields = Fields::new(fields)?;
    let operation = Operation::read(name, &fields)?;
    operation.ok_or_else(|| DecodeError::new(Problem::Unknown("operation"), name))
}

fn take_number(what: &'static str, rest: &mut &str) -> Result<u64, DecodeError> {
    let word = take_word(rest);
    number(word).ok_or_else(|| DecodeError::new(Problem::Value(what, Kind::Number), word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_many_texts_is_still_one_line() {
        let reason = "a\nb\r\nc\u{2028}d\u{85}e".to_owned();
        let record = Record::new(1, 2, 3, Operation::GateFailed { gate: 4, reason });
        let line = encode(&record);
        assert!(!line.contains(['\n', '\r', '\u{2028}', '\u{85}']), "{line:?}");
        assert_eq!(decode(&line), Ok(record));
    }

    #[test]
    fn spaces_tabs_and_a_newline_only_separate_words() {
        let expected = decode("1 2 3 gate_opening gate=4 stream=5 value=6");
        let spaced = decode("  1\t2  3 gate_opening   value=6 gate=4\tstream=5 \r\n");
        assert!(expected.is_ok(), "{expected:?}");
        assert_eq!(spaced, expected);
    }

    #[test]
    fn a_field_of_a_later_version_is_ignored() {
        let plain = decode("1 2 3 gate_opened gate=4");
        assert!(plain.is_ok(), "{plain:?}");
        assert_eq!(decode("1 2 3 gate_opened colour=%zz gate=4 colour=blue"), plain);
    }

    #[test]
    fn an_operation_or_kind_of_a_later_version_is_unknown() {
        let unknown = [
            "1 2 3 stream_paused stream=1",
            "1 2 3 enqueued stream=1 value=2 work=graph",
            "1 2 3 buffer_accessed stream=1 value=2 buffer=3 offset=0 bytes=1 access=map",
            "1 2 3 synchronizing call=graph graph=7",
            "1 2 3 synchronized call=device device=host:0 outcome=cancelled",
        ];
        for line in unknown {
            assert!(decode(line).unwrap_err().is_unknown(), "{line}");
        }
    }

    #[test]
    fn a_damaged_line_is_not_unknown() {
        let damaged = [
            "",
            "1",
            "1 2 3",
            "1 2 gate_opened gate=4",
            "1 2 3 gate=4",
            "1 2 3 Gate_opened gate=4",
            "1 2 3 stream_paused stream",
            "1 2 3 stream_paused =1",
            "1 2 3 gate_opened",
            "1 2 3 gate_opened gate=",
            "1 2 3 gate_opened gate=-1",
            "1 2 3 gate_opened gate=+1",
            "1 2 3 gate_opened gate=18446744073709551616",
            "1 2 3 gate_opened gate=4 gate=4",
            "1 2 3 gate_failed gate=4 reason=%",
        ];
        for line in damaged {
            assert!(!decode(line).unwrap_err().is_unknown(), "{line}");
        }
    }

    #[test]
    fn no_field_may_be_left_out() {
        let line = "1 2 3 point_recorded stream=1 value=2 timed=true event=none";
        assert!(decode(line).is_ok());
        for field in line.split(' ').skip(4) {
            let shorter = line.replacen(&format!(" {field}"), "", 1);
            let message = decode(&shorter).unwrap_err().to_string();
            let key = field.split('=').next().unwrap();
            assert!(message.contains(&format!("expected the field {key}; ")), "{message}");
        }
    }
}
