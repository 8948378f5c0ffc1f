//! What is current on a thread, in every order in which guards come and go.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::thread;

use syncpoint::{
    Current, current_device, default_stream, set_current_device, set_current_stream, with_device,
    with_stream,
};

use crate::{assert_default, current, host, other, streams};

#[test]
fn a_thread_begins_on_the_first_host_and_its_default_stream() {
    let (host, [stream]) = (host(), streams(&host()));
    set_current_stream(&stream);
    set_current_device(&other());
    let fresh = thread::spawn(|| (current_device().unwrap(), current(&crate::host())));
    let (device, found) = fresh.join().unwrap();
    assert_eq!(device, host);
    assert_eq!(found, default_stream(&host).unwrap());
    assert_eq!(current(&host), stream);
}

#[test]
fn threads_that_ask_at_once_share_one_default_stream() {
    let (device, barrier) = (other(), Arc::new(Barrier::new(8)));
    let ask = || {
        let (device, barrier) = (device.clone(), Arc::clone(&barrier));
        thread::spawn(move || {
            barrier.wait();
            current(&device).id()
        })
    };
    let threads: Vec<_> = (0..8).map(|_| ask()).collect();
    let first = current(&device).id();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == first));
}

#[test]
fn an_observer_may_ask_for_the_stream_that_it_is_told_of() {
    let device = other();
    let asked = device.clone();
    let watch = syncpoint::observe(move |_: &syncpoint::trace::Record| {
        current(&asked);
    });
    assert_default(&device);
    drop(watch);
}

#[test]
fn setting_a_stream_changes_nothing_but_its_device() {
    let (host, other) = (host(), other());
    let ([a], [b]) = (streams(&host), streams(&other));
    set_current_stream(&b);
    assert_eq!(current_device().unwrap(), host);
    assert_default(&host);
    assert_eq!(current(&other), b);
    set_current_stream(&a);
    assert_eq!((current(&host), current(&other)), (a, b));
}

#[test]
fn a_guard_sets_the_stream_and_the_device_and_restores_both() {
    let (host, other) = (host(), other());
    let ([a], [b]) = (streams(&host), streams(&other));
    set_current_stream(&a);
    let guard = with_stream(&b);
    assert_eq!(current_device().unwrap(), other);
    assert_eq!((current(&host), current(&other)), (Arc::clone(&a), b));
    drop(guard);
    assert_eq!(current_device().unwrap(), host);
    assert_eq!(current(&host), a);
    assert_default(&other);
}

#[test]
fn a_guard_of_a_device_leaves_the_streams() {
    let (host, other) = (host(), other());
    let [stream] = streams(&other);
    set_current_stream(&stream);
    let guard = with_device(&other);
    assert_eq!(current_device().unwrap(), other);
    assert_eq!(current(&other), stream);
    drop(guard);
    assert_eq!(current_device().unwrap(), host);
}

#[test]
fn the_same_stream_may_be_made_current_again_inside_itself() {
    let device = host();
    let [a, b] = streams(&device);
    let outer = with_stream(&a);
    let same = with_stream(&a);
    let other = with_stream(&b);
    drop(other);
    assert_eq!(current(&device), a);
    drop(same);
    assert_eq!(current(&device), a);
    drop(outer);
    assert_default(&device);
}

/// Every order in which the numbers below `count` can be taken.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let insert = |order: &Vec<usize>, at| {
        let mut order = order.clone();
        order.insert(at, count - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..count).map(move |at| insert(order, at))).collect()
}

#[test]
fn the_youngest_living_guard_decides_in_every_order_of_dropping() {
    let device = host();
    let ([a, b, c], default) = (streams(&device), default_stream(&device).unwrap());
    // One stream comes twice, as it does where functions that set their stream call one another.
    let row = [&a, &b, &a, &c];
    for order in orders(row.len()) {
        let mut guards = row.map(|stream| Some(with_stream(stream)));
        for dropped in &order {
            guards[*dropped] = None;
            let youngest = guards.iter().rposition(Option::is_some);
            let expected = youngest.map_or(&default, |at| row[at]);
            assert_eq!(current(&device), *expected, "dropped {dropped} of {order:?}");
        }
    }
}

#[test]
fn guards_in_a_row_of_two_devices_are_dropped_from_the_front_and_leave_nothing() {
    let (host, other) = (host(), other());
    let ([a, b], [c]) = (streams(&host), streams(&other));
    let guards: Vec<Current> = [&a, &c, &b].into_iter().map(with_stream).collect();
    assert_eq!((current(&host), current(&other)), (b, c));
    drop(guards);
    assert_default(&host);
    assert_default(&other);
    assert_eq!(current_device().unwrap(), host);
}

#[test]
fn what_is_set_inside_a_guard_ends_with_it() {
    let (host, other) = (host(), other());
    let ([a, b, c], [d]) = (streams(&host), streams(&other));
    set_current_stream(&a);
    let guard = with_stream(&b);
    set_current_stream(&c);
    set_current_stream(&d);
    set_current_device(&other);
    assert_eq!((current(&host), current(&other)), (c, d));
    drop(guard);
    assert_eq!(current(&host), a);
    assert_default(&other);
    assert_eq!(current_device().unwrap(), host);
}

#[test]
fn unwinding_restores_what_was_there() {
    let device = host();
    let [a, b] = streams(&device);
    let outer = with_stream(&a);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _inner = with_stream(&b);
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(unwound.is_err());
    assert_eq!(current(&device), a);
    drop(outer);
}

#[test]
fn what_is_current_lives_as_long_as_it_is_current() {
    let device = other();
    let [stream] = streams(&device);
    let alive = Arc::downgrade(&stream);
    let guard = with_stream(&stream);
    drop(stream);
    assert!(alive.upgrade().is_some());
    drop(guard);
    assert!(alive.upgrade().is_none());
}

#[test]
fn a_thread_may_end_with_streams_current() {
    let device = host();
    let [stream] = streams(&device);
    let alive = Arc::downgrade(&stream);
    let thread = thread::spawn(move || {
        set_current_stream(&stream);
        let [leaked] = streams(stream.device());
        let _never_dropped = ManuallyDrop::new(with_stream(&leaked));
        assert_eq!(current(stream.device()), leaked);
    });
    thread.join().unwrap();
    assert!(alive.upgrade().is_none());
    assert_default(&device);
}
