//! What happened on streams, points, events, gates and buffers, as plain data and as lines of text.
//!
//! The core of syncpoint tells its observers a [`Record`] for every operation; tools that read records
//! never see a device. No program of this repository reads or writes the text format yet. This crate has no dependencies,
//! touches no device and does no I/O: it turns records into text and text into records, and a tool
//! can be tested from a few lines in a file.
//!
//! # A trace from text and back
//!
//! ```
//! use syncpoint_trace::{HEADER, Operation, Reader, write_line};
//!
//! let text = "\
//! syncpoint-trace 1
//! ## the second stream waits for the first
//! 1 1000 1 point_recorded stream=1 value=1 timed=false event=none
//! 2 1200 1 waited stream=2 value=1 on=1 on_value=1 event=none elided=false
//! ";
//! let records = Reader::new(text).collect::<Result<Vec<_>, _>>()?;
//! assert!(matches!(records[1].operation, Operation::Waited { on: 1, elided: false, .. }));
//!
//! let mut again = format!("{HEADER}\n");
//! for record in &records {
//!     write_line(record, &mut again);
//! }
//! assert_eq!(again.lines().count(), 3); // the comment is not a record
//! # Ok::<(), syncpoint_trace::DecodeError>(())
//! ```
//!
//! # The format
//!
//! A trace is UTF-8 text. Each line ends with a newline, the last one too: a last line without one
//! was cut short, and a number cut short is still a number, so it is refused.
//!
//! 1. The first line is the **header**: the name of the format and its version ([`HEADER`]).
//! 2. Every other line is a **record**: its *sequence*, *nanos* and *thread* in decimal, the *name*
//!    of its operation, and one `key=value` for each field of the operation.
//! 3. Empty lines, and lines that begin with `#`, are skipped.
//!
//! Words are separated by white space: this crate writes one space, and reads any number of spaces
//! and tabs, before the first word too. Fields may stand in any order; each stands once, and none
//! may be left out, so that a misspelt key is an error and never an absent value.
//!
//! | Value | Written |
//! |---|---|
//! | a number | decimal digits; a priority may begin with `-` |
//! | a flag | `true` or `false` |
//! | one of several kinds | its name in `snake_case` |
//! | text | as it is, but with `%`, `=`, white space and control characters as `%` and two hexadecimal digits for each byte of their UTF-8; any other byte may be written so too |
//! | an event, or no event | its number, or `none` |
//! | a point, or no point | `timeline:value`, or `none` |
//! | what a host wait is for | `call=` and its kind, then the fields of that kind |
//!
//! One line of each operation and of each kind of wait, held by a test:
//!
//! ```text
#![doc = include_str!("../tests/golden/operations.txt")]
//! ```
//!
//! # Later versions
//!
//! A later release may add fields and operations, and kinds of work, access, wait and outcome,
//! without a new version of the format:
//!
//! - a **field** that this release does not know is ignored, on any line, the header included;
//! - an **operation or kind** that it does not know is an error of its own, which
//!   [`DecodeError::is_unknown`] tells from a damaged line. Whether it may be skipped is for the
//!   tool to say: a timeline that leaves out a box is still true, a search for races that leaves
//!   out an ordering reports one that is none.
//!
//! The version changes when old readers would misunderstand what they know; they then refuse the
//! header, and read nothing.

mod error;
mod escape;
mod field;
mod line;
mod reader;
mod record;
mod table;
mod value;
mod word;

pub use error::DecodeError;
pub use line::{decode, encode, write_line};
pub use reader::{HEADER, Reader};
pub use record::{Access, Call, Operation, Outcome, Record, Work};
