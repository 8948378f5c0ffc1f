//! The operations that PyTorch's hooks tell of, and those that it leaves out.

use syncpoint::trace::{Access, Operation, Work};
use syncpoint::{Device, Error, EventOptions, Gate, Kind, Reason};

use crate::ear::Ear;

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

#[test]
fn a_stream_is_told_when_it_is_made_and_when_it_is_gone() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    let (stream_id, priority) = (stream.id(), stream.priority());
    drop(stream);
    let deleted = Operation::StreamDeleted { stream: stream_id };
    ear.wait_for(&deleted);
    let created =
        Operation::StreamCreated { stream: stream_id, device: "host:0".to_owned(), priority };
    assert_eq!(ear.about(&[stream_id]), [created, deleted]);
}

#[test]
fn an_event_is_told_when_it_is_made_recorded_waited_for_and_gone() {
    let (device, ear) = (host(), Ear::listen());
    let (first, second) = (device.stream().unwrap(), device.stream().unwrap());
    let gate = Gate::new();
    first.wait(&gate.point()).unwrap();

    let event = device.event_with(EventOptions::timed()).unwrap();
    let id = event.id();
    event.record(&first).unwrap();
    let value = event.point().unwrap().value();
    second.wait_event(&event).unwrap();
    let own = second.timeline().enqueued();
    drop(event);
    let deleted = Operation::EventDeleted { event: id };
    ear.wait_for(&deleted);
    gate.open().unwrap();

    let (stream, on) = (second.id(), first.id());
    let expected = [
        Operation::EventCreated { event: id },
        Operation::PointRecorded { stream: on, value, timed: true, event: Some(id) },
        Operation::Waited {
            stream,
            value: own,
            on,
            on_value: value,
            event: Some(id),
            elided: false,
        },
        deleted,
    ];
    assert_eq!(ear.about(&[id]), expected);
}

#[test]
fn a_point_recorded_without_an_event_is_told_without_one() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    let point = stream.record().unwrap();
    let told = Operation::PointRecorded {
        stream: stream.id(),
        value: point.value(),
        timed: false,
        event: None,
    };
    assert_eq!(ear.count(&told), 1);
}

#[test]
fn a_wait_that_is_left_out_is_told_and_says_so() {
    let (device, ear) = (host(), Ear::listen());
    let (first, second) = (device.stream().unwrap(), device.stream().unwrap());
    first.enqueue(|| ()).unwrap();
    let point = first.record().unwrap();
    point.synchronize().unwrap();
    second.wait(&point).unwrap();
    let told = Operation::Waited {
        stream: second.id(),
        value: second.timeline().enqueued(),
        on: first.id(),
        on_value: point.value(),
        event: None,
        elided: true,
    };
    assert_eq!(ear.count(&told), 1);
}

#[test]
fn a_wait_for_an_event_never_recorded_is_no_operation() {
    let (device, ear) = (host(), Ear::listen());
    let (stream, event) = (device.stream().unwrap(), device.event());
    stream.wait_event(&event).unwrap();
    assert_eq!(ear.about(&[event.id()]), [Operation::EventCreated { event: event.id() }]);
}

#[test]
fn memory_is_told_when_it_is_made_used_and_gone() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    let (a, b) = (device.buffer(64).unwrap(), device.buffer(32).unwrap());
    let ids = [a.id(), b.id()];
    stream.fill(&a, 8..24, 7).unwrap();
    stream.copy(&a, 0..16, &b, 16..32).unwrap();
    stream.synchronize().unwrap();
    drop((a, b));
    let deleted = ids.map(|buffer| Operation::BufferDeleted { buffer });
    for deleted in &deleted {
        ear.wait_for(deleted);
    }

    let created =
        |buffer, bytes| Operation::BufferCreated { buffer, device: "host:0".to_owned(), bytes };
    let accessed = |value, buffer, offset, access| Operation::BufferAccessed {
        stream: stream.id(),
        value,
        buffer,
        offset,
        bytes: 16,
        access,
    };
    let [a, b] = ids;
    let [a_deleted, b_deleted] = deleted;
    let expected = [
        created(a, 64),
        created(b, 32),
        accessed(1, a, 8, Access::Write),
        accessed(2, a, 0, Access::Read),
        accessed(2, b, 16, Access::Write),
        a_deleted,
        b_deleted,
    ];
    assert_eq!(ear.about(&ids), expected);
}

#[test]
fn work_of_every_kind_is_told_with_its_kind() {
    let (device, ear) = (host(), Ear::listen());
    let (stream, buffer) = (device.stream().unwrap(), device.buffer(8).unwrap());
    stream.enqueue(|| ()).unwrap();
    stream.submit(|_| ()).unwrap();
    stream.fill(&buffer, 0..8, 1).unwrap();
    stream.copy(&buffer, 0..4, &buffer, 4..8).unwrap();
    stream.delay(std::time::Duration::ZERO).unwrap();
    let kinds = [Work::Host, Work::Submit, Work::Fill, Work::Copy, Work::Delay];
    let expected: Vec<Operation> = (1..)
        .zip(kinds)
        .map(|(value, work)| Operation::Enqueued { stream: stream.id(), value, work })
        .collect();
    let is_work = |operation: &Operation| matches!(operation, Operation::Enqueued { .. });
    let told: Vec<Operation> = ear.about(&[stream.id()]).into_iter().filter(is_work).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_gate_is_told_when_it_is_made_promised_opened_and_failed() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    let (by_host, by_stream, failed) = (Gate::new(), Gate::new(), Gate::new());
    let ids = [by_host.id(), by_stream.id(), failed.id()];
    by_host.open().unwrap();
    stream.open(&by_stream).unwrap();
    let opened = Operation::GateOpened { gate: ids[1] };
    ear.wait_for(&opened);
    failed.fail(Error::failed("on purpose")).unwrap();

    let created = |gate| Operation::GateCreated { gate };
    assert_eq!(ear.about(&ids[..1]), [created(ids[0]), Operation::GateOpened { gate: ids[0] }]);
    let opening = Operation::GateOpening { gate: ids[1], stream: stream.id(), value: 1 };
    let promised = ear.about(&ids[1..2]);
    assert_eq!(promised.len(), 3);
    assert!([created(ids[1]), opening, opened].iter().all(|told| promised.contains(told)));
    let reason = "on purpose".to_owned();
    assert_eq!(
        ear.about(&ids[2..]),
        [created(ids[2]), Operation::GateFailed { gate: ids[2], reason }]
    );
}

#[test]
fn a_query_is_told_once_it_finds_the_point_complete() {
    let (device, ear) = (host(), Ear::listen());
    let (stream, gate) = (device.stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    let point = stream.record().unwrap();
    let told = Operation::QueriedComplete { timeline: stream.id(), value: point.value() };
    assert!(!point.query().unwrap());
    assert_eq!(ear.count(&told), 0);
    gate.open().unwrap();
    point.synchronize().unwrap();
    assert!(point.query().unwrap());
    assert_eq!(ear.count(&told), 1);
}

#[test]
fn a_failure_is_told_once_with_its_first_value_and_its_cause() {
    let (device, ear) = (host(), Ear::listen());
    let (stream, dependant) = (device.stream().unwrap(), device.stream().unwrap());
    stream.enqueue(|| ()).unwrap();
    stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    dependant.wait(&stream.timeline().point(2)).unwrap();
    let error = dependant.synchronize().unwrap_err();
    let told = |stream, value| Operation::StreamFailed {
        stream,
        value,
        reason: error.message().to_owned(),
    };
    for told in [told(stream.id(), 2), told(dependant.id(), 1)] {
        ear.wait_for(&told);
        assert_eq!(ear.count(&told), 1);
    }
}

#[test]
fn a_recovery_is_told_with_the_first_value_that_can_complete() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    stream.synchronize().unwrap_err();
    stream.recover().unwrap().unwrap();
    let value = stream.timeline().enqueued() + 1;
    assert_eq!(ear.count(&Operation::StreamRecovered { stream: stream.id(), value }), 1);
}

#[test]
fn a_call_that_is_refused_is_not_told() {
    let (device, other, ear) = (host(), syncpoint_host::open("host:other"), Ear::listen());
    let (stream, event) = (other.stream().unwrap(), device.event());
    let refused = event.record(&stream).unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WrongDevice));
    assert_eq!(ear.about(&[event.id()]).len(), 1, "its creation and nothing else");

    let used = Gate::new();
    used.open().unwrap();
    used.open().unwrap_err();
    stream.open(&used).unwrap_err();
    assert_eq!(ear.about(&[used.id()]).len(), 2, "its creation and one opening");
}

#[test]
fn one_sequence_orders_what_two_threads_enqueue() {
    let (device, ear) = (host(), Ear::listen());
    let stream = device.stream().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..200).for_each(|_| stream.enqueue(|| ()).unwrap()));
        }
    });
    let mut told: Vec<(u64, u64)> = ear
        .records()
        .into_iter()
        .filter_map(|record| match record.operation {
            Operation::Enqueued { stream: id, value, .. } if id == stream.id() => {
                Some((record.sequence, value))
            }
            _ => None,
        })
        .collect();
    told.sort_unstable();
    let values: Vec<u64> = told.into_iter().map(|(_sequence, value)| value).collect();
    assert_eq!(values, (1..=400).collect::<Vec<u64>>());
}
