//! Models of waits that the device gets with what comes behind them: nobody sleeps for one that nobody marks.

use loom::thread;

use super::double::Bench;
use super::{engine_runs_to, sleep_until, work};
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
fn a_record_beside_a_sleeper_marks_a_wait_once() {
    holds(2, || {
        let bench = Deferring::new();
        let (stream, end) = waiting(&bench);
        let sleeper = thread::spawn({
            let end = end.clone();
            move || sleep_until(&end)
        });
        assert_eq!(stream.record().expect("a point"), end);
        engine_runs_to(&bench, &end);
        sleeper.join().expect("a sleeper wakes");
        bench.close();
    });
}

#[test]
fn work_beside_a_sleeper_tells_of_a_wait_or_comes_behind_its_mark() {
    holds(2, || {
        let bench = Deferring::new();
        let (stream, end) = waiting(&bench);
        let sleeper = thread::spawn(move || sleep_until(&end));
        let last = work(&stream);
        engine_runs_to(&bench, &last);
        sleeper.join().expect("a sleeper wakes");
        sleep_until(&last);
        bench.close();
    });
}
