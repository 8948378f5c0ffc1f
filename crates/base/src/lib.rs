//! The unsafe ground of syncpoint: what core and the backends need and safe Rust cannot give.
//!
//! Nothing here knows a device, a stream or a point.

mod bytes;
mod exit;
mod inside;
mod latest;
pub mod lock;
#[cfg(syncpoint_loom)]
pub mod model;
pub mod page;
mod per_process;
mod process;
mod sleep;
pub mod sync;
mod thread;
mod usage;
mod work;

pub use bytes::{read_bytes, write_bytes};
pub use exit::{end_child, is_exiting, is_exiting_here, watch_exit};
pub use inside::{Inside, watch_driver};
pub use latest::{Latest, Replaced};
pub use per_process::PerProcess;
pub use process::Process;
pub use sleep::end_sleeps_in_time;
pub use thread::spawn;
pub use usage::Usage;
pub use work::{Cause, Outcome, Work};
