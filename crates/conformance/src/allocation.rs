//! An allocator that counts what lives, for programs that weigh the library.
//!
//! A program makes it its global allocator, and counts from the moment that it chooses: until then an allocation costs
//! one load more than the system's.

#![expect(unsafe_code, reason = "a counting allocator is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Makes a program count, once [`count`] was called.
#[macro_export]
macro_rules! counting_allocator {
    () => {
        #[global_allocator]
        static ALLOCATOR: $crate::allocation::Counting = $crate::allocation::Counting;
    };
}

/// The system's allocator, which counts once [`count`] was called.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program makes a static of it")]
pub struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static MADE: Cell<u64> = const { Cell::new(0) };
}

/// Counts from now on. What was allocated before counts as nothing, and as less than nothing once it is freed.
pub fn count() {
    // Relaxed, here and below: counts, ordered with nothing.
    COUNTS.store(true, Ordering::Relaxed);
}

/// How many bytes have been allocated and not freed since the count began.
pub fn live() -> i64 {
    LIVE.load(Ordering::Relaxed)
}

/// The most that ever lived since the count began.
pub fn peak() -> i64 {
    PEAK.load(Ordering::Relaxed)
}

/// How many allocations this thread has made since the count began.
pub fn made() -> u64 {
    MADE.get()
}

#[inline]
fn add(bytes: usize) {
    if COUNTS.load(Ordering::Relaxed) {
        // While a thread ends its count may be gone; nobody reads it then.
        let _gone = MADE.try_with(|made| made.set(made.get() + 1));
        let bytes = signed(bytes);
        PEAK.fetch_max(LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes, Ordering::Relaxed);
    }
}

#[inline]
fn subtract(bytes: usize) {
    if COUNTS.load(Ordering::Relaxed) {
        LIVE.fetch_sub(signed(bytes), Ordering::Relaxed);
    }
}

/// No allocation is larger than what is signed.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

// SAFETY: every call is handed on to the system's allocator, as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise for the layout is the system allocator's demand.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        subtract(layout.size());
        // SAFETY: the pointer came from the system's allocator, by the functions above and below.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        subtract(layout.size());
        // SAFETY: as in `dealloc`, and the caller's promise for the size is the system allocator's demand.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
