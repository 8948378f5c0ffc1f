//! Failure, cancellation and recovery beside the owner of a stream: every point settles, and stays what it was.

use syncpoint_core::contract::RawStream;
use syncpoint_core::model::holds;
use syncpoint_core::{Error, Gate, Point, State, Wait};

use super::{Host, Journal, raw, sleep_until};

#[test]
fn whatever_a_cancelled_stream_held_has_run_or_failed() {
    holds(2, || {
        let (host, journal) = (Host::new(1), Journal::default());
        let (stream, gate) = (host.stream(), Gate::new());
        let points = [1, 2].map(|digit| {
            stream.enqueue(journal.note(digit)).unwrap();
            stream.record().unwrap()
        });
        stream.open(&gate).unwrap();
        let (opening, opened) = (stream.record().unwrap(), gate.point());
        raw(&opening).cancel(&Error::failed("on purpose"));
        let ran = points.map(|point| comes_to_be_complete(&point));
        let expected = [([false, false], 0), ([true, false], 1), ([true, true], 12)];
        assert!(expected.contains(&(ran, journal.read())), "{ran:?}, {}", journal.read());
        assert_eq!(comes_to_be_complete(&opening), comes_to_be_complete(&opened));
        host.close();
    });
}

#[test]
fn work_that_fails_beside_a_cancellation_fails_its_point() {
    holds(3, || {
        let host = Host::new(1);
        let stream = host.stream();
        stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
        let point = stream.record().unwrap();
        raw(&point).cancel(&Error::failed("cancelled"));
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
fn what_is_complete_after_a_recovery_stays_complete_when_the_stream_is_cancelled() {
    holds(3, || {
        let host = Host::new(1);
        let (stream, _failed) = failed_stream(&host);
        assert!(stream.recover().unwrap().is_some(), "the stream has failed");
        let point = stream.record().unwrap();
        assert!(comes_to_be_complete(&point), "a new era begins with nothing to do");
        raw(&point).cancel(&Error::failed("on purpose"));
        host.close();
        assert!(comes_to_be_complete(&point), "complete did not stay complete");
    });
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
