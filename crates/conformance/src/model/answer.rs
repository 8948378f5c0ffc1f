//! Answers: what a backend may say of a stream or point, given how the reference says that it ends.

use syncpoint::{Error, Kind, Point, Reason, Result};

use super::drive::{Difference, Drive, ensure};
use super::reference::{Cause, GateState, Outcome, Place, StreamId, Target};

impl Drive {
    /// What a stream gave that took something; `None` where it refused with its failure. It must refuse once it is
    /// known to have failed, and may where it will fail.
    pub(super) fn accepted<T>(
        &mut self,
        id: StreamId,
        outcome: Result<T>,
    ) -> Result<Option<T>, Difference> {
        let end = self.reference.outcome_of(id);
        let error = match outcome {
            Ok(value) => {
                let known = matches!(end, Outcome::Failed(_)) && self.is_stopped(id);
                ensure(!known, || format!("stream {id} has failed and takes work: {end:?}"))?;
                return Ok(Some(value));
            }
            Err(error) => error,
        };
        match end {
            Outcome::Failed(cause) => self.same_cause(cause, &error).map(|()| None),
            _ => Err(format!("stream {id} refuses, and has not failed: {error}")),
        }
    }

    /// Whether the first item that does not complete is known to have been come to.
    pub(super) fn is_stopped(&self, id: StreamId) -> bool {
        let end = self.reference.end(id);
        let stop = self.reference.stops_at(end);
        stop.is_some_and(|stop| self.is_settled(Target::Place(Place { count: stop + 1, ..end })))
    }

    /// Whether a target that does not block is known to have settled.
    pub(super) fn is_settled(&self, target: Target) -> bool {
        match target {
            Target::Place(place) => {
                // What a device was given before the failure may still be on its way when a new era begins.
                let runs_on = self.trial.runs_on
                    && !matches!(self.reference.outcome(target), Outcome::Failed(_));
                let is_past =
                    place.era + 1 < self.reference.streams[place.stream].len() && !runs_on;
                let settled = self.streams[place.stream].settled;
                is_past
                    || settled.is_some_and(|settled| {
                        settled.era == place.era && settled.count >= place.count
                    })
            }
            Target::Gate(gate) => match self.reference.gates[gate] {
                GateState::Unused => false,
                GateState::Opened(_) | GateState::Failed(_) => true,
                GateState::Promised(place) => self.is_settled(Target::Place(place)),
            },
        }
    }

    /// Compares an error with its cause, in words and in identity.
    pub(super) fn same_cause(&mut self, cause: Cause, error: &Error) -> Result<(), Difference> {
        let told = match cause {
            Cause::Dropped(gate) => {
                let name = self.gate_points[gate].to_string();
                error.kind() == Kind::Misuse(Reason::GateDropped) && error.message().contains(&name)
            }
            _ => error.kind() == Kind::Failed && error.message().contains(&words(cause)),
        };
        ensure(told, || format!("{cause:?} is told as {error}"))?;
        let first = self.causes.entry(cause).or_insert_with(|| error.clone());
        ensure(first.is_same(error), || {
            format!("{cause:?} is told by two errors: {first} and {error}")
        })
    }

    /// Compares the answer to a query, which need not know yet what is not known to have settled.
    pub(super) fn compare(
        &mut self,
        point: &Point,
        target: Target,
        answer: Result<bool>,
    ) -> Result<(), Difference> {
        let end = self.reference.outcome(target);
        match (answer, end) {
            (Ok(true), Outcome::Complete) | (Ok(false), Outcome::Blocked) => Ok(()),
            (Err(error), Outcome::Failed(cause)) => self.same_cause(cause, &error),
            (Ok(false), _) => ensure(!self.is_settled(target), || {
                format!("{point} is pending, and must be {end:?}")
            }),
            (answer, _) => Err(format!("{point} is {answer:?}, and must end {end:?}")),
        }
    }
}

/// The words by which a cause is known.
pub(super) fn words(cause: Cause) -> String {
    format!("<{cause:?}>")
}

#[cfg(test)]
mod tests {
    use super::super::program::Program;
    use super::super::reference::{Item, ItemKind};
    use super::super::runner::Trial;
    use super::*;

    /// Whether the sound beginning of an era that failed and was recovered from must have settled.
    fn must_have_settled(runs_on: bool) -> bool {
        let trial = Trial { seeds: 1, programs: 1, repeats: 1, runs_on, races: true };
        let program = Program { streams: vec![0], operations: Vec::new() };
        let devices = [syncpoint::open("host:0").expect("the host is always there")];
        let mut drive = Drive::new(trial, &program, &devices).expect("it has streams");
        for (number, kind) in [ItemKind::Work, ItemKind::FailingWork].into_iter().enumerate() {
            drive.reference.push(0, Item { kind, number, host_past: 0 });
        }
        drive.reference.recover(0);
        drive.is_settled(Target::Place(Place { stream: 0, era: 0, count: 1 }))
    }

    #[test]
    fn only_what_a_device_was_given_may_be_on_its_way_after_a_recovery() {
        assert!(must_have_settled(false), "on the host it must have ended before the failure");
        assert!(!must_have_settled(true), "on a device it may be on its way");
    }
}
