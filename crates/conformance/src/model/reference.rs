//! The reference: what the laws say of a program, as plain sequential data.
//!
//! A stream is a row of eras, an era a row of items; recovery ends an era. A place is the end of the first so many
//! items of an era. How a place ends follows from its items in order: the first that does not complete decides.

use std::collections::HashMap;

use super::bytes::{By, Write};

/// A stream, by its number.
pub(super) type StreamId = usize;

/// A gate, by its number.
pub(super) type GateId = usize;

/// The end of the first `count` items of an era of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) stream: StreamId,
    pub(super) era: usize,
    pub(super) count: usize,
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Place(Place),
    Gate(GateId),
}

/// One thing that a stream took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) kind: ItemKind,
    /// The operation that enqueued it.
    pub(super) number: usize,
    /// The operations that had happened, as the host knew when it enqueued this.
    pub(super) host_past: Past,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ItemKind {
    Work,
    FailingWork,
    Stamp,
    Delay,
    Write(Write),
    Wait(Target),
    Open(GateId),
}

impl ItemKind {
    /// Whether the host runs it, and it leaves its marks in the log.
    pub(super) fn is_work(self) -> bool {
        match self {
            Self::Work | Self::FailingWork => true,
            Self::Write(write) => write.by == By::Host,
            Self::Stamp | Self::Delay | Self::Wait(_) | Self::Open(_) => false,
        }
    }
}

/// Operations that must have happened before, one bit each.
pub(super) type Past = u128;

/// The bit of an operation.
pub(super) fn bit(number: usize) -> Past {
    1 << number
}

/// Why something failed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cause {
    /// The work of this operation.
    Work(usize),
    /// A gate that the host failed.
    Failed(GateId),
    /// A gate dropped unopened.
    Dropped(GateId),
}

/// How something ends, if nothing more is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Complete,
    Failed(Cause),
    /// A gate that nobody has opened keeps it.
    Blocked,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum GateState {
    Unused,
    /// By the host, with what must have happened before.
    Opened(Past),
    Failed(Cause),
    /// A stream will open it when it has come to this place.
    Promised(Place),
}

/// Everything.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) streams: Vec<Vec<Vec<Item>>>,
    pub(super) gates: Vec<GateState>,
}

impl Reference {
    pub(super) fn new(streams: usize, gates: usize) -> Self {
        Self { streams: vec![vec![Vec::new()]; streams], gates: vec![GateState::Unused; gates] }
    }

    /// The end of what a stream took so far.
    pub(super) fn end(&self, stream: StreamId) -> Place {
        let era = self.streams[stream].len() - 1;
        Place { stream, era, count: self.streams[stream][era].len() }
    }

    /// A stream takes an item.
    pub(super) fn push(&mut self, stream: StreamId, item: Item) {
        let era = self.streams[stream].len() - 1;
        self.streams[stream][era].push(item);
        if let ItemKind::Open(gate) = item.kind {
            self.gates[gate] = GateState::Promised(self.end(stream));
        }
    }

    /// A stream recovered: its failure stays behind.
    pub(super) fn recover(&mut self, stream: StreamId) {
        self.streams[stream].push(Vec::new());
    }

    /// The items before a place in its era.
    pub(super) fn items(&self, place: Place) -> &[Item] {
        &self.streams[place.stream][place.era][..place.count]
    }

    /// Everything that any stream took, in the order of each, with the place before it.
    pub(super) fn everything(&self) -> impl Iterator<Item = (Place, &Item)> {
        let eras = self.streams.iter().enumerate().flat_map(|(stream, eras)| {
            eras.iter().enumerate().map(move |(era, items)| (stream, era, items))
        });
        eras.flat_map(|(stream, era, items)| {
            let place = move |count| Place { stream, era, count };
            items.iter().enumerate().map(move |(count, item)| (place(count), item))
        })
    }

    /// How a target ends.
    pub(super) fn outcome(&self, target: Target) -> Outcome {
        Ends::of(self).target(target)
    }

    /// How the present era of a stream ends.
    pub(super) fn outcome_of(&self, stream: StreamId) -> Outcome {
        self.outcome(Target::Place(self.end(stream)))
    }

    /// The index of the first item before a place that does not complete.
    pub(super) fn stops_at(&self, place: Place) -> Option<usize> {
        let mut ends = Ends::of(self);
        self.items(place).iter().position(|item| ends.item(item) != Outcome::Complete)
    }

    /// What must have happened before whoever waits for a target goes on.
    pub(super) fn past(&self, target: Target) -> Past {
        Pasts { reference: self, known: HashMap::new() }.target(target)
    }

    /// Whether a stream depends on a gate by waits: for certain, or at most as far as can be known.
    pub(super) fn reaches(&self, stream: StreamId, gate: GateId, certainty: Certainty) -> bool {
        let mut search = Search { reference: self, gate, certainty, seen: Vec::new() };
        search.place(self.end(stream))
    }
}

/// How outcomes are found: one after the other, each once.
struct Ends<'a> {
    reference: &'a Reference,
    known: HashMap<Place, Outcome>,
}

impl<'a> Ends<'a> {
    fn of(reference: &'a Reference) -> Self {
        Self { reference, known: HashMap::new() }
    }

    fn target(&mut self, target: Target) -> Outcome {
        match target {
            Target::Place(place) => self.place(place),
            Target::Gate(gate) => match self.reference.gates[gate] {
                GateState::Unused => Outcome::Blocked,
                GateState::Opened(_) => Outcome::Complete,
                GateState::Failed(cause) => Outcome::Failed(cause),
                GateState::Promised(place) => self.place(place),
            },
        }
    }

    fn place(&mut self, place: Place) -> Outcome {
        if let Some(known) = self.known.get(&place) {
            return *known;
        }
        let reference = self.reference;
        let mut outcomes = reference.items(place).iter().map(|item| self.item(item));
        let outcome = outcomes.find(|outcome| *outcome != Outcome::Complete);
        let outcome = outcome.unwrap_or(Outcome::Complete);
        self.known.insert(place, outcome);
        outcome
    }

    fn item(&mut self, item: &Item) -> Outcome {
        match item.kind {
            ItemKind::FailingWork => Outcome::Failed(Cause::Work(item.number)),
            ItemKind::Wait(target) => self.target(target),
            _ => Outcome::Complete,
        }
    }
}

/// How pasts are found.
struct Pasts<'a> {
    reference: &'a Reference,
    known: HashMap<Place, Past>,
}

impl Pasts<'_> {
    fn target(&mut self, target: Target) -> Past {
        match target {
            Target::Place(place) => self.place(place),
            Target::Gate(gate) => match self.reference.gates[gate] {
                GateState::Unused | GateState::Failed(_) => 0,
                GateState::Opened(past) => past,
                GateState::Promised(place) => self.place(place),
            },
        }
    }

    fn place(&mut self, place: Place) -> Past {
        if let Some(known) = self.known.get(&place) {
            return *known;
        }
        // Who waits for a gate that only work behind it opens never goes on: its past is of no account.
        self.known.insert(place, 0);
        let reference = self.reference;
        let mut past = self.eras_before(place);
        for item in reference.items(place) {
            past |= item.host_past;
            past |= match item.kind {
                ItemKind::Wait(target) => self.target(target),
                ItemKind::Open(_) => 0,
                _ => bit(item.number),
            };
        }
        self.known.insert(place, past);
        past
    }
}

impl Pasts<'_> {
    /// What ran in the eras before: everything up to the first failure.
    fn eras_before(&mut self, place: Place) -> Past {
        let mut past = 0;
        for era in 0..place.era {
            let count = self.reference.streams[place.stream][era].len();
            let whole = Place { stream: place.stream, era, count };
            let Some(stop) = self.reference.stops_at(whole) else { continue };
            past |= self.place(Place { count: stop, ..whole });
            let last = &self.reference.items(whole)[stop];
            if matches!(last.kind, ItemKind::FailingWork) {
                past |= bit(last.number);
            }
        }
        past
    }
}

/// How sure an edge must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// It stands now, whatever has run.
    Certain,
    /// It may stand, if nothing has run.
    Possible,
}

/// Looks for a gate behind the waits of streams.
struct Search<'a> {
    reference: &'a Reference,
    gate: GateId,
    certainty: Certainty,
    seen: Vec<Place>,
}

impl Search<'_> {
    fn place(&mut self, place: Place) -> bool {
        let reference = self.reference;
        if self.seen.contains(&place) || place.era + 1 < reference.streams[place.stream].len() {
            return false;
        }
        self.seen.push(place);
        let from = match (self.certainty, reference.stops_at(place)) {
            (Certainty::Possible, _) => 0,
            (Certainty::Certain, None) => place.count,
            (Certainty::Certain, Some(index)) => {
                if reference.outcome(Target::Place(place)) != Outcome::Blocked {
                    return false;
                }
                index
            }
        };
        reference.items(place)[from..].iter().any(|item| match item.kind {
            ItemKind::Wait(target) => self.target(target),
            _ => false,
        })
    }

    fn target(&mut self, target: Target) -> bool {
        match target {
            Target::Place(place) => self.place(place),
            Target::Gate(gate) if gate == self.gate => true,
            Target::Gate(gate) => match self.reference.gates[gate] {
                GateState::Promised(place) => self.place(place),
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: usize, kind: ItemKind) -> Item {
        Item { kind, number, host_past: 0 }
    }

    /// Two streams: the first works, fails and works; the second waits for all of that, and for a gate before it.
    fn failing() -> Reference {
        let mut reference = Reference::new(2, 2);
        reference.push(1, item(0, ItemKind::Wait(Target::Gate(0))));
        reference.push(0, item(1, ItemKind::Work));
        reference.push(0, item(2, ItemKind::FailingWork));
        reference.push(0, item(3, ItemKind::Work));
        let end = Target::Place(reference.end(0));
        reference.push(1, item(4, ItemKind::Wait(end)));
        reference
    }

    #[test]
    fn the_first_item_that_does_not_complete_decides() {
        let mut reference = failing();
        assert_eq!(reference.outcome_of(0), Outcome::Failed(Cause::Work(2)));
        assert_eq!(reference.outcome_of(1), Outcome::Blocked);
        reference.gates[0] = GateState::Opened(0);
        assert_eq!(reference.outcome_of(1), Outcome::Failed(Cause::Work(2)));
        let sound = Place { stream: 0, era: 0, count: 1 };
        assert_eq!(reference.outcome(Target::Place(sound)), Outcome::Complete);
    }

    #[test]
    fn a_recovered_stream_begins_anew_and_leaves_its_failure_behind() {
        let mut reference = failing();
        let failed = Target::Place(reference.end(0));
        reference.recover(0);
        assert_eq!(reference.outcome_of(0), Outcome::Complete);
        assert_eq!(reference.outcome(failed), Outcome::Failed(Cause::Work(2)));
        reference.push(0, item(5, ItemKind::Work));
        let past = reference.past(Target::Place(reference.end(0)));
        assert_eq!(past, bit(1) | bit(2) | bit(5), "what ran, and not what was abandoned");
    }

    #[test]
    fn a_gate_that_a_stream_opens_ends_as_the_stream_does_before_it() {
        let mut reference = failing();
        reference.push(0, item(5, ItemKind::Open(1)));
        assert_eq!(reference.outcome(Target::Gate(1)), Outcome::Failed(Cause::Work(2)));
        reference.recover(0);
        assert_eq!(reference.outcome(Target::Gate(1)), Outcome::Failed(Cause::Work(2)));
    }

    #[test]
    fn a_cycle_is_certain_only_where_every_wait_still_stands() {
        let reference = failing();
        for certainty in [Certainty::Certain, Certainty::Possible] {
            assert!(reference.reaches(1, 0, certainty), "the second waits for the gate");
            assert!(!reference.reaches(0, 0, certainty), "the first waits for nothing");
        }
        let mut reference = Reference::new(2, 1);
        reference.push(0, item(0, ItemKind::FailingWork));
        reference.push(0, item(1, ItemKind::Wait(Target::Gate(0))));
        assert!(
            !reference.reaches(0, 0, Certainty::Certain),
            "it fails before it comes to the wait"
        );
        assert!(reference.reaches(0, 0, Certainty::Possible));
    }
}
