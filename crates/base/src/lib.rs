//! The unsafe ground of syncpoint: what core and the backends need and safe Rust cannot give.
//!
//! Nothing here knows a device, a stream or a point.

mod work;

pub use work::{Cause, Outcome, Work};
