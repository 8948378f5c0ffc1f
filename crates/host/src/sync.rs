//! The one door to locks, condition variables and atomics, so that a model checker can stand behind it.

/// Memory of buffers is in no model.
pub(crate) use std::sync::{PoisonError, RwLock};

#[cfg(not(syncpoint_loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(syncpoint_loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

/// Locks, also where a thread panicked while it held the lock: every room leaves its data whole before it calls
/// anything that can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
