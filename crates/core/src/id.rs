//! Ids that are never reused.

use crate::sync::process::{AtomicU64, Ordering};

/// The next id of this process. Timelines, events and buffers draw from one row, so an id names one thing only.
pub(crate) fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Relaxed: uniqueness needs no order with any other access.
    NEXT.fetch_add(1, Ordering::Relaxed)
}
