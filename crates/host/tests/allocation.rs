//! Record, wait and query allocate nothing on an idle stream.
#![expect(unsafe_code, reason = "a counting allocator is an allocator")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use syncpoint::{Device, Event, EventOptions, Stream, TimedPoint};

/// Counts what each thread allocates; frees are not counted.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count_one() {
    // While a thread ends its count may be gone; nobody reads it then.
    let _gone = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is handed on to the system's allocator, as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promise for the layout is the system allocator's demand.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from the system's allocator, by `alloc` and `realloc` above and below.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        // SAFETY: as in `dealloc`, and the caller's promise for the size is the system allocator's demand.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations of this thread the code needs.
fn allocations<T>(code: impl FnOnce() -> T) -> usize {
    let before = COUNT.get();
    let value = code();
    let count = COUNT.get() - before;
    drop(value);
    count
}

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

/// A stream that has worked and is idle.
fn idle() -> Stream {
    let stream = host().stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    stream.synchronize().unwrap();
    stream
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| Box::new(5)), 1);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn a_record_on_an_idle_stream_allocates_nothing() {
    let stream = idle();
    assert_eq!(allocations(|| stream.record().unwrap()), 0);
    let event = Event::new(EventOptions::new());
    event.record(&stream).unwrap();
    assert_eq!(allocations(|| event.record(&stream).unwrap()), 0);
    assert_eq!(allocations(|| event.record_once(&stream).unwrap()), 0);
}

#[test]
fn a_timed_record_on_an_idle_stream_allocates_nothing() {
    let stream = idle();
    assert_eq!(allocations(|| stream.record_timed().unwrap()), 0);
    let event = Event::new(EventOptions::timed());
    event.record(&stream).unwrap();
    assert_eq!(allocations(|| event.record(&stream).unwrap()), 0);
}

#[test]
fn a_wait_that_costs_nothing_allocates_nothing() {
    let (stream, other) = (idle(), idle());
    let (own, complete) = (stream.record().unwrap(), other.record().unwrap());
    let event = Event::new(EventOptions::new());
    assert_eq!(allocations(|| stream.wait_event(&event).unwrap()), 0, "never recorded");
    event.record(&other).unwrap();
    for _ in 0..100 {
        assert_eq!(allocations(|| stream.wait(&own).unwrap()), 0);
        assert_eq!(allocations(|| stream.wait(&complete).unwrap()), 0);
        assert_eq!(allocations(|| stream.wait_event(&event).unwrap()), 0);
        assert_eq!(allocations(|| stream.wait_stream(&other).unwrap()), 0);
    }
}

#[test]
fn a_wait_for_a_pending_point_on_a_stream_that_has_waited_allocates_nothing() {
    let (stream, gates) = (idle(), [(); 2].map(|()| syncpoint::Gate::new()));
    let [first, second] = [gates[0].point(), gates[1].point()];
    stream.wait(&first).unwrap();
    gates[0].open().unwrap();
    stream.synchronize().unwrap();
    assert_eq!(allocations(|| stream.wait(&second).unwrap()), 0);
    gates[1].open().unwrap();
    stream.synchronize().unwrap();
}

#[test]
fn a_query_allocates_nothing() {
    let (stream, gate) = (idle(), syncpoint::Gate::new());
    let (complete, event) = (stream.record().unwrap(), host().event());
    stream.wait(&gate.point()).unwrap();
    let pending = stream.record().unwrap();
    event.record(&stream).unwrap();
    assert_eq!(allocations(|| complete.query().unwrap()), 0);
    assert_eq!(allocations(|| pending.query().unwrap()), 0);
    assert_eq!(allocations(|| event.query().unwrap()), 0);
    assert_eq!(allocations(|| event.state()), 0);
    assert_eq!(allocations(|| stream.query().unwrap()), 0);
    gate.open().unwrap();
}

#[test]
fn a_synchronize_of_what_is_complete_and_a_time_allocate_nothing() {
    let stream = idle();
    let [start, end]: [TimedPoint; 2] = [(); 2].map(|()| stream.record_timed().unwrap());
    assert_eq!(allocations(|| end.synchronize().unwrap()), 0);
    assert_eq!(allocations(|| stream.synchronize().unwrap()), 0);
    assert_eq!(allocations(|| end.elapsed_since(&start).unwrap()), 0);
}

#[test]
fn small_work_on_a_stream_that_was_used_allocates_nothing() {
    let stream = idle();
    let captured = 7_u64;
    let work = move || {
        std::hint::black_box(captured);
    };
    // On a busy machine the worker may still be on its way to its rest, and another is made.
    let allocates_nothing = || {
        let count = allocations(|| stream.enqueue(work).unwrap());
        stream.synchronize().unwrap();
        count == 0
    };
    assert!((0..100).any(|_| allocates_nothing()), "each of a hundred allocates");
}
