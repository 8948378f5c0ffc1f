//! What the driver refused where nobody can be told: it is counted.

use crate::sync::{AtomicU64, Ordering};
use crate::sys::Refusal;

static UNHEARD: AtomicU64 = AtomicU64::new(0);

/// How many errors of the driver were suppressed, because nobody can be told of them. It refused to destroy something that
/// was dropped; or to change the capture mode of a thread for an internal question, which then may have broken a capture; or
/// to change that mode back, so that the thread stays in the relaxed one. That the driver was shut down before does not count.
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
