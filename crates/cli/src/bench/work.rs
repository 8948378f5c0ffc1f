//! The functions that both sides enqueue, so that both carry the same.

use std::hint::black_box;

/// A function that captures nothing.
pub(super) fn empty() -> impl FnOnce() + Send + 'static {
    || ()
}

/// A function that captures 8 bytes.
pub(super) fn word() -> impl FnOnce() + Send + 'static {
    let word = black_box(7_u64);
    move || {
        black_box(word);
    }
}

/// A function that captures 64 bytes.
pub(super) fn block() -> impl FnOnce() + Send + 'static {
    let block = black_box([7_u64; 8]);
    move || {
        black_box(block);
    }
}
