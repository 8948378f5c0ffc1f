//! Waits that the device gets with what comes behind them: whoever asks for one has it marked.

use super::double::Bench;
use super::{assert_complete, assert_pending, held, work};
use crate::point::Point;
use crate::stream::Stream;

type Deferring = Bench<true, true, true>;

/// A bench whose second stream waits for work of the first, and the end of that wait.
fn waiting() -> (Deferring, Stream, Point) {
    let bench = Bench::deferring();
    let (first, second) = (bench.stream(), bench.stream());
    second.wait(&work(&first)).unwrap();
    bench.assert_given(&["0.1 delay", "1.1 wait 0.1"]);
    let end = second.timeline().point(1);
    (bench, second, end)
}

/// The end of the wait is marked as soon as the crew pumps, once.
#[track_caller]
fn assert_marked_by_the_crew(bench: &Deferring, end: &Point) {
    bench.assert_given(&[]);
    bench.run();
    bench.assert_given(&["1.1 mark"]);
    bench.complete(0, 1);
    assert_pending(end);
    bench.complete(1, 1);
    assert_complete(end);
}

#[test]
fn a_record_behind_it_is_a_mark() {
    let (bench, stream, end) = waiting();
    assert_eq!(stream.record().unwrap(), end);
    bench.assert_given(&["1.1 mark"]);
    stream.record().unwrap();
    bench.assert_given(&[]);
    bench.complete(0, 1);
    bench.complete(1, 1);
    assert_complete(&end);
}

#[test]
fn work_behind_it_tells_of_it() {
    let (bench, stream, end) = waiting();
    let behind = work(&stream);
    bench.assert_given(&["1.2 delay"]);
    let _notified = end.notify(drop).unwrap();
    bench.run();
    bench.assert_given(&[]);
    bench.complete(0, 1);
    bench.complete(1, 2);
    assert_complete(&end);
    assert_complete(&behind);
}

#[test]
fn whoever_sleeps_for_it_has_it_marked() {
    let (bench, _stream, end) = waiting();
    let _notified = end.notify(drop).unwrap();
    assert_marked_by_the_crew(&bench, &end);
}

#[test]
fn a_query_of_the_stream_marks_nothing() {
    let (bench, stream, _end) = waiting();
    assert!(!stream.query().unwrap());
    bench.run();
    bench.assert_given(&[]);
}

#[test]
fn a_stream_that_is_dropped_behind_it_has_it_marked() {
    let (bench, stream, end) = waiting();
    drop(stream);
    assert_marked_by_the_crew(&bench, &end);
}

#[test]
fn another_stream_that_waits_for_it_has_it_marked_first() {
    let (bench, _stream, end) = waiting();
    bench.stream().wait(&end).unwrap();
    bench.assert_given(&["1.1 mark", "2.1 wait 1.1"]);
}

#[test]
fn host_work_behind_it_has_it_marked() {
    let (bench, stream, _end) = waiting();
    let (sender, ran) = std::sync::mpsc::channel();
    stream.enqueue(move || sender.send(()).expect("somebody listens")).unwrap();
    bench.run();
    bench.assert_given(&["1.1 mark"]);
    bench.complete(0, 1);
    assert!(ran.try_recv().is_err(), "the wait is before it");
    bench.complete(1, 1);
    bench.run();
    ran.try_recv().unwrap();
}

#[test]
fn one_that_was_held_is_marked_for_who_asked_meanwhile() {
    let bench: Deferring = Bench::deferring();
    let ((stream, gate), other) = (held(&bench), bench.stream());
    let awaited = work(&other);
    stream.wait(&awaited).unwrap();
    let end = stream.record().unwrap();
    bench.assert_given(&["1.1 delay"]);
    gate.open().unwrap();
    bench.run();
    bench.assert_given(&["0.2 wait 1.1", "0.2 mark"]);
    bench.complete(1, 1);
    bench.complete(0, 2);
    assert_complete(&end);
}
