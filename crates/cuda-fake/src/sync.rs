//! Locks that go on where a thread has panicked under them.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic under the lock: whoever panics there is caught at the rim, and data is left whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
