//! What happened on streams, points, events, gates and buffers, as plain data.
//!
//! The core of syncpoint tells its observers a [`Record`] for every operation; tools such as a race sanitizer or a
//! timeline read records and never see a device. This crate has no dependencies, touches no device and does no I/O.

mod record;

pub use record::{Access, Call, Operation, Outcome, Record, Work};
