//! What goes to the driver, when, and in which order.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::double::{BOUND, Bench, PATIENCE};
use super::{assert_complete, assert_pending, held, work};
use crate::error::Kind;
use crate::gate::Gate;
use crate::stream::Stream;

#[test]
fn device_work_goes_to_the_driver_at_once_and_in_order() {
    let bench = Bench::<true>::new();
    let stream = bench.stream();
    let buffer = bench.device().buffer(8).unwrap();
    stream.fill(&buffer, 0..8, 1).unwrap();
    stream.copy(&buffer, 0..4, &buffer, 4..8).unwrap();
    let point = work(&stream);
    bench.assert_given(&["0.1 fill", "0.2 copy", "0.3 delay"]);
    bench.complete(0, 2);
    assert_pending(&point);
    bench.complete(0, 3);
    assert_complete(&point);
}

#[test]
fn what_is_behind_a_gate_is_held_and_goes_in_order_once_it_is_open() {
    let bench = Bench::<true>::new();
    let (stream, gate) = held(&bench);
    let (first, second) = (work(&stream), work(&stream));
    bench.run();
    bench.assert_given(&[]);
    assert_eq!((stream.statistics().held, stream.statistics().queued), (3, 3));
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 delay", "0.3 delay"]);
    assert_eq!(stream.statistics().held, 0);
    bench.complete(0, 2);
    assert_complete(&first);
    assert_pending(&second);
}

#[test]
fn a_wait_for_a_submitted_value_goes_to_the_driver() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    b.wait(&work(&a)).unwrap();
    let end = work(&b);
    bench.assert_given(&["0.1 delay", "1.1 wait 0.1", "1.2 delay"]);
    bench.complete(0, 1);
    bench.complete(1, 2);
    assert_complete(&end);
}

#[test]
fn a_wait_for_a_held_value_is_held_until_that_value_is_submitted() {
    let bench = Bench::<true>::new();
    let ((a, gate), b) = (held(&bench), bench.stream());
    b.wait(&work(&a)).unwrap();
    work(&b);
    bench.run();
    bench.assert_given(&[]);
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 delay", "1.1 wait 0.2", "1.2 delay"]);
}

#[test]
fn a_wait_for_a_held_value_that_needs_no_driver_is_over_with_it() {
    let bench = Bench::<true>::new();
    let ((a, gate), b) = (held(&bench), bench.stream());
    b.wait(&a.record().unwrap()).unwrap();
    let end = work(&b);
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["1.2 delay"]);
    bench.complete(1, 2);
    assert_complete(&end);
}

#[test]
fn a_wait_is_pinned_to_its_value() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    let first = work(&a);
    work(&a);
    b.wait(&first).unwrap();
    bench.assert_given(&["0.1 delay", "0.2 delay", "1.1 wait 0.1"]);
}

#[test]
fn waits_that_would_cost_for_nothing_are_left_out() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    let (first, second) = (work(&a), work(&a));
    bench.complete(0, 1);
    bench.given();
    b.wait(&first).unwrap();
    b.wait(&second).unwrap();
    b.wait(&second).unwrap();
    a.wait(&second).unwrap();
    bench.assert_given(&["1.1 wait 0.2"]);
    assert_eq!((b.statistics().elided, a.statistics().elided), (2, 1));
    assert_eq!(b.statistics().driver_calls, 1);
}

#[test]
fn a_blocked_stream_holds_back_no_other() {
    let bench = Bench::<true>::new();
    let ((a, _gate), b) = (held(&bench), bench.stream());
    work(&a);
    work(&b);
    bench.assert_given(&["1.1 delay"]);
}

#[test]
fn a_full_stream_is_exhausted_and_takes_work_again_once_it_has_room() {
    let bench = Bench::<true>::new();
    let (stream, gate) = held(&bench);
    for _ in 1..BOUND {
        work(&stream);
    }
    let refused = stream.delay(Duration::ZERO).unwrap_err();
    assert_eq!(refused.kind(), Kind::Exhausted);
    gate.open().unwrap();
    bench.run();
    assert_eq!(bench.given().len(), BOUND - 1);
    work(&stream);
}

#[test]
fn an_opening_holds_nothing_back_and_comes_before_its_point_is_complete() {
    let bench = Bench::<true>::new();
    let (stream, gate) = (bench.stream(), Gate::new());
    work(&stream);
    stream.open(&gate).unwrap();
    let opened = stream.record().unwrap();
    let behind = work(&stream);
    bench.assert_given(&["0.1 delay", "0.2 mark", "0.3 delay"]);
    assert_pending(&gate.point());
    bench.complete(0, 1);
    assert_complete(&gate.point());
    assert_complete(&opened);
    assert_pending(&behind);
}

#[test]
fn an_opening_on_an_idle_stream_happens_at_once() {
    let bench = Bench::<true>::new();
    let (stream, gate) = (bench.stream(), Gate::new());
    stream.open(&gate).unwrap();
    assert_complete(&gate.point());
    assert_complete(&stream.record().unwrap());
    bench.assert_given(&[]);
}

#[test]
fn a_value_lands_only_once_what_it_waited_for_is_known_complete() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    let awaited = work(&a);
    let before = work(&b);
    b.wait(&awaited).unwrap();
    let after = work(&b);
    // The driver of b is quicker to tell than that of a.
    bench.complete(1, 3);
    assert_complete(&before);
    assert_pending(&after);
    assert_eq!(bench.expected(), [(0, 1)], "somebody must notice what b has to know");
    bench.complete(0, 1);
    assert_complete(&after);
}

#[test]
fn a_chain_of_any_length_lands_on_a_small_stack() {
    let run = || {
        let bench = Bench::<true>::new();
        let (gate, mut streams) = (Gate::new(), Vec::new());
        let mut point = gate.point();
        for _ in 0..300 {
            let stream = bench.stream();
            stream.wait(&point).unwrap();
            let next = Gate::new();
            stream.open(&next).unwrap();
            point = next.point();
            streams.push(stream);
        }
        gate.open().unwrap();
        bench.run();
        assert_complete(&point);
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_stream_that_is_pumped_gives_way_to_others() {
    let bench = Bench::<true>::new();
    let ((a, gate), b) = (held(&bench), bench.stream());
    b.wait(&gate.point()).unwrap();
    for _ in 0..90 {
        work(&a);
    }
    work(&b);
    gate.open().unwrap();
    bench.given();
    let turns = std::iter::from_fn(|| bench.run_one().then(|| bench.given().len()));
    let turns: Vec<usize> = turns.collect();
    assert!(turns.iter().all(|given| *given <= 64), "{turns:?}");
    assert_eq!(turns.iter().sum::<usize>(), 91);
}

#[test]
fn the_resources_of_an_operation_live_until_it_is_over() {
    let bench = Bench::<false>::new();
    let stream = bench.stream();
    let buffer = bench.device().buffer(8).unwrap();
    stream.fill(&buffer, 0..8, 1).unwrap();
    let kept = || bench.held_stream(0).flight().kept().count();
    drop(buffer);
    assert_eq!(kept(), 1);
    bench.complete(0, 1);
    assert_eq!(kept(), 0);
}

#[test]
fn a_dropped_stream_finishes_its_work() {
    let bench = Bench::<true>::new();
    let (stream, gate) = held(&bench);
    let end = work(&stream);
    drop(stream);
    let raw = Arc::downgrade(&bench.held_stream(0));
    bench.forget_streams();
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 delay"]);
    bench.finish(&raw.upgrade().expect("the driver keeps what is on its way"), 2);
    assert_complete(&end);
    assert!(raw.upgrade().is_none());
}

#[test]
fn a_query_does_not_wait_for_a_call_of_the_driver_that_takes_long() {
    let bench = Arc::new(Bench::<false>::new());
    let stream = Arc::new(bench.stream());
    let point = work(&stream);
    let (begun, go_on) = bench.pause_next();
    let submitting = std::thread::spawn({
        let stream = Arc::clone(&stream);
        move || stream.delay(Duration::ZERO)
    });
    begun.recv().unwrap();
    assert!(!stream.query().unwrap());
    assert!(!point.query().unwrap());
    go_on.send(()).unwrap();
    submitting.join().unwrap().unwrap();
    bench.assert_given(&["0.1 delay", "0.1 mark", "0.2 delay"]);
}

/// What is being given to the driver comes after the record, which neither waits for it nor names it.
#[test]
fn a_record_of_what_is_signalled_waits_for_no_call_of_the_driver() {
    let bench = Arc::new(Bench::<true>::new());
    let stream = Arc::new(bench.stream());
    let before = work(&stream);
    let (has_begun, go_on) = bench.pause_next();
    let submitting = std::thread::spawn({
        let stream = Arc::clone(&stream);
        move || stream.delay(Duration::ZERO)
    });
    has_begun.recv().unwrap();
    let (send, recorded) = channel();
    let recording = std::thread::spawn({
        let stream = Arc::clone(&stream);
        move || send.send(stream.record()).unwrap()
    });
    let recorded = recorded.recv_timeout(PATIENCE);
    go_on.send(()).unwrap();
    submitting.join().unwrap().unwrap();
    recording.join().unwrap();
    assert_eq!(recorded.expect("it waits for nobody").unwrap(), before);
    assert_eq!(stream.record().unwrap().value(), before.value() + 1);
    bench.assert_given(&["0.1 delay", "0.2 delay"]);
}

#[test]
fn a_wait_that_may_be_refused_still_is_no_reason_to_leave_one_out() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), Arc::new(bench.stream()));
    let awaited = work(&a);
    bench.given();
    let (has_begun, go_on) = bench.pause_next();
    bench.refuse_next("no room");
    let waits = |stream: &Arc<Stream>| {
        let (stream, awaited, (send, outcome)) = (Arc::clone(stream), awaited.clone(), channel());
        std::thread::spawn(move || send.send(stream.wait(&awaited)));
        outcome
    };
    let refused = waits(&b);
    has_begun.recv().unwrap();
    let taken = waits(&b);
    // Left out it would be at once; otherwise it stands before the order lock, however long this is.
    let left_out = taken.recv_timeout(Duration::from_millis(50));
    assert!(left_out.is_err(), "the wait that covers it is refused a moment later");
    go_on.send(()).unwrap();
    assert_eq!(refused.recv().unwrap().unwrap_err().kind(), Kind::Driver);
    taken.recv().unwrap().unwrap();
    bench.assert_given(&["1.1 wait 0.1"]);
}
