//! The vocabulary: one record for each operation that an observer hears of.

/// One operation that happened, as an observer hears of it.
///
/// Observers are called outside every lock, so records of different threads may arrive out of order. The truth is in
/// the numbers: `(stream, value)` orders the operations of one stream, and `sequence` is taken while the order lock
/// of the stream is held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Record {
    /// A number that grows over the operations of this process; one of its own for each record.
    pub sequence: u64,
    /// When the record was made: nanoseconds of the host's monotonic clock.
    pub nanos: u64,
    /// The thread that made the call: a number of this library's own, never reused.
    pub thread: u64,
    /// What happened.
    pub operation: Operation,
}

impl Record {
    /// A record of an operation.
    pub fn new(sequence: u64, nanos: u64, thread: u64, operation: Operation) -> Self {
        Self { sequence, nanos, thread, operation }
    }
}

/// What happened. Devices, streams, events, gates and buffers are named by ids that are never reused in a process.
///
/// A gate is named by the id of its timeline, as a stream is: a wait names either in `on`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A stream was made.
    StreamCreated {
        /// The stream.
        stream: u64,
        /// The device that it belongs to, such as `host:0`.
        device: String,
        /// Its priority; lower is served first.
        priority: i32,
    },
    /// A stream was dropped: it takes no more work, and what it holds still runs.
    StreamDeleted {
        /// The stream.
        stream: u64,
    },
    /// An event was made.
    EventCreated {
        /// The event.
        event: u64,
    },
    /// An event was dropped.
    EventDeleted {
        /// The event.
        event: u64,
    },
    /// A gate was made.
    GateCreated {
        /// The gate.
        gate: u64,
    },
    /// A buffer was made.
    BufferCreated {
        /// The buffer.
        buffer: u64,
        /// The device whose memory it is.
        device: String,
        /// Its length in bytes.
        bytes: u64,
    },
    /// A buffer was dropped, and no work that was given to a stream while somebody observed uses it any more: on devices
    /// that comes to light as somebody asks or waits, as more is given, or as the stream is dropped.
    BufferDeleted {
        /// The buffer.
        buffer: u64,
    },
    /// Work was put on a stream.
    Enqueued {
        /// The stream.
        stream: u64,
        /// The value that the work completes.
        value: u64,
        /// What kind of work.
        work: Work,
    },
    /// A stream's work will read or write part of a buffer.
    BufferAccessed {
        /// The stream.
        stream: u64,
        /// The value of the work that accesses it.
        value: u64,
        /// The buffer.
        buffer: u64,
        /// Where the part begins, in bytes.
        offset: u64,
        /// How long the part is, in bytes.
        bytes: u64,
        /// How it is accessed.
        access: Access,
    },
    /// A point was recorded on a stream.
    PointRecorded {
        /// The stream.
        stream: u64,
        /// The value of the point.
        value: u64,
        /// Whether the point knows the device's time.
        timed: bool,
        /// The event that now names the point, if one does.
        event: Option<u64>,
    },
    /// A stream was told to wait for a point.
    Waited {
        /// The stream that waits.
        stream: u64,
        /// The stream's own value of the wait; of an elided wait, its latest value.
        value: u64,
        /// The timeline that it waits for.
        on: u64,
        /// The value that it waits for.
        on_value: u64,
        /// The event through which the point was named, if one was.
        event: Option<u64>,
        /// Whether the wait was left out because the stream was ordered after the point already.
        elided: bool,
    },
    /// A gate will be opened when a stream comes to this value.
    GateOpening {
        /// The gate.
        gate: u64,
        /// The stream that will open it.
        stream: u64,
        /// The stream's value of the opening.
        value: u64,
    },
    /// A gate was opened.
    GateOpened {
        /// The gate.
        gate: u64,
    },
    /// A gate was failed, by a call or by being dropped unopened.
    GateFailed {
        /// The gate.
        gate: u64,
        /// Why.
        reason: String,
    },
    /// The host begins to wait. Told before it waits, and always followed by an [`Operation::Synchronized`].
    Synchronizing {
        /// What is waited for.
        call: Call,
    },
    /// The host has ended a wait.
    Synchronized {
        /// What was waited for.
        call: Call,
        /// How the wait ended.
        outcome: Outcome,
    },
    /// A query found a point complete, which orders what the caller does next after it.
    QueriedComplete {
        /// The timeline of the point.
        timeline: u64,
        /// The value of the point.
        value: u64,
    },
    /// A stream failed.
    StreamFailed {
        /// The stream.
        stream: u64,
        /// The first value that failed.
        value: u64,
        /// The first cause, in words.
        reason: String,
    },
    /// A failed stream began a new era.
    StreamRecovered {
        /// The stream.
        stream: u64,
        /// Its first value that can complete again.
        value: u64,
    },
}

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Work {
    /// A function run by the host in stream order.
    Host,
    /// The user's own submission to the driver.
    Submit,
    /// A fill of a buffer.
    Fill,
    /// A copy between buffers, or between a buffer and the host.
    Copy,
    /// A delay.
    Delay,
}

/// How memory is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// It is read.
    Read,
    /// It is written.
    Write,
}

/// What a host wait is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// A point.
    Point {
        /// The timeline of the point.
        timeline: u64,
        /// The value of the point.
        value: u64,
    },
    /// An event; an event never recorded has no point to name.
    Event {
        /// The event.
        event: u64,
        /// Its latest point at the call, as timeline and value.
        point: Option<(u64, u64)>,
    },
    /// Everything put on a stream so far.
    Stream {
        /// The stream.
        stream: u64,
        /// Its latest value at the call.
        value: u64,
    },
    /// Everything put on the streams of a device so far.
    Device {
        /// The device.
        device: String,
    },
}

/// How a host wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// What was waited for is complete.
    Complete,
    /// What was waited for failed.
    Failed,
    /// The deadline passed first; nothing changed.
    TimedOut,
    /// The wait was refused: it would never have ended.
    Refused,
}
