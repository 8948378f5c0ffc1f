//! The lines of every operation, held as they are: old traces must stay readable.

use syncpoint_trace::Operation as O;
use syncpoint_trace::{Access, Call, HEADER, Outcome, Reader, Record, Work, write_line};

const GOLDEN: &str = include_str!("golden/operations.txt");

#[test]
fn every_operation_is_written_as_its_golden_line() {
    let mut text = format!("{HEADER}\n");
    for record in records() {
        write_line(&record, &mut text);
    }
    for (written, golden) in text.lines().zip(GOLDEN.lines()) {
        assert_eq!(written, golden, "the format has changed: old readers would misunderstand");
    }
    assert_eq!(text, GOLDEN);
}

#[test]
fn every_golden_line_is_read_as_its_operation() {
    let read = Reader::new(GOLDEN).collect::<Result<Vec<_>, _>>().expect("the trace is sound");
    for (read, expected) in read.iter().zip(&records()) {
        assert_eq!(read, expected);
    }
    assert_eq!(read.len(), records().len());
}

/// Wherever a writer was stopped, what is read of its trace is true, and the loss is told.
#[test]
fn a_trace_cut_anywhere_gives_whole_records_and_at_most_one_error() {
    let whole = records();
    for cut in 0..GOLDEN.len() {
        let items: Vec<_> = Reader::new(&GOLDEN[..cut]).collect();
        let read: Vec<_> = items.iter().filter_map(|item| item.clone().ok()).collect();
        assert_eq!(read, whole[..read.len()], "cut at {cut}");
        let at_end_of_line = GOLDEN[..cut].ends_with('\n');
        assert_eq!(items.len() - read.len(), usize::from(!at_end_of_line), "cut at {cut}");
    }
}

fn records() -> Vec<Record> {
    let parts = [life(), work(), order(), waits(), failures()];
    let numbered = (1..).zip(parts.into_iter().flatten());
    let record =
        |(sequence, (thread, operation))| Record::new(sequence, 999 + sequence, thread, operation);
    let last = O::StreamRecovered { stream: 6, value: u64::MAX };
    numbered.map(record).chain([Record::new(32, u64::MAX, u64::MAX, last)]).collect()
}

fn life() -> Vec<(u64, O)> {
    let device = || "host:0".to_owned();
    [
        O::StreamCreated { stream: 1, device: device(), priority: -1 },
        O::StreamDeleted { stream: 1 },
        O::EventCreated { event: 2 },
        O::EventDeleted { event: 2 },
        O::GateCreated { gate: 3 },
        O::BufferCreated { buffer: 4, device: "sim:0".to_owned(), bytes: 4096 },
        O::BufferDeleted { buffer: 4 },
    ]
    .map(|operation| (1, operation))
    .into()
}

fn work() -> Vec<(u64, O)> {
    let enqueued = |value, work| O::Enqueued { stream: 1, value, work };
    let accessed = |buffer, offset, access| O::BufferAccessed {
        stream: 1,
        value: 4,
        buffer,
        offset,
        bytes: 1024,
        access,
    };
    [
        enqueued(1, Work::Host),
        enqueued(2, Work::Submit),
        enqueued(3, Work::Fill),
        enqueued(4, Work::Copy),
        enqueued(5, Work::Delay),
        accessed(4, 0, Access::Read),
        accessed(5, 512, Access::Write),
    ]
    .map(|operation| (2, operation))
    .into()
}

fn order() -> Vec<(u64, O)> {
    let recorded = |timed, event| O::PointRecorded { stream: 1, value: 5, timed, event };
    let waited = |on, on_value, event, elided| O::Waited {
        stream: 6,
        value: 1,
        on,
        on_value,
        event,
        elided,
    };
    vec![
        (2, recorded(true, Some(2))),
        (2, recorded(false, None)),
        (3, waited(1, 5, Some(2), false)),
        (3, waited(3, 1, None, true)),
        (3, O::GateOpening { gate: 3, stream: 6, value: 2 }),
        (3, O::GateOpened { gate: 3 }),
        (3, O::GateFailed { gate: 7, reason: "gate dropped unopened".to_owned() }),
    ]
}

fn waits() -> Vec<(u64, O)> {
    let point = Call::Point { timeline: 1, value: 5 };
    let event = |point| Call::Event { event: 2, point };
    let stream = Call::Stream { stream: 6, value: 2 };
    let device = Call::Device { device: "host:0".to_owned() };
    [
        O::Synchronizing { call: point.clone() },
        O::Synchronized { call: point, outcome: Outcome::Complete },
        O::Synchronizing { call: event(Some((1, 5))) },
        O::Synchronized { call: event(None), outcome: Outcome::Failed },
        O::Synchronizing { call: stream.clone() },
        O::Synchronized { call: stream, outcome: Outcome::TimedOut },
        O::Synchronizing { call: device.clone() },
        O::Synchronized { call: device, outcome: Outcome::Refused },
        O::QueriedComplete { timeline: 1, value: 5 },
    ]
    .map(|operation| (4, operation))
    .into()
}

fn failures() -> Vec<(u64, O)> {
    let reason = "100% of\nthe work=0".to_owned();
    vec![(0, O::StreamFailed { stream: 6, value: 3, reason })]
}
