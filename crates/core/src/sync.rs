//! The one door to locks, condition variables and atomics, so that a model checker can stand behind it.
//!
//! Everything that a model runs takes its primitives from here; under `--cfg syncpoint_loom` they are loom's. Tables
//! of the whole process that no model runs take [`process`]'s, which are std's always: loom's cannot be made in a
//! `static`. [`table`] declares one that a model does run.

use std::time::Duration;

/// What tables of the whole process use.
pub(crate) use syncpoint_base::sync::process;
/// Of them [`Lock`], which no panic poisons, for what is taken at every operation. Nothing is waited for under it, but that
/// the driver may block a submission under the order lock of a stream.
pub(crate) use syncpoint_base::sync::{
    AtomicBool, AtomicU64, AtomicUsize, Condvar, LocalKey, Lock, Locked, Mutex, MutexGuard,
    Ordering, local, lock, wait, wait_at_most,
};

#[cfg(not(syncpoint_loom))]
pub(crate) use syncpoint_base::spawn;

#[cfg(syncpoint_loom)]
pub(crate) fn spawn(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    loom::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

/// Sleeps until a notification, and at most this long, where the end is as good as a notification; may wake early.
#[cfg(not(syncpoint_loom))]
pub(crate) fn nap<'a, T>(
    _mutex: &'a Mutex<T>,
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    longest: Duration,
) -> MutexGuard<'a, T> {
    wait_at_most(condvar, guard, longest)
}

/// In a model a nap ends at any moment.
#[cfg(syncpoint_loom)]
pub(crate) fn nap<'a, T>(
    mutex: &'a Mutex<T>,
    _condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    _longest: Duration,
) -> MutexGuard<'a, T> {
    drop(guard);
    loom::thread::yield_now();
    lock(mutex)
}

/// Declares a table of the whole process that a model runs: there each run has its own, and so has a child of a fork.
macro_rules! table {
    ($(#[$about:meta])* static $name:ident: $kind:ty = $first:expr;) => {
        #[cfg(not(syncpoint_loom))]
        $(#[$about])*
        static $name: syncpoint_base::PerProcess<$kind> = syncpoint_base::PerProcess::new(|| $first);
        #[cfg(syncpoint_loom)]
        loom::lazy_static! {
            $(#[$about])*
            static ref $name: $kind = $first;
        }
    };
}

/// Declares a value of a model: each run has its own.
#[cfg(syncpoint_loom)]
macro_rules! global {
    ($(#[$about:meta])* static $name:ident: $kind:ty = $first:expr;) => {
        loom::lazy_static! {
            $(#[$about])*
            static ref $name: $kind = $first;
        }
    };
}

#[cfg(syncpoint_loom)]
pub(crate) use global;
pub(crate) use table;
