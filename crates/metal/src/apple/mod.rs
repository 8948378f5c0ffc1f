//! Metal itself: the calls of the protocol, made; and what users give and are given of it.

mod bytes;
mod calls;
mod devices;
mod handles;

pub use calls::RawQueue;
pub(crate) use devices::{available, count, open};
pub use handles::{borrow, device_handle, event_handle, expose, open_device, timeline};
