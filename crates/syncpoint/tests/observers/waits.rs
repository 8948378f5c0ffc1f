//! Host waits: told when they begin and how they end.

use std::time::Duration;

use syncpoint::trace::{Call, Operation, Outcome};
use syncpoint::{Device, Gate, Kind, Reason};

use crate::ear::Ear;

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

/// Asserts that one wait was told, its begin before its end.
#[track_caller]
fn assert_told(ear: &Ear, call: Call, outcome: Outcome) {
    let of_this = |operation: &Operation| match operation {
        Operation::Synchronizing { call: told } | Operation::Synchronized { call: told, .. } => {
            *told == call
        }
        _ => false,
    };
    let operations = ear.records().into_iter().map(|record| record.operation);
    let told: Vec<Operation> = operations.filter(of_this).collect();
    let begin = Operation::Synchronizing { call: call.clone() };
    assert_eq!(told, [begin, Operation::Synchronized { call, outcome }]);
}

#[test]
fn a_wait_for_a_point_is_told_at_its_begin_and_its_end() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    stream.record().unwrap().synchronize().unwrap();
    assert_told(&ear, Call::Point { timeline: stream.id(), value: 1 }, Outcome::Complete);
}

#[test]
fn a_wait_for_an_event_names_the_point_of_that_moment() {
    let (device, ear) = (host(), Ear::listen());
    let (stream, event) = (device.stream().unwrap(), device.event());
    event.synchronize().unwrap();
    assert_told(&ear, Call::Event { event: event.id(), point: None }, Outcome::Complete);
    stream.enqueue(|| ()).unwrap();
    event.record(&stream).unwrap();
    event.synchronize().unwrap();
    let point = Some((stream.id(), 1));
    assert_told(&ear, Call::Event { event: event.id(), point }, Outcome::Complete);
}

#[test]
fn a_wait_for_a_stream_names_its_latest_value() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    (0..3).for_each(|_| stream.enqueue(|| ()).unwrap());
    stream.synchronize().unwrap();
    assert_told(&ear, Call::Stream { stream: stream.id(), value: 3 }, Outcome::Complete);
}

#[test]
fn a_wait_for_a_device_names_the_device() {
    let (device, ear) = (syncpoint_host::open("host:waited for"), Ear::listen());
    device.stream().unwrap().enqueue(|| ()).unwrap();
    device.synchronize().unwrap();
    assert_told(&ear, Call::Device { device: "host:waited for".to_owned() }, Outcome::Complete);
}

#[test]
fn a_wait_that_fails_runs_out_or_is_refused_is_told_so() {
    let (device, ear) = (host(), Ear::listen());
    let failing = device.stream().unwrap();
    failing.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    failing.synchronize().unwrap_err();
    assert_told(&ear, Call::Stream { stream: failing.id(), value: 1 }, Outcome::Failed);

    let (closed, late) = (Gate::new(), Duration::from_millis(1));
    let error = closed.point().synchronize_timeout(late).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    assert_told(&ear, Call::Point { timeline: closed.id(), value: 1 }, Outcome::TimedOut);

    let (own, gate) = (device.stream().unwrap(), Gate::new());
    own.wait(&gate.point()).unwrap();
    let timeline = own.timeline().clone();
    own.enqueue(move || {
        let refused = timeline.point(2).synchronize().unwrap_err();
        assert_eq!(refused.kind(), Kind::Misuse(Reason::WouldDeadlock));
    })
    .unwrap();
    gate.open().unwrap();
    own.synchronize().unwrap();
    assert_told(&ear, Call::Point { timeline: own.id(), value: 2 }, Outcome::Refused);
}

#[test]
fn asking_a_stream_how_far_it_is_records_nothing() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    stream.query().unwrap();
    stream.synchronize().unwrap();
    let is_record = |operation: &Operation| matches!(operation, Operation::PointRecorded { .. });
    assert!(!ear.about(&[stream.id()]).iter().any(is_record));
}

#[test]
fn a_wait_for_a_device_is_one_wait() {
    let (device, ear) = (syncpoint_host::open("host:one wait"), Ear::listen());
    let stream = device.stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    device.synchronize().unwrap();
    let is_wait = |operation: &Operation| matches!(operation, Operation::Synchronizing { .. });
    assert!(!ear.about(&[stream.id()]).iter().any(is_wait));
}
