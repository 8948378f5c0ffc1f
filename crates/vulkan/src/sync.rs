//! The one door to locks and atomics, so that a model checker can stand behind it.

pub(crate) use syncpoint_base::sync::{AtomicU64, Lock, Locked};

/// What has no part in a modelled protocol.
pub(crate) use syncpoint_base::sync::process::{
    AtomicBool, AtomicUsize, Mutex, OnceLock, Ordering, RwLock, lock, read, write,
};
