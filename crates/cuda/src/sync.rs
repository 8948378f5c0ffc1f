//! The one door to locks, condition variables and atomics.

/// A lock that no panic poisons, for what is taken at every operation.
pub(crate) use syncpoint_base::sync::{Lock, Locked};

pub(crate) use syncpoint_base::sync::process::{
    AtomicBool, AtomicU64, Mutex, OnceLock, Ordering, lock,
};
