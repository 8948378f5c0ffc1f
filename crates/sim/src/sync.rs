//! The one door to locks, condition variables and atomics.

pub(crate) use syncpoint_base::sync::process::{
    AtomicU64, Condvar, Mutex, MutexGuard, Ordering, lock, wait,
};
