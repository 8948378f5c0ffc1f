//! The words of wait reports, which people act on. Ids and lines are replaced by letters in the order of their coming.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use syncpoint::{Device, End, Gate, Kind, Point, Stream, StreamOptions};
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::patience::{PATIENCE, refused, settle, until};

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

/// A report has the host threads that wait in this process: tests that share one take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn named(name: &str) -> Stream {
    host().stream_with(StreamOptions::new().named(name)).unwrap()
}

/// The report of a wait that runs out: its end, and its words with names in place of numbers.
#[track_caller]
fn report(point: &Point) -> (End, String) {
    let error = refused(point.synchronize_timeout(Duration::from_millis(2)), Kind::TimedOut);
    let report = error.report().unwrap();
    let (head, rest) = error.message().split_once("; ").unwrap();
    assert_eq!(rest, format!("nothing changed: {report}"), "the message has the report");
    assert!(head.starts_with("the wait ran out after ") && head.ends_with("ms"), "{head}");
    (report.end().clone(), normal(&report.to_string()))
}

/// Puts `S1`, `S2` for the numbers of streams, `G1` for those of gates, and `here` for places in this file.
fn normal(words: &str) -> String {
    let mut names = HashMap::new();
    let mut result = String::new();
    let mut previous = "";
    for word in words.split_inclusive([' ', '\n']) {
        let bare = word.trim_end_matches([' ', '\n', ')', '(', ';', ',']);
        let rest = &word[bare.len()..];
        let kind = match previous {
            "stream" | "streams" => Some('S'),
            "gate" => Some('G'),
            _ => None,
        };
        match kind.filter(|_| bare.parse::<u64>().is_ok()) {
            Some(kind) => {
                let count = names.keys().filter(|(known, _)| *known == kind).count();
                let number = *names.entry((kind, bare.to_owned())).or_insert(count + 1);
                write!(result, "{kind}{number}{rest}").unwrap();
            }
            None => result += &word.replace(place_in(word), "here"),
        }
        previous = bare;
    }
    result
}

/// The part of a word that is a place in this file.
fn place_in(word: &str) -> &str {
    let Some(begin) = word.find(file!()) else { return "\u{0}" };
    let place = &word[begin..];
    let is_part = |letter: char| letter.is_ascii_digit() || letter == ':';
    let end = place[file!().len()..].find(|letter| !is_part(letter));
    &place[..file!().len() + end.unwrap_or(place.len() - file!().len())]
}

#[test]
fn a_stream_that_works_is_said_to_work() {
    let _turn = turn();
    let stream = named("train");
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
    let busy = Busy::on(&stream).unwrap();
    stream.enqueue(|| ()).unwrap();
    let point = stream.record().unwrap();
    let (end, words) = report(&point);
    assert_eq!(end, End::Working);
    assert_eq!(
        words,
        "point 3 of stream S1 \"train\" (recorded at here) is not complete\n  \
         stream S1 \"train\" has completed 1 of 3 and waits for nothing: its work still runs or is about to"
    );
    busy.let_go();
    settle(&point);
}

#[test]
fn a_gate_that_nobody_is_going_to_open_is_named_with_the_place_where_it_was_made() {
    let _turn = turn();
    let (stream, gate) = (host().stream().unwrap(), Gate::named("the batch is there"));
    stream.wait(&gate.point()).unwrap();
    let point = stream.record().unwrap();
    let (end, words) = report(&point);
    assert_eq!(end, End::Unopened(gate.point().place()));
    assert_eq!(
        words,
        "point 1 of stream S1 (recorded at here) is not complete\n  \
         stream S1 has completed 0 of 1 and waits for gate G1 \"the batch is there\" (asked at here)\n  \
         the gate was made at here; no stream is going to open it, only the host can"
    );
    gate.open().unwrap();
    settle(&point);
}

#[test]
fn a_gate_alone_is_said_to_be_unopened() {
    let _turn = turn();
    let gate = Gate::new();
    let (end, words) = report(&gate.point());
    assert_eq!(end, End::Unopened(gate.point().place()));
    assert_eq!(
        words,
        "gate G1 (made at here) is not complete\n  \
         the gate was made at here; no stream is going to open it, only the host can"
    );
    gate.open().unwrap();
}

#[test]
fn a_chain_of_three_is_told_link_by_link() {
    let _turn = turn();
    let (load, compute, store) = (named("load"), named("compute"), named("store"));
    let (batch, stored) = (Gate::named("batch"), Gate::named("stored"));
    load.wait(&batch.point()).unwrap();
    load.enqueue(|| ()).unwrap();
    compute.enqueue(|| ()).unwrap();
    settle(&compute.record().unwrap());
    compute.wait_stream(&load).unwrap();
    compute.open(&stored).unwrap();
    store.wait(&stored.point()).unwrap();
    store.enqueue(|| ()).unwrap();
    let point = store.record().unwrap();
    let (end, words) = report(&point);
    assert_eq!(end, End::Unopened(batch.point().place()));
    assert_eq!(
        words,
        "point 2 of stream S1 \"store\" (recorded at here) is not complete\n  \
         stream S1 \"store\" has completed 0 of 2 and waits for gate G1 \"stored\" (asked at here)\n  \
         stream S2 \"compute\" has completed 1 of 3 and waits for point 2 of stream S3 \"load\" (asked at here)\n  \
         stream S3 \"load\" has completed 0 of 2 and waits for gate G2 \"batch\" (asked at here)\n  \
         the gate was made at here; no stream is going to open it, only the host can"
    );
    batch.open().unwrap();
    settle(&point);
}

#[test]
fn a_host_thread_that_waits_is_named_with_what_it_waits_for_and_where() {
    let _turn = turn();
    let (stream, gate) = (named("main"), Gate::named("go"));
    stream.wait(&gate.point()).unwrap();
    let (point, inside) = (stream.record().unwrap(), gate.point());
    let sleeper = thread::Builder::new().name("sleeper".to_owned());
    let sleeper = sleeper.spawn(move || inside.synchronize_timeout(PATIENCE)).unwrap();
    // It sleeps some time after it has begun.
    until("the thread on the list of those who wait", || {
        let error = refused(point.synchronize_timeout(Duration::ZERO), Kind::TimedOut);
        !error.report().unwrap().host_waits().is_empty()
    });
    let (_, words) = report(&point);
    assert_eq!(
        words,
        "point 1 of stream S1 \"main\" (recorded at here) is not complete\n  \
         stream S1 \"main\" has completed 0 of 1 and waits for gate G1 \"go\" (asked at here)\n  \
         the gate was made at here; no stream is going to open it, only the host can\n  \
         thread \"sleeper\" waits for gate G1 \"go\" at here"
    );
    gate.open().unwrap();
    sleeper.join().unwrap().unwrap();
    settle(&point);
}

#[test]
fn a_cycle_is_told_as_one() {
    let _turn = turn();
    // Two streams that wait for values of each other that nobody has enqueued: the only cycle that calls let pass.
    let (first, second) = (named("first"), named("second"));
    first.wait(&second.timeline().point(2)).unwrap();
    second.wait(&first.timeline().point(2)).unwrap();
    let (end, words) = report(&first.record().unwrap());
    assert_eq!(end, End::Cycle);
    assert_eq!(
        words,
        "point 1 of stream S1 \"first\" (recorded at here) is not complete\n  \
         stream S1 \"first\" has completed 0 of 1 and waits for point 2 of stream S2 \"second\" (asked at here)\n  \
         stream S2 \"second\" has completed 0 of 2 and waits for point 2 of stream S1 \"first\" (asked at here)\n  \
         which is where the chain began: a cycle, nobody can go on"
    );
}

#[test]
fn a_stream_that_waits_and_is_dropped_is_still_followed() {
    let _turn = turn();
    let (stream, gate) = (named("dropped"), Gate::named("closed"));
    stream.wait(&gate.point()).unwrap();
    let point = stream.record().unwrap();
    drop(stream);
    let (end, words) = report(&point);
    assert_eq!(end, End::Unopened(gate.point().place()));
    assert!(words.contains("stream S1 \"dropped\" has completed 0 of 1"), "{words}");
    gate.open().unwrap();
    settle(&point);
}

#[test]
fn a_value_that_nobody_will_enqueue_any_more_is_said_to_be_gone() {
    let _turn = turn();
    let stream = named("gone");
    let point = stream.timeline().point(5);
    drop(stream);
    let (end, words) = report(&point);
    assert_eq!(end, End::Gone);
    assert_eq!(
        words,
        "point 5 of stream S1 \"gone\" (recorded at here) is not complete\n  whose stream is gone"
    );
}
