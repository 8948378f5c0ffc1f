//! The unsafe ground of syncpoint: what core and the backends need and safe Rust cannot give.
//!
//! Nothing here knows a device, a stream or a point.

mod exit;
mod inside;
pub mod page;
mod per_process;
mod process;
mod usage;
mod work;

pub use exit::{end_child, is_exiting, is_exiting_here, watch_exit};
pub use inside::{Inside, watch_driver};
pub use per_process::PerProcess;
pub use process::Process;
pub use usage::Usage;
pub use work::{Cause, Outcome, Work};
