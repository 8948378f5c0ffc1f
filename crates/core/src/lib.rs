//! Streams, points, events and gates, and the contract that backends implement.
//!
//! This crate names no backend and touches no device: users depend on `syncpoint`, which opens devices and re-exports
//! what is here.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod beginning;
mod blocking;
mod bridge;
mod buffer;
mod capabilities;
#[doc(hidden)]
pub mod contract;
mod device;
#[doc(hidden)]
pub mod errands;
mod error;
mod event;
mod event_options;
mod exit;
mod function;
mod future;
mod gate;
mod graph;
#[doc(hidden)]
pub mod hold;
mod id;
mod inherited;
mod ipc;
pub mod laws;
#[doc(hidden)]
pub mod library;
mod line;
mod measure;
mod memory;
mod notify;
mod observe;
mod once;
mod ours;
mod owner;
mod panic;
mod park;
mod place;
mod point;
mod pool;
mod queue;
mod report;
mod retire;
mod running;
mod silence;
#[cfg(feature = "places")]
mod slices;
mod stream;
mod sync;
mod synchronize;
mod time;
mod timeline;
mod together;
mod untold;
mod wait;
mod waits;
#[doc(hidden)]
pub mod work;

#[cfg(syncpoint_loom)]
#[doc(hidden)]
pub use syncpoint_base::model;
pub use syncpoint_base::{Cause, Outcome, Work};
pub use syncpoint_trace as trace;

pub use buffer::{Buffer, Span};
pub use capabilities::{Capabilities, PriorityRange};
pub use contract::Submission;
pub use device::Device;
pub use error::{Error, Kind, Origin, Reason, Result};
pub use event::{Event, EventState};
pub use event_options::{EventOptions, EventOptionsBuilder};
pub use future::Completion;
pub use gate::{Gate, Opening};
pub use ipc::IpcHandle;
pub use measure::{Measure, Measurement, Outlier};
pub use notify::{Notification, notify_panics};
pub use observe::{Observer, Watch, observe, observer_panics};
pub use place::Place;
#[cfg(feature = "places")]
pub use place::asked_at;
pub use point::{Point, State};
pub use pool::{Counter, EventPool, Lends, Loan, LoanTicket, PoolStatistics, StreamPool};
pub use report::{End, HostWait, Link, WaitReport};
pub use retire::{Retained, Retirement, retire};
#[cfg(feature = "places")]
pub use slices::Slices;
pub use stream::{Mode, Statistics, Stream, StreamOptions};
pub use time::{Clock, SignedDuration, TimedPoint, Timestamp, elapsed_all};
pub use timeline::{Ticket, Timeline, Woken};
pub use together::{
    First, wait_all, wait_all_deadline, wait_all_timeout, wait_any, wait_any_deadline,
    wait_any_timeout,
};
pub use wait::Wait;
#[doc(hidden)]
pub use wait::wait_as_with;
