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
