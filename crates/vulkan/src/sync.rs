//! The one door to locks and atomics, so that a model checker can stand behind it.

#[cfg(not(syncpoint_loom))]
pub(crate) use std::sync::atomic::AtomicU64;

#[cfg(syncpoint_loom)]
pub(crate) use loom::sync::atomic::AtomicU64;

/// What has no part in a modelled protocol.
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
pub(crate) use std::sync::{Mutex, OnceLock, RwLock};

pub(crate) use std::sync::MutexGuard;
use std::sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard};

/// A lock that no panic poisons, for what is taken at every submission. In a model it is loom's mutex; it has models of its
/// own (`base/lock`).
#[cfg(not(syncpoint_loom))]
pub(crate) use syncpoint_base::{Lock, Locked};

#[cfg(syncpoint_loom)]
pub(crate) use modelled::{Lock, Locked};

#[cfg(syncpoint_loom)]
mod modelled {
    use std::sync::PoisonError;

    use loom::sync::{Mutex, MutexGuard};

    #[derive(Debug, Default)]
    pub(crate) struct Lock<T>(Mutex<T>);

    pub(crate) type Locked<'a, T> = MutexGuard<'a, T>;

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> Locked<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

/// Locks, also where a thread panicked while it held the lock: every room leaves its data whole before it calls
/// anything that can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks to read, for the same reason.
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks to write, for the same reason.
pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
