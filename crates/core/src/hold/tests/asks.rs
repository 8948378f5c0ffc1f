//! What somebody waits for is marked: an earlier value, one to come, and the end of a stream that is dropped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::double::Bench;
use super::{assert_a_sleeper_has_it_marked, assert_complete, failure_of, held, work};
use crate::error::Error;
use crate::gate::Gate;
use crate::point::Point;
use crate::stream::Stream;

fn delay(stream: &Stream) {
    stream.delay(Duration::ZERO).unwrap();
}

fn value(stream: &Stream, value: u64) -> Point {
    stream.timeline().point(value)
}

/// Two streams: the first has a delay behind it, is held by a gate, and has a record behind that.
fn held_behind_a_delay(bench: &Bench<false>) -> (Stream, Stream, Gate) {
    let (a, b, gate) = (bench.stream(), bench.stream(), Gate::new());
    delay(&a);
    a.wait(&gate.point()).unwrap();
    a.record().unwrap();
    bench.assert_given(&["0.1 delay"]);
    (a, b, gate)
}

#[test]
fn a_wait_for_a_value_before_one_that_was_asked_for_has_it_marked() {
    let bench = Bench::<false>::new();
    let (a, b, gate) = held_behind_a_delay(&bench);
    b.wait(&value(&a, 1)).unwrap();
    b.open(&gate).unwrap();
    bench.assert_given(&["0.1 mark", "1.1 wait 0.1", "1.1 mark"]);
    bench.complete(0, 1);
    bench.complete(1, 1);
    assert_complete(&a.record().unwrap());
}

#[test]
fn a_sleeper_for_a_value_before_one_that_was_asked_for_has_it_marked() {
    let bench = Bench::<false>::new();
    let (a, _b, _gate) = held_behind_a_delay(&bench);
    assert_a_sleeper_has_it_marked(&bench, &value(&a, 1));
}

#[test]
fn every_held_value_that_was_asked_for_is_marked_when_it_is_submitted() {
    let bench = Bench::<false>::new();
    let ((a, first), b, second) = (held(&bench), bench.stream(), Gate::new());
    delay(&a);
    a.wait(&second.point()).unwrap();
    a.record().unwrap();
    b.wait(&value(&a, 2)).unwrap();
    first.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 delay", "0.2 mark", "1.1 wait 0.2"]);
}

#[test]
fn a_wait_for_a_value_not_enqueued_yet_goes_to_the_driver_once_the_value_does() {
    let bench = Bench::<false>::new();
    let (a, b) = (bench.stream(), bench.stream());
    delay(&a);
    b.wait(&value(&a, 2)).unwrap();
    delay(&b);
    bench.run();
    bench.assert_given(&["0.1 delay"]);
    delay(&a);
    bench.run();
    bench.assert_given(&["0.2 delay", "0.2 mark", "1.1 wait 0.2", "1.2 delay"]);
}

#[test]
fn a_sleeper_for_a_value_not_enqueued_yet_hears_of_it() {
    let bench = Bench::<false>::new();
    let a = bench.stream();
    let point = value(&a, 2);
    let _notified = point.notify(drop).unwrap();
    delay(&a);
    bench.run();
    bench.assert_given(&["0.1 delay"]);
    delay(&a);
    bench.assert_given(&["0.2 delay", "0.2 mark"]);
    assert_eq!(bench.expected(), [(0, 2)]);
    bench.complete(0, 2);
    assert_complete(&point);
}

#[test]
fn a_wait_for_a_value_not_enqueued_yet_is_over_with_one_that_needs_no_driver() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    b.wait(&value(&a, 1)).unwrap();
    let end = work(&b);
    a.enqueue(|| ()).unwrap();
    bench.run();
    bench.assert_given(&["1.2 delay"]);
    bench.complete(1, 2);
    assert_complete(&end);
}

#[test]
fn an_earlier_value_is_marked_although_the_function_that_held_the_mark_back_failed() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)));
    let (a, b) = (bench.stream(), Arc::new(bench.stream()));
    delay(&a);
    let (earlier, waiter) = (value(&a, 1), Arc::clone(&b));
    a.submit(move |_| {
        waiter.wait(&earlier).unwrap();
        Err::<(), _>("no kernel")
    })
    .unwrap();
    bench.run();
    assert!(failure_of(&value(&a, 2)).contains("no kernel"));
    bench.assert_given(&["0.1 delay", "0.2 mark", "1.1 wait 0.1"]);
    bench.complete(0, 2);
    assert_complete(&value(&a, 1));
}

#[test]
fn a_sleeper_for_what_was_submitted_before_a_failure_hears_of_it() {
    let bench = Bench::<false>::lending(Some(7));
    let stream = bench.stream();
    delay(&stream);
    stream.submit(|_| Err::<(), _>("no kernel")).unwrap();
    let before = value(&stream, 1);
    let _notified = before.notify(drop).unwrap();
    bench.run();
    bench.assert_given(&["0.1 delay", "0.2 mark"]);
    bench.complete(0, 2);
    assert_complete(&before);
}

#[test]
fn a_mark_that_is_refused_fails_everything_that_nobody_would_hear_of() {
    let bench = Bench::<false>::new();
    let (a, _b, _gate) = held_behind_a_delay(&bench);
    let earlier = value(&a, 1);
    let _notified = earlier.notify(drop).unwrap();
    bench.refuse_next("no event");
    bench.run();
    assert_eq!(failure_of(&earlier), "no event");
}

#[test]
fn the_end_of_a_stream_that_is_dropped_while_work_is_held_is_noticed() {
    let bench = Bench::<false>::new();
    let (stream, gate) = held(&bench);
    let buffer = bench.device().buffer(8).unwrap();
    stream.fill(&buffer, 0..8, 1).unwrap();
    drop(stream);
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 fill", "0.2 mark"]);
    assert_eq!(bench.expected(), [(0, 2)]);
}

#[test]
fn the_end_of_a_stream_that_is_dropped_after_its_record_is_noticed() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    work(&stream);
    drop(stream);
    assert_eq!(bench.expected(), [(0, 1)], "its resources are kept until somebody hears of it");
}

/// Drops a stream while its function is at work, after what the function does; the function waited for a gate before.
fn drop_within(bench: &Bench<false>, stream: Stream, within: impl FnOnce() + Send + 'static) {
    let (gate, slot) = (Gate::new(), Arc::new(Mutex::new(None)));
    let own = Arc::clone(&slot);
    stream.wait(&gate.point()).unwrap();
    stream
        .submit(move |_| {
            within();
            drop(own.lock().unwrap().take());
        })
        .unwrap();
    let buffer = bench.device().buffer(8).unwrap();
    stream.fill(&buffer, 0..8, 1).unwrap();
    *slot.lock().unwrap() = Some(stream);
    gate.open().unwrap();
    bench.run();
    assert!(slot.lock().unwrap().is_none(), "the function dropped its stream");
}

#[test]
fn a_stream_dropped_while_its_function_is_at_work_is_marked_at_its_end() {
    let bench = Bench::<false>::lending(Some(7));
    let stream = bench.stream();
    delay(&stream);
    let end = value(&stream, 4);
    drop_within(&bench, stream, || ());
    bench.assert_given(&["0.1 delay", "0.4 fill", "0.4 mark"]);
    assert_eq!(bench.expected(), [(0, 4)]);
    bench.complete(0, 4);
    assert_complete(&end);
    assert_eq!(bench.held_stream(0).flight().kept().count(), 0);
}

#[test]
fn what_was_asked_for_before_a_stream_was_dropped_in_its_function_is_marked_behind_that() {
    let bench = Bench::<false>::lending(Some(7));
    let (a, b) = (bench.stream(), Arc::new(bench.stream()));
    delay(&a);
    let (earlier, waiter) = (value(&a, 1), Arc::clone(&b));
    drop_within(&bench, a, move || waiter.wait(&earlier).unwrap());
    bench.assert_given(&["0.1 delay", "0.3 mark", "0.4 fill", "0.4 mark", "1.1 wait 0.1"]);
}

#[test]
fn what_a_stream_that_failed_after_it_was_dropped_had_submitted_is_noticed() {
    let bench = Bench::<false>::new();
    let (stream, gate) = (bench.stream(), Gate::new());
    let buffer = bench.device().buffer(8).unwrap();
    stream.fill(&buffer, 0..8, 1).unwrap();
    stream.wait(&gate.point()).unwrap();
    drop(stream);
    gate.fail(Error::failed("on purpose")).unwrap();
    bench.run();
    bench.assert_given(&["0.1 fill", "0.2 mark"]);
    bench.complete(0, 2);
    assert_eq!(bench.held_stream(0).flight().kept().count(), 0);
}
