//! The one door to locks, condition variables and atomics, so that a model checker can stand behind it.
//!
//! Everything that a model runs takes its primitives from here; under `--cfg syncpoint_loom` they are loom's. Tables
//! of the whole process that no model runs take [`process`]'s, which are std's always: loom's cannot be made in a
//! `static`. [`table`] declares one that a model does run.

use std::sync::PoisonError;
use std::time::Duration;

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

/// A lock that no panic poisons, for what is taken at every operation. Nothing is waited for under it, but that the driver
/// may block a submission under the order lock of a stream. In a model it is loom's mutex; it has models of its own
/// (`base/lock`).
#[cfg(not(syncpoint_loom))]
pub(crate) use syncpoint_base::{Lock, Locked};

#[cfg(syncpoint_loom)]
pub(crate) use modelled::{Lock, Locked};

#[cfg(not(syncpoint_loom))]
pub(crate) use std::thread::LocalKey;
#[cfg(not(syncpoint_loom))]
pub(crate) use syncpoint_base::spawn;

#[cfg(syncpoint_loom)]
pub(crate) use loom::thread::LocalKey;
#[cfg(syncpoint_loom)]
pub(crate) use modelled::spawn;

#[cfg(syncpoint_loom)]
mod modelled {
    use std::time::Duration;

    use super::{Mutex, MutexGuard, lock};

    pub(crate) fn spawn(
        name: &'static str,
        run: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<()> {
        loom::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
    }

    #[derive(Debug, Default)]
    pub(crate) struct Lock<T>(Mutex<T>);

    pub(crate) type Locked<'a, T> = MutexGuard<'a, T>;

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> Locked<'_, T> {
            lock(&self.0)
        }

        pub(crate) fn try_lock(&self) -> Option<Locked<'_, T>> {
            self.0.try_lock().ok()
        }

        /// However long.
        pub(crate) fn lock_within(&self, _longest: Duration) -> Option<Locked<'_, T>> {
            Some(self.lock())
        }
    }
}

/// Locks, also where a thread panicked while it held the lock: every room of ours leaves its data whole before it
/// calls anything that can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until a notification; may wake early.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
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

/// Declares a value of each thread; in a model, of each of its threads.
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

#[cfg(syncpoint_loom)]
pub(crate) use global;
pub(crate) use {local, table};

/// What tables of the whole process use.
pub(crate) mod process {
    pub(crate) use std::sync::MutexGuard;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use std::sync::{Condvar, Mutex, OnceLock, RwLock};
    use std::sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard, TryLockError};

    /// Locks, also where a thread panicked while it held the lock, for the same reason.
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks, unless somebody has the lock.
    pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
        match mutex.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Sleeps until a notification; may wake early.
    pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks to read, for the same reason.
    pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
        lock.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks to write, for the same reason.
    pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
        lock.write().unwrap_or_else(PoisonError::into_inner)
    }
}
