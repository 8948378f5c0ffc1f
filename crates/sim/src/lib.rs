//! The simulated backend: virtual time, completions in an order drawn from a seed, faults on request.
//!
//! A [`Sim`] is a world of one or more devices that share a virtual clock. Streams, points, events and gates on them are
//! the ordinary ones of syncpoint, and keep the same laws as on a GPU. Work takes virtual time only: a copy by its size,
//! a delay exactly as long as it says, and the host learns of each end a little later, by a time drawn from the seed. So
//! a program meets orders that a real device shows once in a million runs, and a seed brings the same one back.
//!
//! There are two ways to move a world on:
//!
//! - **stepped** ([`Builder::stepped`]): nothing moves but by [`Sim::step`], [`Sim::run_until_idle`] or a wait of a
//!   thread for one of its points. No thread is made. A program of one thread is deterministic: the same seed gives
//!   the same [`Sim::log`], byte for byte.
//! - **automatic**, otherwise: a thread of the world's own moves it on as fast as it can, and host work runs on the
//!   library's workers. This is what `syncpoint::open("sim:0")` gives.
//!
//! # Examples
//! A lost device, on a laptop without one:
//! ```
//! # fn main() -> syncpoint::Result<()> {
//! use syncpoint::{Kind, sim::{Fault, Sim}};
//!
//! let sim = Sim::builder().seed(7).stepped().build();
//! let device = sim.device(0)?;
//! let (stream, buffer) = (device.stream()?, device.buffer(1024)?);
//! sim.plan(0, 2, Fault::Lose)?; // when the second operation would end
//! stream.fill(&buffer, 0..1024, 1)?;
//! let first = stream.record()?;
//! stream.fill(&buffer, 0..1024, 2)?;
//! assert_eq!(stream.synchronize().unwrap_err().kind(), Kind::DeviceLost);
//! # let _ = first;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod builder;
mod device;
mod draw;
mod driver;
mod engine;
mod event;
mod fault;
mod lane;
mod log;
mod owner;
mod shared;
mod sim;
mod state;
mod sync;
mod world;

pub use builder::Builder;
pub use fault::Fault;
pub use shared::{DEVICES, open};
pub use sim::Sim;
