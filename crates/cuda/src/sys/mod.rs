//! The driver, behind a safe door: who owns what, what is current where, and what its codes mean.
//!
//! Every call of the driver is made in this folder. What is made here is owned by one value, which is borrowed for the
//! calls that name it and given up by the call that ends it: so no call names what is gone. A drop calls no driver: what
//! is dropped without being ended is leaked. Whoever destroys our objects behind our back, or resets the context under
//! them, breaks the rules of the driver itself; it answers with a code or, as the manual says, with anything.

#![expect(unsafe_code, reason = "the driver is a library of C")]

mod borrow;
mod code;
mod context;
mod event;
mod host;
mod identity;
mod kernel;
mod library;
mod memory;
mod open;
mod page;
mod pinned;
mod room;
mod stream;
mod table;
mod types;
mod word;

pub use borrow::borrow_event;
pub(crate) use code::{Meaning, Refusal};
pub(crate) use context::Primary;
pub(crate) use event::{Event, FIRST_PAUSE, LONGEST_PAUSE, SPIN, Timing};
pub(crate) use host::HostMemory;
pub(crate) use identity::Identity;
pub(crate) use kernel::Delay;
pub(crate) use library::{Library, PLACES};
pub(crate) use memory::{Memory, Part, Way};
pub use open::open_event;
pub(crate) use page::SharedPage;
pub(crate) use room::Room;
pub(crate) use stream::Stream;
pub(crate) use table::FUNCTIONS;
pub(crate) use word::{Word, Words};
