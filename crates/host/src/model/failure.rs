//! Failure, cancellation and recovery beside the owner of a stream: every point settles, and stays what it was.

use std::sync::Arc;

use loom::thread;
use syncpoint_core::contract::{RawStream, tell_all};
use syncpoint_core::model::{catches, holds};
use syncpoint_core::{Error, Gate, Point, State, Wait};

use super::{Host, Journal, raw, sleep_until};
use crate::batch::Batch;
use crate::stream::HostStream;

#[test]
fn whatever_a_cancelled_stream_held_has_run_or_failed() {
    holds(3, || {
        a_stream_is_cancelled(|stream| tell_all(stream.cancel(&Error::failed("on purpose"))))
    });
}

#[test]
fn a_cancellation_that_asks_no_owner_what_it_has_begun_is_caught() {
    fn fails_what_is_not_complete(stream: &HostStream) {
        let at = stream.timeline.completed() + 1;
        stream.fail(&mut Batch::default(), at, &Error::failed("on purpose"));
    }
    let check = || a_stream_is_cancelled(fails_what_is_not_complete);
    catches("what ran is complete", || holds(2, check));
}

#[test]
fn work_that_fails_beside_a_cancellation_fails_its_point() {
    holds(3, || {
        let host = Host::new(1);
        let stream = host.stream();
        stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
        let point = stream.record().unwrap();
        tell_all(raw(&point).cancel(&Error::failed("cancelled")));
        assert!(!comes_to_be_complete(&point), "failed work is complete");
        host.close();
    });
}

#[test]
fn a_stream_that_recovers_while_its_owner_still_runs_goes_on() {
    holds(3, || {
        let (host, journal) = (Host::new(1), Journal::default());
        let (stream, failed) = failed_stream(&host);
        assert!(stream.recover().unwrap().is_some(), "the stream has failed");
        stream.enqueue(journal.note(1)).unwrap();
        sleep_until(&stream.record().unwrap());
        journal.must_say(1);
        assert!(!comes_to_be_complete(&failed), "the failure was forgotten");
        host.close();
    });
}

#[test]
fn a_record_of_who_has_seen_a_recovery_is_of_the_new_era() {
    holds(3, || {
        let host = Host::new(1);
        let (stream, _failed) = failed_stream(&host);
        let stream = Arc::new(stream);
        let recovers = thread::spawn({
            let stream = Arc::clone(&stream);
            move || stream.recover().unwrap()
        });
        let has_recovered = stream.failure().is_none();
        let point = stream.record().unwrap();
        let complete = comes_to_be_complete(&point);
        assert!(!has_recovered || complete, "a point of the old era");
        recovers.join().unwrap();
        assert_eq!(complete, comes_to_be_complete(&point), "it did not stay what it was");
        host.close();
    });
}

#[test]
fn what_is_complete_after_a_recovery_stays_complete_when_the_stream_is_cancelled() {
    holds(3, || {
        let host = Host::new(1);
        let (stream, _failed) = failed_stream(&host);
        assert!(stream.recover().unwrap().is_some(), "the stream has failed");
        let point = stream.record().unwrap();
        assert!(comes_to_be_complete(&point), "a new era begins with nothing to do");
        tell_all(raw(&point).cancel(&Error::failed("on purpose")));
        host.close();
        assert!(comes_to_be_complete(&point), "complete did not stay complete");
    });
}

#[test]
fn what_is_complete_beside_a_row_of_waits_that_is_passed_stays_complete_when_the_stream_is_cancelled()
 {
    holds(3, || {
        let (host, gates) = (Host::new(1), [(); 2].map(|()| Gate::new()));
        let stream = host.stream();
        for gate in &gates {
            stream.wait(&gate.point()).unwrap();
        }
        let passed = stream.record().unwrap();
        let cancelled = passed.clone();
        let canceller = thread::spawn(move || {
            tell_all(raw(&cancelled).cancel(&Error::failed("on purpose")));
        });
        // The last first: the owner comes to a row of which all are over.
        for gate in gates.iter().rev() {
            gate.open().unwrap();
        }
        let was_complete = comes_to_be_complete(&passed);
        canceller.join().unwrap();
        assert_eq!(was_complete, comes_to_be_complete(&passed), "complete did not stay complete");
        host.close();
    });
}

/// A stream with two items and an opening is cancelled while a worker runs it.
fn a_stream_is_cancelled(cancel: fn(&HostStream)) {
    let (host, journal) = (Host::new(1), Journal::default());
    let (stream, gate) = (host.stream(), Gate::new());
    let points = [1, 2].map(|digit| {
        stream.enqueue(journal.note(digit)).unwrap();
        stream.record().unwrap()
    });
    stream.open(&gate).unwrap();
    let (opening, opened) = (stream.record().unwrap(), gate.point());
    cancel(&raw(&opening));
    let complete = points.map(|point| comes_to_be_complete(&point));
    let (opening, opened) = (comes_to_be_complete(&opening), comes_to_be_complete(&opened));
    host.close();
    assert_eq!(opening, opened, "what ran is complete: the opening and its gate");
    let expected = [([false, false], 0), ([true, false], 1), ([true, true], 12)];
    let seen = (complete, journal.read());
    assert!(expected.contains(&seen), "what ran is complete: {seen:?}");
}

/// A stream whose only work has failed, while the owner may not be done with it.
fn failed_stream(host: &Host) -> (syncpoint_core::Stream, Point) {
    let stream = host.stream();
    stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    let point = stream.record().unwrap();
    assert!(!comes_to_be_complete(&point), "failed work is complete");
    (stream, point)
}

/// Sleeps until a point has settled.
fn comes_to_be_complete(point: &Point) -> bool {
    let outcome = point.synchronize_with(Wait::Block, None);
    assert!(!matches!(point.state(), State::Pending), "what has settled is pending");
    outcome.is_ok()
}
