//! Waits of streams: which are refused, and which cost nothing.

use syncpoint::Result;

use super::drive::{Difference, Drive, ensure};
use super::reference::{GateId, Item, ItemKind, Outcome, StreamId, Target};

impl Drive {
    pub(super) fn wait_for_point(
        &mut self,
        number: usize,
        id: StreamId,
        point: u8,
    ) -> Result<(), Difference> {
        let Some(index) = usize::from(point).checked_rem(self.points.len()) else { return Ok(()) };
        let (point, target) = self.points[index].clone();
        let outcome = self.stream(id).wait(&point);
        self.waited(number, id, target, outcome)
    }

    pub(super) fn wait_for_event(
        &mut self,
        number: usize,
        event: usize,
        id: StreamId,
    ) -> Result<(), Difference> {
        let outcome = self.stream(id).wait_event(&self.events[event].event);
        match self.events[event].latest {
            Some(target) => self.waited(number, id, target, outcome),
            None => outcome.map_err(|error| format!("a wait for nothing was refused: {error}")),
        }
    }

    pub(super) fn wait_for_gate(
        &mut self,
        number: usize,
        gate: GateId,
        id: StreamId,
    ) -> Result<(), Difference> {
        let outcome = self.stream(id).wait(&self.gate_points[gate]);
        self.waited(number, id, Target::Gate(gate), outcome)
    }

    /// A wait was answered so.
    fn waited(
        &mut self,
        number: usize,
        id: StreamId,
        target: Target,
        outcome: Result<()>,
    ) -> Result<(), Difference> {
        if self.was_elided(id, target)? {
            return outcome
                .map_err(|error| format!("a wait that costs nothing was refused: {error}"));
        }
        if self.accepted(id, outcome)?.is_some() {
            self.push(number, id, ItemKind::Wait(target));
        }
        Ok(())
    }

    /// Whether the latest wait was left out, which must be so, may be so, or must not.
    fn was_elided(&mut self, id: StreamId, target: Target) -> Result<bool, Difference> {
        let elided = self.stream(id).statistics().elided;
        let times = elided - std::mem::replace(&mut self.streams[id].elided, elided);
        let (least, most) = self.elision(id, target);
        ensure(u64::from(least) <= times && times <= u64::from(most), || {
            format!("a wait was left out {times} times; must it be: {least}, may it be: {most}")
        })?;
        Ok(times == 1)
    }

    /// Whether the wait is left out: for certain, and at most.
    fn elision(&self, id: StreamId, target: Target) -> (bool, bool) {
        if matches!(target, Target::Place(place) if place.stream == id) {
            return (true, true);
        }
        let complete = self.reference.outcome(target) == Outcome::Complete;
        let known = complete && self.is_settled(target);
        let blocked = self.reference.outcome(target) == Outcome::Blocked;
        let (surely, perhaps) = self.covered(id, target);
        (known || (surely && blocked), complete || perhaps)
    }

    /// Whether an earlier wait of the stream covers the target: for certain, and at most.
    fn covered(&self, id: StreamId, target: Target) -> (bool, bool) {
        let end = self.reference.end(id);
        let items = self.reference.items(end);
        let covers =
            |item: &Item| matches!(item.kind, ItemKind::Wait(other) if is_beyond(other, target));
        let perhaps = items.iter().any(covers);
        let stop = match self.reference.outcome_of(id) {
            Outcome::Blocked => self.reference.stops_at(end).unwrap_or(end.count),
            _ => end.count,
        };
        let waits = items[stop..].iter().filter(|item| matches!(item.kind, ItemKind::Wait(_)));
        (waits.rev().take(LOOKED_THROUGH).any(covers), perhaps)
    }
}

/// How many of its latest outstanding waits a stream looks through at least.
const LOOKED_THROUGH: usize = 8;

/// Whether a wait for the first is a wait for the second too.
fn is_beyond(first: Target, second: Target) -> bool {
    match (first, second) {
        (Target::Gate(first), Target::Gate(second)) => first == second,
        (Target::Place(first), Target::Place(second)) => {
            first.stream == second.stream && (first.era, first.count) >= (second.era, second.count)
        }
        _ => false,
    }
}
