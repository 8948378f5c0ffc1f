//! Locks, condition variables, atomics and values of a thread: the standard library's and ours, and in a model loom's.
//!
//! Each crate takes from here through a room `sync` of its own, which says what of it a model runs.

#[cfg(syncpoint_loom)]
mod modelled;
pub mod process;

#[cfg(syncpoint_loom)]
pub use loom::thread::{LocalKey, ThreadId, current};
#[cfg(syncpoint_loom)]
pub use modelled::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Condvar, Lock, Locked, Mutex, MutexGuard,
    Ordering, lock, wait, wait_at_most,
};

#[cfg(not(syncpoint_loom))]
pub use crate::lock::{Lock, Locked};
#[cfg(not(syncpoint_loom))]
pub use process::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, lock,
    wait, wait_at_most,
};
#[cfg(not(syncpoint_loom))]
pub use std::thread::{LocalKey, ThreadId, current};

/// Declares a value of each thread; in a model, of each of its threads.
#[macro_export]
macro_rules! local {
    ($(#[$about:meta])* static $name:ident: $kind:ty = $first:expr;) => {
        #[cfg(not(syncpoint_loom))]
        std::thread_local! {
            $(#[$about])*
            static $name: $kind = const { $first };
        }
        #[cfg(syncpoint_loom)]
        loom::thread_local! {
            $(#[$about])*
            static $name: $kind = $first;
        }
    };
}

pub use local;
