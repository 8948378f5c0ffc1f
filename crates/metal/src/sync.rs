//! The one door to locks, condition variables and atomics, so that a model checker can stand behind it.

use std::sync::PoisonError;
use std::time::Duration;

#[cfg(not(syncpoint_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(syncpoint_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

/// Of a thread, and in a model of one of its threads.
#[cfg(not(syncpoint_loom))]
pub(crate) use std::thread::{ThreadId, current};

#[cfg(syncpoint_loom)]
pub(crate) use loom::thread::{ThreadId, current};

pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
/// What has no part in a modelled protocol.
pub(crate) use std::sync::{OnceLock, RwLock};

/// Locks, also where a thread panicked while it held the lock: every room leaves its data whole before it calls
/// anything that can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until a notification, and at most this long; may wake early. In a model it sleeps without an end: a wake that
/// only the end of a sleep makes good is a lost one.
pub(crate) fn wait_at_most<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    longest: Duration,
) -> MutexGuard<'a, T> {
    condvar.wait_timeout(guard, longest).unwrap_or_else(PoisonError::into_inner).0
}
