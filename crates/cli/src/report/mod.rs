//! What a run did: plain data that the run fills in, and everything that is worked out and shown from it.
//!
//! A run begins with [`Report::planned`], writes times and states into the steps as it hears of them, and ends with
//! [`Report::settle`]. Then [`Report::text`] is what a person reads, [`Report::json`] what a program reads, and
//! [`chrome`](crate::chrome) the picture that Perfetto opens.

pub(crate) mod columns;
mod critical;
pub mod json;
mod lanes;
mod model;
mod output;
mod overlap;
mod pick;
pub(crate) mod style;
mod table;
mod text;
mod trouble;
pub(crate) mod unit;
mod verdict;
pub(crate) mod width;

#[cfg(test)]
pub(crate) mod sample;

pub use critical::{CriticalPath, Link};
pub use model::{Clock, Hold, Interval, Report, State, Step, Stream};
pub use output::{Output, Tail};
pub use overlap::Overlap;
pub use style::Style;
pub use verdict::{CutShort, Verdict};
