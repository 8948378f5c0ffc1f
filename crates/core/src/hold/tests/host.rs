//! Host work and users' submissions in the order of a stream.

use std::sync::{Arc, Mutex};

use super::double::Bench;
use super::{assert_complete, assert_pending, failure_of, held, work};
use crate::error::{Kind, Result};
use crate::stream::Stream;

type Journal = Arc<Mutex<Vec<&'static str>>>;

#[track_caller]
fn note(stream: &Stream, journal: &Journal, line: &'static str) {
    let journal = Arc::clone(journal);
    stream.enqueue(move || journal.lock().unwrap().push(line)).unwrap();
}

#[track_caller]
fn assert_noted(journal: &Journal, lines: &[&str]) {
    assert_eq!(*journal.lock().unwrap(), lines);
}

#[test]
fn host_work_runs_when_everything_before_it_is_complete_and_holds_what_is_behind() {
    let (bench, journal) = (Bench::<true>::new(), Journal::default());
    let stream = bench.stream();
    work(&stream);
    note(&stream, &journal, "ran");
    let behind = work(&stream);
    bench.run();
    bench.assert_given(&["0.1 delay"]);
    assert_noted(&journal, &[]);
    bench.complete(0, 1);
    assert_noted(&journal, &["ran"]);
    bench.assert_given(&["0.3 delay"]);
    bench.complete(0, 3);
    assert_complete(&behind);
}

#[test]
fn host_work_on_an_idle_stream_runs_on_the_crew() {
    let (bench, journal) = (Bench::<true>::new(), Journal::default());
    let stream = bench.stream();
    note(&stream, &journal, "first");
    note(&stream, &journal, "second");
    let end = stream.record().unwrap();
    assert_noted(&journal, &[]);
    bench.run();
    assert_noted(&journal, &["first", "second"]);
    assert_complete(&end);
    bench.assert_given(&[]);
}

#[test]
fn a_point_between_pieces_of_host_work_completes_with_the_first() {
    let (bench, journal) = (Bench::<true>::new(), Journal::default());
    let stream = bench.stream();
    note(&stream, &journal, "first");
    let between = stream.record().unwrap();
    note(&stream, &journal, "second");
    assert!(bench.run_one());
    assert_complete(&between);
    assert_noted(&journal, &["first"]);
}

#[test]
fn a_wait_for_host_work_is_held_until_it_has_run() {
    let (bench, journal) = (Bench::<true>::new(), Journal::default());
    let (a, b) = (bench.stream(), bench.stream());
    note(&a, &journal, "ran");
    b.wait_stream(&a).unwrap();
    work(&b);
    bench.assert_given(&[]);
    bench.run();
    bench.assert_given(&["1.2 delay"]);
}

#[test]
fn work_waits_inside_for_nothing_that_comes_after_it() {
    let bench = Bench::<true>::new();
    let stream = Arc::new(bench.stream());
    let own = Arc::clone(&stream);
    stream.enqueue(move || own.synchronize()).unwrap();
    let end = stream.record().unwrap();
    bench.run();
    assert!(failure_of(&end).contains("comes after it"), "{}", failure_of(&end));
}

#[test]
fn a_submission_runs_at_once_with_the_handle_and_what_comes_meanwhile_is_held_behind_it() {
    let bench = Bench::<true>::lending(Some(7));
    let stream = Arc::new(bench.stream());
    work(&stream);
    let own = Arc::clone(&stream);
    let outcome = stream.submit(move |submission| -> Result<()> {
        let lent = submission.native::<u64>().copied();
        own.delay(std::time::Duration::ZERO)?;
        assert_eq!((lent, own.statistics().held), (Some(7), 1));
        Ok(())
    });
    outcome.unwrap();
    bench.run();
    bench.assert_given(&["0.1 delay", "0.2 mark", "0.3 delay"]);
    assert!(stream.failure().is_none());
}

#[test]
fn a_held_submission_runs_on_the_crew_in_its_order() {
    let (bench, journal) = (Bench::<true>::lending(Some(7)), Journal::default());
    let (stream, gate) = held(&bench);
    work(&stream);
    let line = Arc::clone(&journal);
    stream.submit(move |_| line.lock().unwrap().push("submitted")).unwrap();
    let submitted = stream.record().unwrap();
    work(&stream);
    gate.open().unwrap();
    assert_noted(&journal, &[]);
    bench.run();
    assert_noted(&journal, &["submitted"]);
    bench.assert_given(&["0.2 delay", "0.3 mark", "0.4 delay"]);
    bench.complete(0, 3);
    assert_complete(&submitted);
}

#[test]
fn a_submission_that_fails_or_panics_fails_its_stream() {
    let bench = Bench::<true>::lending(Some(7));
    let (a, b) = (bench.stream(), bench.stream());
    a.submit(|_| Err::<(), _>("no kernel")).unwrap();
    assert!(a.failure().unwrap().message().contains("no kernel"));
    b.submit(|_| -> () { std::panic::panic_any("on purpose") }).unwrap();
    let error = b.delay(std::time::Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), Kind::Failed);
    assert!(error.message().contains("on purpose"));
    bench.assert_given(&[]);
}

#[test]
fn a_submission_without_a_handle_is_host_work() {
    let (bench, journal) = (Bench::<true>::new(), Journal::default());
    let stream = bench.stream();
    let line = Arc::clone(&journal);
    stream
        .submit(move |submission| {
            assert!(submission.native::<u64>().is_none());
            line.lock().unwrap().push("ran");
        })
        .unwrap();
    let end = stream.record().unwrap();
    assert_pending(&end);
    bench.run();
    assert_noted(&journal, &["ran"]);
    assert_complete(&end);
}

#[test]
fn host_work_behind_a_native_wait_sees_complete_what_was_waited_for() {
    let bench = Bench::<true>::new();
    let (a, b) = (bench.stream(), bench.stream());
    let awaited = work(&a);
    b.wait(&awaited).unwrap();
    b.enqueue(move || assert!(awaited.query().unwrap())).unwrap();
    let end = b.record().unwrap();
    bench.complete(1, 1);
    assert_pending(&end);
    bench.complete(0, 1);
    assert_complete(&end);
}
