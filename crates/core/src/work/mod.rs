//! Threads of ours that serve streams which have something to do: one crew for each kind of stream.
//!
//! A pool has a run queue and workers. A stream that has something to do is listed once; a worker claims it, gives it
//! its turn, and looks for the next: first on its own tray, where lies what it has set free, then in the run queue, then
//! on the trays of the others. The host's streams have a pool for each device; the streams of every other device
//! share one ([`fn@devices`]) for their host work. No thread exists before the first need.
//!
//! How the crew grows: a few workers are there without being asked for, as many as the machine runs at once. A worker
//! that is about to wait inside this library counts itself out and is replaced. For blocking that nobody can see the
//! watch brings others after some 2 ms, the more the longer it goes on, up to 512; the surplus ends after 10 s without
//! work.

mod devices;
mod hand;
#[cfg(all(test, syncpoint_loom))]
mod model;
mod pool;
mod ready;
mod seat;
#[cfg(all(test, not(syncpoint_loom)))]
mod tests;
mod tray;
mod watch;
mod worker;

use std::fmt;
use std::sync::Arc;

pub use devices::{Pump, devices};
pub use hand::{Hand, Keep};
pub use pool::{Helping, Pool};
pub use ready::{LEVELS, level_of, priorities};
pub use seat::Seat;

use crate::sync::LocalKey;

/// A stream that workers of a pool serve.
///
/// Every method is reached without a virtual call where the stream's type is known: a pool is as quick as one that is
/// written for the type.
pub trait Serve: Send + Sync + 'static {
    /// What the streams of one pool share besides the pool.
    type Shared: fmt::Debug + Send + Sync;

    /// The name of the worker threads.
    const THREADS: &'static str;

    /// The pool that serves this stream.
    fn pool(&self) -> &Arc<Pool<Self>>;

    /// How urgent the stream is: below [`LEVELS`], the most urgent first.
    fn level(&self) -> usize;

    /// Whether a stream that is kept on a hand still has to be served; if not, it forgets that it was listed.
    fn is_still_needed(&self) -> bool;

    /// Takes the turn of a listed stream, whose entry the caller holds and drops, and serves it. `false`: there was
    /// nothing to serve.
    fn serve(this: &Arc<Self>, seat: &Seat<Self>) -> bool;

    /// Where this thread keeps the streams of this kind that it has set free.
    fn hand() -> &'static LocalKey<Hand<Self>>;
}
