//! What the driver refused where nobody can be told: it is counted.

use crate::sync::{AtomicU64, Ordering};
use crate::sys::Refusal;

static UNHEARD: AtomicU64 = AtomicU64::new(0);

/// How many times the driver refused what nobody can be told of: to end something that was dropped; to let a question that no
/// user asked for by name break no capture, which it may have done then; or to give the thread its own capture mode back
/// behind it, which stays in the relaxed one. That the driver was taken down before counts for nothing.
pub fn unheard() -> u64 {
    // Relaxed: a count, ordered with nothing.
    UNHEARD.load(Ordering::Relaxed)
}

/// `CUDA_ERROR_DEINITIALIZED`: the driver went first, and took everything along.
const DEINITIALIZED: u32 = 4;

pub(crate) fn note(refusal: &Refusal) {
    if refusal.code() != Some(DEINITIALIZED) {
        // Relaxed: as in `unheard`.
        UNHEARD.fetch_add(1, Ordering::Relaxed);
    }
}
