//! Loom's locks, condition variables and atomics, with the calls that ours have.

pub use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub use loom::sync::{Condvar, Mutex, MutexGuard};

use std::sync::PoisonError;
use std::time::Duration;

/// As outside a model.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As outside a model.
pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps without an end: a wake that only the end of a sleep makes good is a lost one.
pub fn wait_at_most<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    _longest: Duration,
) -> MutexGuard<'a, T> {
    wait(condvar, guard)
}

/// A lock that no panic poisons: loom's mutex, since ours has models of its own (`lock`).
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

/// The value of a [`Lock`].
pub type Locked<'a, T> = MutexGuard<'a, T>;

impl<T> Lock<T> {
    /// A lock that nobody has.
    pub fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Takes the lock.
    pub fn lock(&self) -> Locked<'_, T> {
        lock(&self.0)
    }

    /// Takes the lock, unless a thread has it.
    pub fn try_lock(&self) -> Option<Locked<'_, T>> {
        self.0.try_lock().ok()
    }

    /// Takes the lock, however long that takes.
    pub fn lock_within(&self, _longest: Duration) -> Option<Locked<'_, T>> {
        Some(self.lock())
    }
}
