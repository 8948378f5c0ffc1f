//! Streams, points and events for ordering and timing work on any device.
//!
//! **Streams** run work in order, **points** name the end of the work enqueued so far and never move, **events** are
//! the familiar reusable names of CUDA and PyTorch. The CPU is a device like any other, so code for streams can be run
//! and tested without a GPU.
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
//! # What a call may do
//!
//! | Calls | Waits for work | May block in the driver | Driver calls |
//! |---|---|---|---|
//! | `query`, `state`, `is_capturing` | no | no, but a driver of CUDA may keep it while another thread waits inside that driver | at most one; the query of an exposed or borrowed stream one more, and on Vulkan one for each stream waited for since the last work |
//! | `record`, `wait`, `enqueue`, `submit`, `fill`, `copy`, `delay`, `Stream::open` | no | while its queue is full; the first delay of a CUDA device compiles a kernel | about one; a wait on Vulkan none, since it goes with the next |
//! | `record_timed` | no | as above, and on a busy CUDA device up to 1 ms to read its clock | one, now and then more |
//! | `synchronize`, `wait_all`, `wait_any` and their kind | yes | see [`Wait`] | queries until the end |
//! | `notify`, `await`, `Gate::open`, `retire` | no | no | at most a query |
//! | dropping anything | no | no | none: a thread of the library ends what was dropped |
//! | `stream`, `buffer`, `host_buffer`, `export`, `import_event`, `Buffer::write`, `Buffer::to_vec` | on the device, at most; never for a stream | yes, or in the file system | several |
//! | [`open`], [`devices`] | no | yes, up to seconds while a driver begins | several |
//! | [`available`] | no | no: it opens the driver's library and calls nothing that begins the driver | at most one |
//!
//! All types are `Send + Sync`, except the guard [`Current`], which belongs to its thread, and `Slices` of the feature
//! `places`, which is `Send`. On the host, `synchronize` without a deadline may run the work that it waits for on the calling
//! thread; with a deadline, or with [`Wait::NoHelp`], it does not. Other threads of the library call functions of the user (`enqueue`, `submit`, `notify`,
//! observers), and no lock of the library is held meanwhile.
//!
//! # Cargo features
//!
//! `host` and `sim` (simulated devices: virtual time, orders drawn from a seed, faults on request) are on by default.
//! `cuda`, `vulkan` and `metal` add those backends; none needs anything installed to build, because the driver's library is
//! opened at run time. `places` is for bindings of other languages.
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
