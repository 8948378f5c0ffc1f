//! Models of waits that the device gets with what comes behind them: nobody sleeps for one that nobody marks.

use std::sync::Arc;

use loom::thread;

use super::double::Bench;
use super::{delay, engine_runs_to, sleep_until, work};
use crate::model::holds;
use crate::point::Point;
use crate::stream::Stream;

type Deferring = Bench<true, true>;

/// A stream that waits for work of another, and the end of the wait.
fn waiting(bench: &Deferring) -> (Stream, Point) {
    let (other, stream) = (bench.stream(), bench.stream());
    stream.wait(&work(&other)).expect("a wait");
    let end = stream.timeline().point(1);
    (stream, end)
}

#[test]
fn whoever_sleeps_for_a_wait_has_it_marked() {
    holds(2, || {
        let bench = Deferring::new();
        let (other, stream) = (bench.stream(), bench.stream());
        let (awaited, end) = (work(&other), stream.timeline().point(1));
        let sleeper = thread::spawn({
            let end = end.clone();
            move || sleep_until(&end)
        });
        stream.wait(&awaited).expect("a wait");
        engine_runs_to(&bench, &end);
        sleeper.join().expect("a sleeper wakes");
        bench.close();
    });
}

#[test]
fn a_record_beside_a_query_marks_a_wait_once() {
    holds(2, || {
        let bench = Deferring::new();
        let (stream, end) = waiting(&bench);
        let stream = Arc::new(stream);
        let asks = thread::spawn({
            let stream = Arc::clone(&stream);
            move || stream.query().expect("nothing fails")
        });
        assert_eq!(stream.record().expect("a point"), end);
        engine_runs_to(&bench, &end);
        sleep_until(&end);
        asks.join().expect("a query is answered");
        bench.close();
    });
}

#[test]
fn a_query_beside_work_has_a_wait_marked_or_told_of() {
    holds(2, || {
        let bench = Deferring::new();
        let (stream, _end) = waiting(&bench);
        let (stream, buffer) = (Arc::new(stream), bench.buffer());
        let puts = thread::spawn({
            let stream = Arc::clone(&stream);
            move || delay(&stream, &buffer).expect("a point")
        });
        assert!(!stream.query().expect("nothing fails"), "the engine has come to nothing");
        let end = puts.join().expect("work is put");
        engine_runs_to(&bench, &end);
        sleep_until(&end);
        bench.close();
    });
}
