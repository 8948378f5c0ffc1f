//! What a stream of others does while they capture it into a graph.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::double::Bench;
use super::{assert_complete, work};
use crate::contract::Submission;
use crate::error::{Kind, Reason, Result};
use crate::event::Event;
use crate::event_options::EventOptions;
use crate::gate::Gate;
use crate::point::Point;
use crate::stream::Stream;

const CAPTURING: Kind = Kind::Misuse(Reason::Capturing);

/// A stream of others', which they capture.
fn capturing() -> (Bench<false>, Stream) {
    let bench = Bench::<false>::lending(Some(7));
    let stream = bench.borrowed();
    bench.capture(true);
    (bench, stream)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(outcome: Result<T>) {
    assert_eq!(outcome.unwrap_err().kind(), CAPTURING);
}

#[test]
fn a_record_takes_no_value_and_other_streams_of_others_join_the_capture_by_it() {
    let (bench, stream) = capturing();
    let other = bench.borrowed();
    let point = stream.record().unwrap();
    other.wait(&point).unwrap();
    bench.assert_given(&["0 captured record", "1 joins 0"]);
    assert_eq!((stream.timeline().enqueued(), other.timeline().enqueued()), (0, 0));
}

#[test]
fn whatever_the_host_asks_of_a_captured_point_is_a_mistake() {
    let (_bench, stream) = capturing();
    let point = stream.record().unwrap();
    assert_refused(point.query());
    assert_refused(point.synchronize());
    assert_refused(point.synchronize_timeout(Duration::ZERO));
    assert_refused(point.notify(|_| ()));
    assert_refused(crate::retire((), [point.clone()]).map_err(crate::Error::from));
    assert_refused(crate::wait_all(std::slice::from_ref(&point)));
}

#[test]
fn a_managed_stream_joins_no_capture_and_neither_does_one_of_another_backend() {
    let (bench, stream) = capturing();
    let point = stream.record().unwrap();
    let made = bench.stream();
    assert_refused(made.wait(&point));
    assert!(made.failure().is_none());
    bench.assert_given(&["0 captured record"]);
}

#[test]
fn what_would_run_at_no_known_time_is_refused() {
    let (bench, stream) = capturing();
    let (buffer, gate) = (bench.device().buffer(8).unwrap(), Gate::new());
    assert_refused(stream.enqueue(|| ()));
    assert_refused(stream.fill(&buffer, 0..8, 1));
    assert_refused(stream.delay(Duration::ZERO));
    assert_refused(stream.record_timed());
    assert_refused(stream.open(&gate));
    assert_refused(stream.query());
    assert_refused(stream.synchronize());
    assert_refused(stream.wait(&work(&bench.stream())));
    assert_refused(stream.wait(&gate.point()));
    gate.open().unwrap();
    assert_complete(&gate.point());
}

#[test]
fn a_function_that_submits_adds_to_the_capture_at_once() {
    let (_bench, stream) = capturing();
    let (lent, taken) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(0)));
    let (seen, count) = (Arc::clone(&lent), Arc::clone(&taken));
    stream
        .submit(move |submission: &Submission<'_>| {
            *seen.lock().unwrap() = submission.native::<u64>().copied();
            *count.lock().unwrap() += 1;
        })
        .unwrap();
    assert_eq!((*lent.lock().unwrap(), *taken.lock().unwrap()), (Some(7), 1));
    assert_eq!(stream.timeline().enqueued(), 0);
    let refused = stream.submit(|_| Err::<(), _>("no such kernel")).unwrap_err();
    assert!(refused.message().contains("no such kernel"));
    assert!(stream.failure().is_none(), "no work has failed");
}

#[test]
fn an_event_names_a_captured_record_until_it_is_recorded_outside() {
    let (bench, stream) = capturing();
    let other = bench.borrowed();
    let event = bench.device().event();
    event.record(&stream).unwrap();
    other.wait_event(&event).unwrap();
    bench.assert_given(&["0 captured record", "1 joins 0"]);
    assert_refused(event.query());
    bench.capture(false);
    event.record(&stream).unwrap();
    bench.complete(0, 1);
    assert!(event.query().unwrap());
}

#[test]
fn after_the_capture_the_stream_goes_on_as_before() {
    let (bench, stream) = capturing();
    let captured: Point = stream.record().unwrap();
    bench.capture(false);
    bench.given();
    let point = stream.record().unwrap();
    bench.assert_given(&["0.1 mark"]);
    bench.complete(0, 1);
    assert_complete(&point);
    assert_refused(captured.query());
}

#[test]
fn an_external_event_is_made_by_its_device() {
    let bench = Bench::<false>::new();
    let external = EventOptions::builder().external().build().unwrap();
    let refused = Event::new(external).record(&bench.stream()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::Contradiction));
}

#[test]
fn a_function_of_a_capture_is_called_with_what_it_needs() {
    let (bench, stream) = capturing();
    let (bench, lent) = (Arc::new(bench), Arc::new(Mutex::new(false)));
    let (inside, seen) = (Arc::clone(&bench), Arc::clone(&lent));
    stream.submit(move |_| *seen.lock().unwrap() = inside.is_lent()).unwrap();
    assert!(*lent.lock().unwrap());
}

#[test]
fn a_record_as_the_capture_ends_is_one_outside_of_it() {
    for with_event in [false, true] {
        let (bench, stream) = capturing();
        bench.end_capture_with_record();
        let event = bench.device().event();
        let point = if with_event {
            event.record(&stream).unwrap();
            event.point().unwrap()
        } else {
            stream.record().unwrap()
        };
        bench.assert_given(&["0 captured record", "0.1 mark"]);
        bench.complete(0, 1);
        assert_complete(&point);
    }
}
