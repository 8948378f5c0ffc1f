//! The driver, behind a safe door: who owns what, what the device still uses, and what its codes mean.
//!
//! Every call of the driver is made in this folder. Each object belongs to one value; what a submission uses it keeps
//! until its signal was seen, and where that is never seen it is leaked: so no call names what is gone, and nothing is
//! destroyed under the device. A drop calls no driver: what is dropped is buried, and the reaper destroys it.

#![expect(unsafe_code, reason = "the driver is a library of C")]

mod batch;
mod borrow;
mod clocks;
mod code;
mod device;
mod functions;
mod grave;
mod instance;
mod library;
mod lock;
mod memory;
mod query;
mod queue;
mod semaphore;
mod theirs;

pub(crate) use batch::{Batch, edges, has_edges};
pub(crate) use borrow::device_of;
pub use borrow::{Access, Handles};
pub(crate) use clocks::Both;
pub(crate) use code::{Answer, Meaning, Refusal};
pub(crate) use device::Device;
pub(crate) use functions::given;
pub use functions::use_functions;
pub(crate) use grave::Graveyard;
pub(crate) use instance::{Instance, Lack, Physical, Timing};
pub(crate) use library::{Library, PLACES};
pub(crate) use lock::Lock;
pub use lock::QueueLock;
pub(crate) use memory::Memory;
pub(crate) use query::{Rooms, Slot};
pub(crate) use queue::{Queue, Submitted};
pub(crate) use semaphore::Semaphore;
pub use theirs::SemaphoreHandles;
pub(crate) use theirs::TheirSemaphore;
