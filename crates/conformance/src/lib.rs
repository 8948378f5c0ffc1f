//! The laws of syncpoint as test cases, run on every backend.
//!
//! A backend says once what it is (a [`Backend`]), and [`suite!`](crate::suite) makes one test of every law in every
//! mode. The list of laws stands in `list.rs` alone: the tests, [`LAWS`] and the comparison with the contract
//! (`syncpoint_core::laws`) all come from it, so no case can be forgotten.
//!
//! A case proves an order with gates, points and deadlines, never by sleeping, and says which planted bug it catches.
//! [`model`] runs random programs against a reference model of the laws. [`patience`], [`journal`] and [`busy`] serve
//! the tests of a backend's own, too, and [`again`] those that need a process of their own; [`allocation`] and [`draw`] serve programs that weigh the library.
#![expect(
    clippy::expect_used,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic_in_result_fn,
    reason = "a case is a test: it panics where a law is broken and returns what a backend refuses"
)]

pub mod again;
pub mod allocation;
mod backend;
mod bed;
pub mod busy;
pub mod cases;
#[cfg(unix)]
pub mod child;
#[cfg(target_os = "linux")]
pub mod container;
pub mod draw;
pub mod ends;
#[cfg(unix)]
mod exits;
#[cfg(unix)]
mod inherited;
pub mod journal;
mod list;
pub mod model;
pub mod other;
pub mod patience;
#[cfg(unix)]
pub mod peer;
mod run;
#[cfg(target_os = "linux")]
pub mod secluded;
#[cfg(target_os = "linux")]
pub mod signal;
mod turn;
mod waiters;

pub use backend::{Backend, Exception, HoldStream, IN_CHILDREN, Laws, MakeStream};
pub use bed::TestBed;
pub use list::{LAWS, Law};
pub use run::{Stop, Verdict, check_exceptions, run, skip, tell};

#[doc(hidden)]
pub use syncpoint::Mode;
