//! Host waits in slices: told once, as what the user waits for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use syncpoint::trace::{Call, Operation, Outcome, Record};
use syncpoint::{Device, Gate, Kind, Slices, Stream};

use crate::ear::Ear;

/// A device that nobody else has, and a stream of it that a gate holds back.
fn held(name: &str) -> (Device, Stream, Gate) {
    let (device, gate) = (syncpoint_host::open(name), Gate::new());
    let stream = device.stream().unwrap();
    stream.wait(&gate.point()).unwrap();
    (device, stream, gate)
}

/// The end of a slice that is over at once.
fn now() -> Instant {
    Instant::now()
}

/// Longer than anything here takes.
fn late() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// The waits that were told of these objects, and of this device.
fn waits(ear: &Ear, ids: &[u64], device: &str) -> Vec<Operation> {
    let of_device = |call: &Call| matches!(call, Call::Device { device: name } if name == device);
    let is_wait = |operation: &Operation| match operation {
        Operation::Synchronizing { call } | Operation::Synchronized { call, .. } => {
            of_device(call) || ear.about(ids).contains(operation)
        }
        _ => false,
    };
    let operations = ear.records().into_iter().map(|record| record.operation);
    operations.filter(is_wait).collect()
}

/// The begin and the end of one wait.
fn told(call: &Call, outcome: Outcome) -> [Operation; 2] {
    let begin = Operation::Synchronizing { call: call.clone() };
    [begin, Operation::Synchronized { call: call.clone(), outcome }]
}

/// Waits in three slices that run out, and one more once the gate is open.
#[track_caller]
fn wait_in_slices(mut slices: Slices<'_>, gate: &Gate) {
    for _ in 0..3 {
        assert_eq!(slices.synchronize_deadline(now()).unwrap_err().kind(), Kind::TimedOut);
    }
    gate.open().unwrap();
    slices.synchronize_deadline(late()).unwrap();
    slices.synchronize_deadline(now()).unwrap();
}

#[test]
fn a_wait_for_a_point_in_many_slices_is_told_as_one() {
    let (_device, stream, gate) = held("host:slices of a point");
    let (ear, end) = (Ear::listen(), stream.record().unwrap());
    wait_in_slices(Slices::point(&end), &gate);
    let call = Call::Point { timeline: stream.id(), value: end.value() };
    assert_eq!(waits(&ear, &[stream.id()], ""), told(&call, Outcome::Complete));
}

#[test]
fn a_wait_for_an_event_in_many_slices_is_told_as_one_for_the_record_of_its_begin() {
    let (device, stream, gate) = held("host:slices of an event");
    let (ear, event) = (Ear::listen(), device.event());
    event.record(&stream).unwrap();
    let point = event.point().unwrap();
    let mut slices = Slices::event(&event);
    slices.synchronize_deadline(now()).unwrap_err();
    stream.enqueue(|| ()).unwrap();
    event.record(&stream).unwrap();
    wait_in_slices(slices, &gate);
    let call = Call::Event { event: event.id(), point: Some((stream.id(), point.value())) };
    assert_eq!(waits(&ear, &[stream.id(), event.id()], ""), told(&call, Outcome::Complete));
}

#[test]
fn a_wait_for_a_stream_in_many_slices_is_told_as_one_for_its_value_then() {
    let (_device, stream, gate) = held("host:slices of a stream");
    let (ear, value) = (Ear::listen(), stream.record().unwrap().value());
    let mut slices = Slices::stream(&stream);
    slices.synchronize_deadline(now()).unwrap_err();
    stream.enqueue(|| ()).unwrap();
    wait_in_slices(slices, &gate);
    let call = Call::Stream { stream: stream.id(), value };
    assert_eq!(waits(&ear, &[stream.id()], ""), told(&call, Outcome::Complete));
}

#[test]
fn a_wait_for_a_device_in_many_slices_is_told_as_one_and_none_for_its_streams() {
    let name = "host:slices of a device";
    let (device, stream, gate) = held(name);
    let (ear, failing) = (Ear::listen(), device.stream().unwrap());
    failing.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    let mut slices = Slices::device(&device);
    assert_eq!(slices.synchronize_deadline(now()).unwrap_err().kind(), Kind::TimedOut);
    gate.open().unwrap();
    assert_eq!(slices.synchronize_deadline(late()).unwrap_err().kind(), Kind::Failed);
    drop(slices);
    let call = Call::Device { device: name.to_owned() };
    let heard = waits(&ear, &[stream.id(), failing.id()], name);
    assert_eq!(heard, told(&call, Outcome::Failed));
}

#[test]
fn a_wait_in_slices_that_is_given_up_is_told_to_have_run_out() {
    let (ear, gate) = (Ear::listen(), Gate::new());
    let point = gate.point();
    let mut slices = Slices::point(&point);
    (0..3).for_each(|_| drop(slices.synchronize_deadline(now()).unwrap_err()));
    let call = Call::Point { timeline: point.timeline().id(), value: point.value() };
    let [begin, end] = told(&call, Outcome::TimedOut);
    assert_eq!([ear.count(&begin), ear.count(&end)], [1, 0], "it is not over");
    drop(slices);
    assert_eq!([ear.count(&begin), ear.count(&end)], [1, 1]);
    gate.open().unwrap();
}

/// Another wait in slices of the same thread, and a wait of one call: each is told when it begins, and when it ends.
#[test]
fn waits_between_the_slices_of_another_are_told_as_their_own() {
    let (_device, stream, gate) = held("host:slices in turn");
    let (ear, end, other) = (Ear::listen(), stream.record().unwrap(), Gate::new());
    let (point, timeline) = (other.point(), other.point().timeline().id());
    let (mut outer, mut inner) = (Slices::point(&end), Slices::point(&point));
    outer.synchronize_deadline(now()).unwrap_err();
    inner.synchronize_deadline(now()).unwrap_err();
    end.synchronize_timeout(Duration::ZERO).unwrap_err();
    outer.synchronize_deadline(now()).unwrap_err();
    inner.synchronize_deadline(now()).unwrap_err();
    drop(inner);
    wait_in_slices(outer, &gate);
    let outer = Call::Point { timeline: stream.id(), value: end.value() };
    let inner = Call::Point { timeline, value: 1 };
    let [[begin, complete], [again, late]] =
        [Outcome::Complete, Outcome::TimedOut].map(|outcome| told(&outer, outcome));
    let [inner_begin, inner_late] = told(&inner, Outcome::TimedOut);
    let heard = waits(&ear, &[stream.id(), timeline], "");
    assert_eq!(heard, [begin, inner_begin, again, late, inner_late, complete]);
    other.open().unwrap();
}

/// What an observer waits for itself is told to nobody, and changes nothing of the wait that it hears of.
#[test]
fn a_wait_that_an_observer_makes_inside_is_told_to_nobody() {
    let (_device, stream, gate) = held("host:slices inside");
    let (end, inside) = (stream.record().unwrap(), Gate::new());
    let (ear, id, waited) = (Ear::listen(), stream.id(), Arc::new(Mutex::new(0)));
    let (point, count) = (inside.point(), Arc::clone(&waited));
    let _watch = syncpoint::observe(move |record: &Record| {
        let of_this = |call: &Call| matches!(call, Call::Point { timeline, .. } if *timeline == id);
        if matches!(&record.operation, Operation::Synchronizing { call } if of_this(call)) {
            let mut slices = Slices::point(&point);
            (0..2).for_each(|_| drop(slices.synchronize_deadline(now()).unwrap_err()));
            *count.lock().unwrap() += 1;
        }
    });
    wait_in_slices(Slices::point(&end), &gate);
    let call = Call::Point { timeline: id, value: end.value() };
    let ids = [id, inside.point().timeline().id()];
    assert_eq!(waits(&ear, &ids, ""), told(&call, Outcome::Complete));
    assert_eq!(*waited.lock().unwrap(), 1, "it heard one begin");
    inside.open().unwrap();
}
