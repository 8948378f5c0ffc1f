//! An observer that keeps what it hears.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use syncpoint::trace::{Call, Operation, Record};
use syncpoint::{Watch, observe};

/// Hears, from when it is made until it is dropped.
pub(crate) struct Ear {
    heard: Arc<Heard>,
    _watch: Watch,
}

#[derive(Default)]
struct Heard {
    records: Mutex<Vec<Record>>,
    more: Condvar,
}

/// What is told by a thread of ours comes soon or never.
const SOON: Duration = Duration::from_secs(20);

impl Ear {
    pub(crate) fn listen() -> Self {
        let heard = Arc::new(Heard::default());
        let ear = Arc::clone(&heard);
        let watch = observe(move |record: &Record| ear.keep(record));
        Self { heard, _watch: watch }
    }

    /// What was heard so far that names any of these ids, in the order in which it was heard.
    pub(crate) fn about(&self, ids: &[u64]) -> Vec<Operation> {
        let operations = self.records().into_iter().map(|record| record.operation);
        operations.filter(|operation| ids.iter().any(|id| names(operation, *id))).collect()
    }

    /// How often this was heard so far.
    pub(crate) fn count(&self, wanted: &Operation) -> usize {
        self.records().iter().filter(|record| record.operation == *wanted).count()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.heard.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for what a thread of ours is going to tell.
    #[track_caller]
    pub(crate) fn wait_for(&self, wanted: &Operation) {
        let missing = |records: &mut Vec<Record>| !records.iter().any(|it| it.operation == *wanted);
        let records = self.heard.records.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.more.wait_timeout_while(records, SOON, missing);
        let late = waited.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        assert!(!late, "{wanted:?} was never told");
    }
}

impl Heard {
    fn keep(&self, record: &Record) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
        self.more.notify_all();
    }
}

/// Whether an operation names an object.
fn names(operation: &Operation, id: u64) -> bool {
    match operation {
        Operation::StreamCreated { stream, .. }
        | Operation::StreamDeleted { stream }
        | Operation::StreamFailed { stream, .. }
        | Operation::StreamRecovered { stream, .. }
        | Operation::Enqueued { stream, .. } => *stream == id,
        Operation::EventCreated { event } | Operation::EventDeleted { event } => *event == id,
        Operation::GateCreated { gate }
        | Operation::GateOpened { gate }
        | Operation::GateFailed { gate, .. } => *gate == id,
        Operation::GateOpening { gate, stream, .. } => *gate == id || *stream == id,
        Operation::BufferCreated { buffer, .. } | Operation::BufferDeleted { buffer } => {
            *buffer == id
        }
        Operation::BufferAccessed { stream, buffer, .. } => *stream == id || *buffer == id,
        Operation::PointRecorded { stream, event, .. } => *stream == id || *event == Some(id),
        Operation::Waited { stream, on, event, .. } => {
            *stream == id || *on == id || *event == Some(id)
        }
        Operation::QueriedComplete { timeline, .. } => *timeline == id,
        Operation::Synchronizing { call } | Operation::Synchronized { call, .. } => {
            call_names(call, id)
        }
        other => panic!("{other:?} is new; say here whom it names"),
    }
}

fn call_names(call: &Call, id: u64) -> bool {
    match call {
        Call::Point { timeline, .. } => *timeline == id,
        Call::Event { event, .. } => *event == id,
        Call::Stream { stream, .. } => *stream == id,
        _ => false,
    }
}
