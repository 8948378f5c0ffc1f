//! The one door to locks, condition variables and atomics, so that a model checker can stand behind it.
//!
//! Everything that a model runs takes its primitives from here; under `--cfg syncpoint_loom` they are loom's. Tables
//! of the whole process live outside every model and take [`process`]'s, which are std's always: loom's cannot be made
//! in a `static`.

#[cfg(not(syncpoint_loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering},
};

#[cfg(syncpoint_loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering},
};

/// Locks, also where a thread panicked while it held the lock: every room of ours leaves its data whole before it
/// calls anything that can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What tables of the whole process use.
pub(crate) mod process {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use std::sync::{Condvar, Mutex, OnceLock};
    use std::sync::{MutexGuard, PoisonError};

    /// Locks, also where a thread panicked while it held the lock, for the same reason.
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
