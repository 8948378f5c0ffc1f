//! The CUDA backend: the driver opened at run time, with no toolkit.
//!
//! Streams, points and events on NVIDIA GPUs, with the same laws as on the host. Nothing of CUDA is needed to build:
//! the driver's library is opened when the first device is, and what it lacks takes one capability away each.
//!
//! - **The library** is searched as `SYNCPOINT_CUDA_LIBRARY` says, or as [`use_library`] does; otherwise it is
//!   `libcuda.so.1`, or what the Windows Subsystem for Linux has; on Windows `nvcuda.dll`. [`available`] opens it and
//!   does not call `cuInit`.
//! - **Streams** are made with `CU_STREAM_NON_BLOCKING`: the legacy default stream does not order them.
//! - **A device** is the primary context of one of the driver's, retained while anything of it is used. Every call works
//!   from a thread with no context, or another one, and leaves that as it was.
//! - **Streams of others** are taken in ([`borrow`], [`legacy_stream`], [`per_thread_stream`]) and ours are given out
//!   ([`expose`]). What others launch cannot be held on the host: opened with
//!   [`device_gates`](Builder::device_gates) the device itself holds it. A context of others is a device of its own
//!   ([`Builder::open_context`]), and a stream of one brings it.
//! - **Waiting** never blocks inside the driver: events are asked, by whoever queries or by one thread for each context
//!   that is there only while somebody waits.
//! - **Dropping** calls no driver: a thread of ours ends what was dropped.
//! - **A broken context** (an illegal address, say) is `DeviceLost`: everything of it that was not seen complete fails, with
//!   the first cause, and the driver is not asked any more.
//! - **Other processes** import events of a device as those of any other, and their streams wait through the host. They
//!   wait on their device for the driver's own events between processes with [`open_event`], which is `unsafe`, and for
//!   words that one device writes and the other reads where both were opened with [`device_gates`](Builder::device_gates).
//! - **Times** are differences of events, to about half a microsecond. The driver gives them as floats of milliseconds, also
//!   by `cuEventElapsedTime_v2`: a span of a minute is good to some 4 µs, and
//!   [`resolution_of`](syncpoint_core::Clock::resolution_of) says how good any is. A [`timestamp`](syncpoint_core::TimedPoint::timestamp) is an estimate from an
//!   event that was seen from the host, and says how far it may be off.
//!
//! What of this was not seen on hardware is believed of the driver by its manual; the program `syncpoint-cuda-facts` asks a
//! real one.

mod anchor;
mod asking;
mod begun;
mod buffer;
mod capture;
mod context;
mod device;
mod driver;
mod elsewhere;
mod event;
mod guarded;
mod handles;
mod import;
mod keeper;
mod known;
mod lane;
mod latch;
mod latest;
mod marks;
mod pace;
mod paged;
mod poller;
mod pool;
mod reaper;
mod recorded;
mod share;
mod staging;
mod stream;
mod sync;
mod sys;
mod time;
mod unheard;

pub use device::{Builder, available, builder, count, open};
pub use driver::use_library;
pub use event::{RawEvent, event_handle};
pub use handles::{borrow, expose, legacy_stream, per_thread_stream};
pub use share::{shares_natively, shares_words};
pub use stream::RawStream;
pub use sys::{borrow_event, open_event};
pub use unheard::unheard;

/// The symbols of the driver's functions that are called here, for tests.
#[doc(hidden)]
pub fn functions() -> impl Iterator<Item = &'static str> {
    sys::FUNCTIONS.iter().map(|function| function.name())
}

/// The version of CUDA that brought a function, as the driver numbers it (11020 is 11.2), for tests.
#[doc(hidden)]
pub fn since(function: &str) -> Option<u32> {
    let found = sys::FUNCTIONS.iter().find(|known| known.name() == function);
    found.map(|function| function.since)
}
