//! A `libcuda.so.1` for tests: the CUDA driver API over the host backend, with scripted faults.
//!
//! The product of this crate is the library for C; its README tells programs how to run on it. This side tells tests in
//! Rust where that library lies.

mod capture;
mod channel;
mod code;
mod context;
mod current;
mod device;
mod driver;
mod event;
mod found;
mod graph;
mod lane;
mod memory;
mod module;
mod pretence;
mod rim;
mod script;
mod share;
mod sync;
mod table;
mod until;
mod within;

pub use found::{folder, library, reduced, uncontrolled};
pub use rim::since;
pub use within::run;
