//! A reference model of the laws, and random programs to hold a backend against it.
//!
//! A [`Program`] is a list of operations on a few streams, events and gates. [`hold`] draws programs from seeds, runs
//! each on a backend and on the reference at once, and compares: which calls are refused and why, which points complete
//! or fail with which first cause, which work runs and in which order, what it and the devices leave in buffers, which
//! waits are left out. A program that shows a
//! difference is shrunk and printed with its seed.
//!
//! The reference is plain sequential data and knows nothing of threads: it says how everything *ends*. What may differ
//! from run to run (whether a stream has failed yet) is accepted either way until the program settles.

mod answer;
mod bytes;
mod drive;
mod log;
mod opening;
mod program;
mod reference;
mod runner;
mod settle;
mod waiting;

pub use program::Program;
pub use runner::{Trial, hold};
