//! Marks: what a native-event driver is asked for, and what it is not.

use std::time::Duration;

use super::double::Bench;
use super::{
    assert_a_sleeper_has_it_marked, assert_complete, assert_marked_by_the_crew, assert_pending,
    held, work,
};
use crate::error::Error;
use crate::gate::Gate;

#[test]
fn work_is_not_marked_until_somebody_can_ask_for_it() {
    let bench = Bench::<false>::new();
    let stream = bench.stream();
    stream.delay(Duration::ZERO).unwrap();
    stream.delay(Duration::ZERO).unwrap();
    bench.assert_given(&["0.1 delay", "0.2 delay"]);
    let first = stream.record().unwrap();
    let second = stream.record().unwrap();
    bench.assert_given(&["0.2 mark"]);
    bench.complete(0, 2);
    assert_complete(&first);
    assert_complete(&second);
    stream.record().unwrap();
    bench.assert_given(&[]);
}

#[test]
fn a_held_record_is_marked_behind_its_own_work() {
    let bench = Bench::<false>::new();
    let (stream, gate) = held(&bench);
    let first = work(&stream);
    stream.delay(Duration::ZERO).unwrap();
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 delay", "0.2 mark", "0.3 delay"]);
    bench.complete(0, 2);
    assert_complete(&first);
}

#[test]
fn a_wait_for_a_value_that_nobody_recorded_has_it_marked() {
    let bench = Bench::<false>::new();
    let (a, b) = (bench.stream(), bench.stream());
    a.delay(Duration::ZERO).unwrap();
    b.wait(&a.timeline().point(1)).unwrap();
    bench.assert_given(&["0.1 delay", "0.1 mark", "1.1 wait 0.1"]);
}

#[test]
fn host_work_and_gates_have_what_is_before_them_marked_and_noticed() {
    let bench = Bench::<false>::new();
    let (a, b, gate) = (bench.stream(), bench.stream(), Gate::new());
    a.delay(Duration::ZERO).unwrap();
    a.enqueue(|| ()).unwrap();
    b.delay(Duration::ZERO).unwrap();
    b.open(&gate).unwrap();
    bench.assert_given(&["0.1 delay", "0.1 mark", "1.1 delay", "1.1 mark"]);
    assert_eq!(bench.expected(), [(0, 1), (1, 1)]);
    bench.complete(1, 1);
    assert_complete(&gate.point());
}

#[test]
fn a_sleeper_has_its_value_noticed_now_or_when_it_is_submitted() {
    let bench = Bench::<false>::new();
    let (a, (b, gate)) = (bench.stream(), held(&bench));
    let (soon, late) = (work(&a), work(&b));
    let _soon = soon.notify(drop).unwrap();
    let _late = late.notify(drop).unwrap();
    assert_eq!(bench.expected(), [(0, 1)]);
    gate.open().unwrap();
    bench.run();
    assert_eq!(bench.expected(), [(1, 2)]);
}

#[test]
fn a_sleeper_for_a_value_that_nobody_recorded_has_it_marked_by_the_crew() {
    let bench = Bench::<false>::new();
    let stream = bench.stream();
    stream.delay(Duration::ZERO).unwrap();
    bench.given();
    assert_a_sleeper_has_it_marked(&bench, &stream.timeline().point(1));
}

#[test]
fn the_end_of_a_dropped_stream_is_noticed() {
    let bench = Bench::<false>::new();
    let stream = bench.stream();
    stream.delay(Duration::ZERO).unwrap();
    bench.given();
    drop(stream);
    assert_marked_by_the_crew(&bench);
}

#[test]
fn a_timed_record_is_a_mark_of_its_own() {
    let bench = Bench::<false>::new();
    let stream = bench.stream();
    stream.delay(Duration::ZERO).unwrap();
    let timed = stream.record_timed().unwrap();
    stream.record().unwrap();
    bench.assert_given(&["0.1 delay", "0.2 stamp"]);
    assert_pending(timed.point());
    bench.complete(0, 2);
    assert_complete(timed.point());
}

#[test]
fn what_unrecorded_work_uses_is_not_kept_for_ever() {
    let bench = Bench::<false>::new();
    let stream = bench.stream();
    let buffer = bench.device().buffer(8).unwrap();
    for _ in 0..64 {
        stream.fill(&buffer, 0..8, 1).unwrap();
    }
    let kept = || bench.held_stream(0).flight().kept().count();
    assert_eq!((kept(), bench.given().last().map(String::as_str)), (64, Some("0.64 mark")));
    bench.complete(0, 64);
    assert_eq!(kept(), 0);
}

#[test]
fn what_nobody_else_could_mark_is_marked_at_once_a_function_that_submits_too() {
    let bench = Bench::<false>::lending(Some(7));
    let stream = bench.borrowed();
    bench.mark_at_once();
    stream.delay(Duration::ZERO).unwrap();
    bench.assert_given(&["0.1 delay", "0.1 mark"]);
    stream.submit(|_| ()).unwrap();
    bench.assert_given(&["0.2 mark"]);
    let _asked = stream.timeline().point(2).notify(drop).unwrap();
    bench.run();
    bench.assert_given(&[]);
}

#[test]
fn what_needed_no_driver_is_not_marked_by_another_thread_where_that_could_not() {
    let bench = Bench::<false>::new();
    let stream = bench.borrowed();
    bench.mark_at_once();
    stream.delay(Duration::ZERO).unwrap();
    bench.held_stream(0).fail(1, &Error::failed("bad kernel"));
    stream.recover().unwrap();
    bench.given();
    let point = stream.timeline().point(stream.timeline().enqueued());
    let _asked = point.notify(drop).unwrap();
    bench.run();
    bench.assert_given(&[]);
    bench.complete(0, 1);
    assert_complete(&point);
}
