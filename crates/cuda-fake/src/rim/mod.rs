//! The rim: the functions that C programs call, and all that is unsafe about them.
//!
//! Each function is a line of a table: the version that it came with, its name and parameters, and what it does in safe
//! code. Pointers come in as [`Out`](pointer::Out), [`In`](pointer::In) and [`Text`](pointer::Text), which refuse null.

#![expect(unsafe_code, reason = "a library for C exports names and is given pointers")]

mod absent;
mod call;
mod callback;
mod capture;
mod context;
mod control;
mod copy;
mod device;
mod event;
mod fill;
mod green;
mod init;
mod memory;
mod module;
mod pinned;
mod pointer;
mod pool;
mod share;
mod stream;
mod value;

pub(crate) use pinned::{Pinned, Registered, View};

/// The version of CUDA that brought a function of the driver's, as the driver numbers it (11020 is 11.2); `None`: the
/// library exports none of that name.
pub fn since(function: &str) -> Option<u32> {
    let found = init::functions().find(|known| known.name == function)?;
    u32::try_from(found.since).ok()
}
