//! The one door to locks, condition variables and atomics, so that a model checker can stand behind it.

pub(crate) use syncpoint_base::sync::{
    AtomicBool, Condvar, LocalKey, Mutex, MutexGuard, Ordering, local, lock, wait, wait_at_most,
};
