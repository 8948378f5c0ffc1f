//! The picture of a run for Perfetto: Chrome's trace format, written as a stream, and a validator of what viewers need.
//!
//! Open the file at <https://ui.perfetto.dev>. It holds:
//!
//! - a process for each device and in it a track for each stream, named, in the order of the pipeline file;
//! - a slice for each step that ran. Slices of one track never overlap: where a device's clock says that two steps of
//!   one stream did, the later goes to a track of its own beneath. A step that had not ended is a slice up to the end
//!   of the run whose name says so;
//! - an arrow for each wait, from the step that recorded the point to the step that waited for it.
//!
//! Times are microseconds with three digits, so whole nanoseconds. The run begins at 1 us, because viewers take a
//! time of 0 for one that is missing.

mod arrow;
mod event;
mod track;
mod validate;
mod write;

pub use validate::{Faults, Summary, validate};
pub use write::write;
