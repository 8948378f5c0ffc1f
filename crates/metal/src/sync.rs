//! The one door to locks, condition variables and atomics, so that a model checker can stand behind it.

pub(crate) use syncpoint_base::sync::{
    Condvar, Mutex, MutexGuard, ThreadId, current, lock, wait_at_most,
};

/// What has no part in a modelled protocol.
pub(crate) use syncpoint_base::sync::process::{
    AtomicU64, AtomicUsize, OnceLock, Ordering, RwLock,
};
