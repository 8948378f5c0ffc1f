//! Cases of observers: what they hear, and what they cost where there are none.

use std::ops::RangeInclusive;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncpoint::trace::{Access, Call, Operation, Outcome, Record, Work};
use syncpoint::{
    Buffer, EventOptions, Gate, Kind, Reason, Result, Stream, Watch, observe, observer_panics,
};

use crate::bed::TestBed;
use crate::patience::{PATIENCE, heard, promptly, refused, say, settle};
use crate::run::Verdict;
use crate::turn::turn;

/// What an observer heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Record>>>);

impl Heard {
    fn listen(&self) -> Watch {
        let heard = self.clone();
        observe(move |record: &Record| heard.records().push(record.clone()))
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was heard of these objects, in the order of the numbers.
    fn of(&self, ids: &[u64]) -> Vec<Operation> {
        let mut records = self.records().clone();
        records.sort_by_key(|record| record.sequence);
        let ours = |record: &Record| subject(&record.operation).is_some_and(|id| ids.contains(&id));
        records.into_iter().filter(ours).map(|record| record.operation).collect()
    }
}

/// The object that an operation is of.
fn subject(operation: &Operation) -> Option<u64> {
    match operation {
        Operation::StreamCreated { stream, .. }
        | Operation::StreamDeleted { stream }
        | Operation::Enqueued { stream, .. }
        | Operation::BufferAccessed { stream, .. }
        | Operation::PointRecorded { stream, .. }
        | Operation::Waited { stream, .. }
        | Operation::StreamFailed { stream, .. }
        | Operation::StreamRecovered { stream, .. } => Some(*stream),
        Operation::EventCreated { event } | Operation::EventDeleted { event } => Some(*event),
        Operation::GateCreated { gate }
        | Operation::GateOpening { gate, .. }
        | Operation::GateOpened { gate }
        | Operation::GateFailed { gate, .. } => Some(*gate),
        Operation::QueriedComplete { timeline, .. } => Some(*timeline),
        Operation::Synchronizing { call } | Operation::Synchronized { call, .. } => awaited(call),
        _ => None,
    }
}

fn awaited(call: &Call) -> Option<u64> {
    match call {
        Call::Point { timeline, .. } => Some(*timeline),
        Call::Event { event, .. } => Some(*event),
        Call::Stream { stream, .. } => Some(*stream),
        _ => None,
    }
}

/// Catches an operation told twice, never, or although it was refused; and one told in place of another.
pub fn observers_hear_every_operation_once(bed: &TestBed) -> Verdict {
    let _turn = turn();
    work_and_waits_are_heard(bed)?;
    failure_and_recovery_are_heard(bed)?;
    events_and_their_end_are_heard(bed)?;
    an_observer_may_panic_call_and_stop(bed)
}

fn work_and_waits_are_heard(bed: &TestBed) -> Result<()> {
    let (heard, twice) = (Heard::default(), Heard::default());
    let watches = [heard.listen(), twice.listen()];
    let (stream, gate) = (bed.stream()?, Gate::new());
    let (id, other) = (stream.id(), gate.id());
    stream.wait(&gate.point())?;
    // What is held on the device has a mark before it.
    let waited = stream.timeline().enqueued();
    stream.wait(&gate.point())?;
    refused(stream.open(&gate), Kind::Misuse(Reason::WouldDeadlock));
    let buffer = bed.device().buffer(8)?;
    stream.fill(&buffer, 2..6, 1)?;
    let point = stream.record()?;
    refused(point.synchronize_timeout(std::time::Duration::ZERO), Kind::TimedOut);
    assert!(!point.query()?, "a pending point is not told");
    gate.open()?;
    stream.synchronize()?;
    assert!(point.query()?);
    drop(watches);

    // A stream that others launch on too has a value for each record.
    let (value, last) = (point.value(), stream.timeline().enqueued());
    let call = Call::Point { timeline: id, value };
    let whole = Call::Stream { stream: id, value: last };
    let expected = [
        created(bed, &stream, &gate),
        waited_and_filled(&stream, &gate, waited, &buffer),
        vec![
            Operation::PointRecorded { stream: id, value, timed: false, event: None },
            Operation::Synchronizing { call: call.clone() },
            Operation::Synchronized { call, outcome: Outcome::TimedOut },
            Operation::GateOpened { gate: other },
            Operation::Synchronizing { call: whole.clone() },
            Operation::Synchronized { call: whole, outcome: Outcome::Complete },
            Operation::QueriedComplete { timeline: id, value },
        ],
    ]
    .concat();
    bed.work(&stream)?;
    assert_eq!(heard.of(&[id, other]), expected);
    assert_eq!(twice.of(&[id, other]), expected, "each observer hears it all");
    Ok(())
}

fn created(bed: &TestBed, stream: &Stream, gate: &Gate) -> Vec<Operation> {
    let (device, priority) = (bed.device().to_string(), stream.priority());
    vec![
        Operation::StreamCreated { stream: stream.id(), device, priority },
        Operation::GateCreated { gate: gate.id() },
    ]
}

/// A wait for a gate as `waited`, the same once more, and a fill of bytes 2 to 6 of a buffer behind it.
fn waited_and_filled(stream: &Stream, gate: &Gate, waited: u64, buffer: &Buffer) -> Vec<Operation> {
    let (stream, on, value) = (stream.id(), gate.id(), waited + 1);
    let wait =
        |elided| Operation::Waited { stream, value: waited, on, on_value: 1, event: None, elided };
    let (buffer, access) = (buffer.id(), Access::Write);
    vec![
        wait(false),
        wait(true),
        Operation::Enqueued { stream, value, work: Work::Fill },
        Operation::BufferAccessed { stream, value, buffer, offset: 2, bytes: 4, access },
    ]
}

fn failure_and_recovery_are_heard(bed: &TestBed) -> Result<()> {
    let heard = Heard::default();
    let watch = heard.listen();
    let (stream, gate) = (bed.stream()?, Gate::new());
    let (id, promised) = (stream.id(), gate.id());
    stream.wait(&Gate::new().point())?;
    stream
        .open(&gate)
        .or_else(|error| if error.kind() == GATE_DROPPED { Ok(()) } else { Err(error) })?;
    refused(stream.synchronize_timeout(PATIENCE), GATE_DROPPED);
    refused(stream.enqueue(|| ()), GATE_DROPPED);
    stream.recover()?;
    bed.work(&stream)?;
    stream.synchronize_timeout(PATIENCE)?;
    drop((watch, gate));

    let of_stream = heard.of(&[id]);
    let waited = of_stream.iter().find_map(|operation| match operation {
        Operation::Waited { value, .. } => Some(*value),
        _ => None,
    });
    let Some(waited) = waited else { panic!("the wait is heard: {of_stream:?}") };
    let failed = of_stream.iter().filter_map(|operation| match operation {
        Operation::StreamFailed { value, reason, .. } => Some((*value, reason.contains("dropped"))),
        _ => None,
    });
    assert_eq!(
        failed.collect::<Vec<_>>(),
        [(waited, true)],
        "a failure is heard once: {of_stream:?}"
    );
    let recovered = of_stream.iter().filter_map(|operation| match operation {
        Operation::StreamRecovered { value, .. } => Some(*value),
        _ => None,
    });
    let recovered: Vec<_> = recovered.collect();
    assert!(
        matches!(recovered[..], [value] if value > waited),
        "a recovery is heard once: {of_stream:?}"
    );
    let enqueued =
        of_stream.iter().filter(|operation| matches!(operation, Operation::Enqueued { .. }));
    assert_eq!(enqueued.count(), 1, "refused work is not heard: {of_stream:?}");
    assert!(heard.of(&[promised]).len() <= 3, "{:?}", heard.of(&[promised]));
    Ok(())
}

const GATE_DROPPED: Kind = Kind::Misuse(Reason::GateDropped);

fn events_and_their_end_are_heard(bed: &TestBed) -> Result<()> {
    let told = Heard::default();
    let (sender, receiver) = channel();
    let watch = told.listen();
    let (stream, waiting) = (bed.stream()?, bed.stream()?);
    let event = bed.device().event_with(EventOptions::timed())?;
    let (id, named) = (stream.id(), event.id());
    event.synchronize()?;
    bed.work(&stream)?;
    event.record(&stream)?;
    waiting.wait_event(&event)?;
    event.synchronize_timeout(PATIENCE)?;
    let value = event.point()?.value();
    event.notify(move |_| say(&sender, ()))?;
    heard(&receiver, "the callback");
    drop((stream, event));
    settle_notifier(&waiting)?;
    drop(watch);

    let call = |point| Call::Event { event: named, point };
    let recorded = call(Some((id, value)));
    let ends = |call: &Call| {
        let outcome = Outcome::Complete;
        [
            Operation::Synchronizing { call: call.clone() },
            Operation::Synchronized { call: call.clone(), outcome },
        ]
    };
    let mut expected = vec![Operation::EventCreated { event: named }];
    expected.extend(ends(&call(None)));
    expected.extend(ends(&recorded));
    expected.push(Operation::EventDeleted { event: named });
    assert_eq!(told.of(&[named]), expected);
    let of_stream = told.of(&[id]);
    let record = Operation::PointRecorded { stream: id, value, timed: true, event: Some(named) };
    assert!(of_stream.contains(&record), "{of_stream:?}");
    assert_eq!(of_stream.last(), Some(&Operation::StreamDeleted { stream: id }));
    let through_event = |operation: &Operation| matches!(operation, Operation::Waited { event, .. } if *event == Some(named));
    assert_eq!(told.of(&[waiting.id()]).iter().filter(|one| through_event(one)).count(), 1);
    Ok(())
}

/// What was posted to the notifier before this returns has been told.
fn settle_notifier(stream: &Stream) -> Result<()> {
    let (sender, receiver) = channel();
    stream.record()?.notify(move |_| say(&sender, ()))?;
    heard(&receiver, "the notifier");
    Ok(())
}

/// Catches a panic that reaches the caller, a call of the observer's own that it hears itself, and a call that comes
/// after the end of its watch.
fn an_observer_may_panic_call_and_stop(bed: &TestBed) -> Verdict {
    let (stream, before) = (Arc::new(bed.stream()?), observer_panics());
    let (own, id, heard) = (Arc::clone(&stream), stream.id(), Heard::default());
    let calls = heard.clone();
    let watch = observe(move |record: &Record| {
        if subject(&record.operation) == Some(id) {
            calls.records().push(record.clone());
            // What it does itself is told to nobody, or this would never end: nor is what it does after that.
            drop(own.enqueue(|| ()));
            drop(own.record());
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    });
    let caller = Arc::clone(&stream);
    let puts = bed.puts();
    promptly(move || {
        puts(&caller)?;
        caller.record()?.synchronize_timeout(PATIENCE)
    })?;
    watch.end(PATIENCE)?;
    assert_eq!(observer_panics() - before, 4, "{:?}", heard.of(&[id]));
    bed.work(&stream)?;
    settle(&stream.record()?);
    assert_eq!(heard.records().len(), 4, "no call comes after the end of its watch");
    Ok(())
}

/// Catches an operation that is numbered, built or told while nobody observes. That nothing is allocated is a test of
/// each backend's own.
pub fn no_observer_no_cost(bed: &TestBed) -> Verdict {
    let _turn = turn();
    let (stream, event) = (bed.stream()?, bed.device().event());
    let before = one_record_is_heard(&stream)?;
    for _ in 0..1000 {
        bed.work(&stream)?;
        event.record(&stream)?;
        stream.wait_event(&event)?;
        event.query()?;
    }
    stream.synchronize_timeout(PATIENCE)?;
    let after = one_record_is_heard(&stream)?;
    // Between the last that the one observer heard and the first that the other did: cases beside this one may do much
    // while they are heard.
    let unheard = after.start().saturating_sub(*before.end());
    assert!(unheard < 1000, "unobserved operations were numbered: {before:?}, then {after:?}");
    Ok(())
}

/// Records while observed, and nothing else. Gives the first and last number that the observer heard, of whatever object.
fn one_record_is_heard(stream: &Stream) -> Result<RangeInclusive<u64>> {
    let heard = Heard::default();
    let watch = heard.listen();
    stream.record()?;
    watch.end(PATIENCE)?;
    let ours = heard.of(&[stream.id()]);
    assert!(matches!(ours[..], [Operation::PointRecorded { .. }]), "unobserved and told: {ours:?}");
    let records = heard.records();
    let numbers = || records.iter().map(|record| record.sequence);
    let (first, last) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
    Ok(first..=last)
}
