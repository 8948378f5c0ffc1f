//! Streams, points and events for ordering and timing work on any device.
//!
//! **Streams** run work in order, **points** name the end of the work enqueued so far and never move, **events** are
//! the familiar reusable names of CUDA and PyTorch. The host is a device like any other, so everything here runs, and
//! can be tested, without a GPU.
//!
//! # Examples
//! Two streams, ordered by a point and timed on the device's clock:
//! ```
//! # fn read_batch() {}
//! # fn train_step() {}
//! # fn main() -> syncpoint::Result<()> {
//! use std::time::Duration;
//!
//! let device = syncpoint::open("host:0")?;
//! let (load, compute) = (device.stream()?, device.stream()?);
//!
//! load.enqueue(|| read_batch())?;
//! let loaded = load.record()?;
//! compute.wait(&loaded)?; // device side: returns at once
//! let start = compute.record_timed()?;
//! compute.enqueue(|| train_step())?;
//! let end = compute.record_timed()?;
//!
//! end.synchronize_timeout(Duration::from_secs(5))?; // or .synchronize(), or (&end).await
//! println!("{:?} on {}", end.elapsed_since(&start)?, end.clock());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go on
//!
//! - [`Stream`]: the verbs of a stream, `fork` and `join`, failure and `recover`; [`Event`] for code written as CUDA's
//!   and PyTorch's is; [`Gate`] for what the host, or another stream, opens later.
//! - [`Point::synchronize_timeout`], [`WaitReport`]: waits that say why they ran out. [`Point::notify`] and `await`:
//!   waits that hold no thread.
//! - [`TimedPoint`]: the device's own time. [`Buffer`]: memory that streams fill and copy.
//! - [`current_stream`], [`with_stream`], [`scope`]: a stream that is current on a thread, or inside a task.
//! - [`observe`]: hear every operation. [`Error`], [`Kind`]: what went wrong, and what to do.
//!
//! # Where memory runs out
//!
//! A buffer, a thread or a place in a bounded queue that cannot be had is refused ([`Kind::Exhausted`]), and nothing has
//! changed. What the library needs for itself (an entry of a queue, a waiter) it allocates as the collections of the
//! standard library do: where there is no memory for it, the process ends.
#![forbid(unsafe_code)]

mod current;
mod registry;

pub use syncpoint_core::*;

pub use current::{
    Current, Scope, current_device, current_stream, default_stream, scope, set_current_device,
    set_current_stream, with_device, with_stream,
};
pub use registry::{Availability, available, devices, open};
#[cfg(feature = "cuda")]
pub use syncpoint_cuda as cuda;
#[cfg(feature = "metal")]
pub use syncpoint_metal as metal;
#[cfg(feature = "sim")]
pub use syncpoint_sim as sim;
#[cfg(feature = "vulkan")]
pub use syncpoint_vulkan as vulkan;

/// The example of the README runs too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
