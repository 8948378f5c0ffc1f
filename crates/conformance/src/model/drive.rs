//! The driver: does each operation of a program on a backend and on the reference, and compares what the calls answer.

use std::collections::HashMap;
use std::time::Duration;

use syncpoint::{
    Buffer, Device, Error, Event, EventOptions, Gate, Kind, Point, Reason, Result, Stream,
    TimedPoint,
};

use super::answer::words;
use super::bytes::buffers;
use super::log::Log;
use super::program::{EVENTS, GATES, Operation, Program};
use super::reference::{Cause, Item, ItemKind, Outcome, Past, Place, Reference, StreamId, Target};
use super::runner::Trial;

/// What differs, in words.
pub(super) type Difference = String;

/// A program under way.
pub(super) struct Drive {
    pub(super) reference: Reference,
    pub(super) streams: Vec<Lane>,
    /// For each stream the buffer of its device.
    pub(super) buffers: Vec<Buffer>,
    pub(super) events: Vec<NamedEvent>,
    pub(super) gates: Vec<Option<Gate>>,
    pub(super) gate_points: Vec<Point>,
    /// What the program recorded.
    pub(super) points: Vec<(Point, Target)>,
    /// The ends of all items.
    pub(super) ends: Vec<(Point, Target)>,
    pub(super) timed: Vec<(TimedPoint, Place, usize)>,
    pub(super) log: Log,
    /// The first error seen of each cause: all others must be the very same.
    pub(super) causes: HashMap<Cause, Error>,
    /// What the host knows to have happened.
    pub(super) host_past: Past,
    pub(super) trial: Trial,
}

/// A stream, and what is known of it.
pub(super) struct Lane {
    pub(super) stream: Option<Stream>,
    /// The place up to which everything had settled when the program last did; `None` in a new era.
    pub(super) settled: Option<Place>,
    /// How many of its waits were left out so far.
    pub(super) elided: u64,
}

pub(super) struct NamedEvent {
    pub(super) event: Event,
    device: Option<Device>,
    pub(super) latest: Option<Target>,
}

/// `Err` with the words unless the condition holds.
pub(super) fn ensure(holds: bool, words: impl FnOnce() -> String) -> Result<(), Difference> {
    if holds { Ok(()) } else { Err(words()) }
}

impl Drive {
    /// Makes the objects of a program.
    pub(super) fn new(trial: Trial, program: &Program, devices: &[Device]) -> Result<Self> {
        let device = |number: &u8| &devices[usize::from(*number) % devices.len()];
        let lane = |stream| Lane { stream: Some(stream), settled: None, elided: 0 };
        let streams = program.streams.iter().map(|number| device(number).stream().map(lane));
        let event =
            |_| NamedEvent { event: Event::new(EventOptions::new()), device: None, latest: None };
        let gates: Vec<_> = (0..GATES).map(|_| Gate::new()).collect();
        Ok(Self {
            reference: Reference::new(program.streams.len(), GATES.into()),
            streams: streams.collect::<Result<_>>()?,
            buffers: buffers(&program.streams.iter().map(device).collect::<Vec<_>>())?,
            events: (0..EVENTS).map(event).collect(),
            gate_points: gates.iter().map(Gate::point).collect(),
            gates: gates.into_iter().map(Some).collect(),
            points: Vec::new(),
            ends: Vec::new(),
            timed: Vec::new(),
            log: Log::default(),
            causes: HashMap::new(),
            host_past: 0,
            trial,
        })
    }

    /// Does one operation, the one of this number.
    pub(super) fn perform(
        &mut self,
        number: usize,
        operation: Operation,
    ) -> Result<(), Difference> {
        use Operation as O;
        match operation {
            O::Record { stream } => self.on(stream, Self::record),
            O::RecordTimed { stream } => {
                self.on(stream, |drive, id| drive.record_timed(number, id))
            }
            O::Wait { stream, point } => {
                self.on(stream, |drive, id| drive.wait_for_point(number, id, point))
            }
            O::RecordEvent { event, stream } => {
                self.on(stream, |drive, id| drive.record_event(event.into(), id))
            }
            O::WaitEvent { event, stream } => {
                self.on(stream, |drive, id| drive.wait_for_event(number, event.into(), id))
            }
            O::WaitGate { gate, stream } => {
                self.on(stream, |drive, id| drive.wait_for_gate(number, gate.into(), id))
            }
            O::OpenByHost { gate } => self.open(number, gate.into()),
            O::OpenByStream { gate, stream } => {
                self.on(stream, |drive, id| drive.open_by_stream(number, gate.into(), id))
            }
            O::FailGate { gate } => self.fail(gate.into()),
            O::DropGate { gate } => {
                self.drop_gate(gate.into());
                Ok(())
            }
            O::Work { stream, length } => {
                self.on(stream, |drive, id| drive.work(number, id, length))
            }
            O::FailingWork { stream } => {
                self.on(stream, |drive, id| drive.failing_work(number, id))
            }
            O::Delay { stream, micros } => {
                self.on(stream, |drive, id| drive.delay(number, id, micros))
            }
            O::Fill { stream, cell } => self.on(stream, |drive, id| drive.fill(number, id, cell)),
            O::Copy { stream, cell, from } => {
                self.on(stream, |drive, id| drive.copy(number, id, (cell, from)))
            }
            O::Write { stream, cell } => self.on(stream, |drive, id| drive.write(number, id, cell)),
            O::Carry { stream, cell, from } => {
                self.on(stream, |drive, id| drive.carry(number, id, (cell, from)))
            }
            O::Recover { stream } => self.on(stream, Self::recover),
            O::DropStream { stream } => self.on(stream, |drive, id| {
                drive.streams[id].stream = None;
                Ok(())
            }),
            O::Query { point } => self.query(point.into()),
            O::Settle { helping } => self.settle(helping),
        }
    }

    /// On a stream that is not dropped.
    fn on(
        &mut self,
        stream: u8,
        act: impl FnOnce(&mut Self, StreamId) -> Result<(), Difference>,
    ) -> Result<(), Difference> {
        let id = usize::from(stream) % self.streams.len();
        if self.streams[id].stream.is_some() { act(self, id) } else { Ok(()) }
    }

    pub(super) fn stream(&self, id: StreamId) -> &Stream {
        self.streams[id].stream.as_ref().expect("operations come to streams that are not dropped")
    }

    fn record(&mut self, id: StreamId) -> Result<(), Difference> {
        let point =
            self.stream(id).record().map_err(|error| format!("a record was refused: {error}"))?;
        self.points.push((point, Target::Place(self.reference.end(id))));
        Ok(())
    }

    fn record_timed(&mut self, number: usize, id: StreamId) -> Result<(), Difference> {
        let outcome = self.stream(id).record_timed();
        let Some(point) = self.accepted(id, outcome)? else { return Ok(()) };
        self.push(number, id, ItemKind::Stamp);
        let place = self.reference.end(id);
        self.points.push((point.point().clone(), Target::Place(place)));
        self.timed.push((point, place, number));
        Ok(())
    }

    fn record_event(&mut self, event: usize, id: StreamId) -> Result<(), Difference> {
        let device = self.stream(id).device().clone();
        let outcome = self.events[event].event.record(self.stream(id));
        let place = Target::Place(self.reference.end(id));
        let named = &mut self.events[event];
        if *named.device.get_or_insert_with(|| device.clone()) != device {
            let kind = outcome.map_err(|error| error.kind());
            return ensure(kind == Err(Kind::Misuse(Reason::WrongDevice)), || {
                format!("an event was recorded on another device: {kind:?}")
            });
        }
        outcome.map_err(|error| format!("a record was refused: {error}"))?;
        named.latest = Some(place);
        let point =
            named.event.point().map_err(|error| format!("a record left no point: {error}"))?;
        self.points.push((point, place));
        Ok(())
    }

    fn work(&mut self, number: usize, id: StreamId, length: u8) -> Result<(), Difference> {
        let log = self.log.clone();
        let outcome = self.stream(id).enqueue(move || log.work(number, length));
        self.enqueued(number, id, ItemKind::Work, outcome)
    }

    fn delay(&mut self, number: usize, id: StreamId, micros: u8) -> Result<(), Difference> {
        let outcome = self.stream(id).delay(Duration::from_micros(micros.into()));
        self.enqueued(number, id, ItemKind::Delay, outcome)
    }

    /// Work that returns an error, or panics.
    fn failing_work(&mut self, number: usize, id: StreamId) -> Result<(), Difference> {
        let (log, words) = (self.log.clone(), words(Cause::Work(number)));
        let outcome = self.stream(id).enqueue(move || {
            log.work(number, 1);
            if number.is_multiple_of(2) {
                Err(words)
            } else {
                std::panic::resume_unwind(Box::new(words))
            }
        });
        self.enqueued(number, id, ItemKind::FailingWork, outcome)
    }

    pub(super) fn enqueued(
        &mut self,
        number: usize,
        id: StreamId,
        kind: ItemKind,
        outcome: Result<()>,
    ) -> Result<(), Difference> {
        if self.accepted(id, outcome)?.is_some() {
            self.push(number, id, kind);
        }
        Ok(())
    }

    pub(super) fn push(&mut self, number: usize, id: StreamId, kind: ItemKind) {
        self.reference.push(id, Item { kind, number, host_past: self.host_past });
        let timeline = self.stream(id).timeline();
        let point = timeline.point(timeline.enqueued());
        self.ends.push((point, Target::Place(self.reference.end(id))));
    }

    fn recover(&mut self, id: StreamId) -> Result<(), Difference> {
        let recovered =
            self.stream(id).recover().map_err(|error| format!("no recovery: {error}"))?;
        let end = self.reference.outcome_of(id);
        match (recovered, end) {
            (Some(error), Outcome::Failed(cause)) => {
                self.same_cause(cause, &error)?;
                self.reference.recover(id);
                self.streams[id].settled = None;
                Ok(())
            }
            (Some(error), _) => {
                Err(format!("stream {id} recovers from what it has not had: {error}"))
            }
            (None, Outcome::Failed(_)) => ensure(!self.is_stopped(id), || {
                format!("stream {id} has failed and will not recover")
            }),
            (None, _) => Ok(()),
        }
    }

    fn query(&mut self, point: usize) -> Result<(), Difference> {
        let Some(index) = point.checked_rem(self.points.len()) else { return Ok(()) };
        let (point, target) = self.points[index].clone();
        self.compare(&point, target, point.query())
    }
}
