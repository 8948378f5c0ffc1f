//! The one door to locks, condition variables and atomics.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};

/// A lock that no panic poisons, for what is taken at every operation.
pub(crate) use syncpoint_base::{Lock, Locked};

use std::sync::PoisonError;

/// Locks, also where a thread panicked while it held the lock: every room leaves its data whole before it calls
/// anything that can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
