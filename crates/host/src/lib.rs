//! The host backend: streams run by threads of this process, with no GPU and no driver.
//!
//! Every stream is a queue of items and a state. A few workers, and host threads that synchronize, take the streams
//! that have something to do and run their items in order; a stream that comes to a wait parks on the point's list of
//! waiters and costs nothing until the point wakes it. So a hundred thousand streams need two threads, and none before
//! the first item.
#![forbid(unsafe_code)]

mod clock;
mod device;
mod help;
#[cfg(all(test, syncpoint_loom))]
mod model;
mod order;
mod serve;
mod stream;
mod sync;
mod timer;
mod turn;

pub use device::open;
