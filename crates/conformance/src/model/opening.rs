//! Openings of gates: by the host, in the order of a stream, or never.

use syncpoint::{Error, Kind, Reason, Result};

use super::answer::words;
use super::drive::{Difference, Drive, ensure};
use super::log::Mark;
use super::reference::{Cause, Certainty, GateId, GateState, ItemKind, StreamId, bit};

impl Drive {
    pub(super) fn open(&mut self, number: usize, gate: GateId) -> Result<(), Difference> {
        let Some(opener) = &self.gates[gate] else { return Ok(()) };
        self.log.mark(Mark::Begin(number));
        self.log.mark(Mark::End(number));
        let outcome = opener.open();
        let past = self.host_past | bit(number);
        self.used(gate, outcome, GateState::Opened(past))
    }

    pub(super) fn fail(&mut self, gate: GateId) -> Result<(), Difference> {
        let Some(opener) = &self.gates[gate] else { return Ok(()) };
        let outcome = opener.fail(Error::failed(words(Cause::Failed(gate))));
        self.used(gate, outcome, GateState::Failed(Cause::Failed(gate)))
    }

    /// A gate was opened or failed, and the call was answered so.
    fn used(
        &mut self,
        gate: GateId,
        outcome: Result<()>,
        state: GateState,
    ) -> Result<(), Difference> {
        let kind = outcome.map_err(|error| error.kind());
        if matches!(self.reference.gates[gate], GateState::Unused) {
            self.reference.gates[gate] = state;
            return ensure(kind.is_ok(), || {
                format!("gate {gate} is unused, and was refused: {kind:?}")
            });
        }
        ensure(kind == Err(Kind::Misuse(Reason::GateUsed)), || {
            format!("gate {gate} was used before, and is used again: {kind:?}")
        })
    }

    pub(super) fn drop_gate(&mut self, gate: GateId) {
        let gone = self.gates[gate].take();
        if gone.is_some() && matches!(self.reference.gates[gate], GateState::Unused) {
            self.reference.gates[gate] = GateState::Failed(Cause::Dropped(gate));
        }
        drop(gone);
    }

    pub(super) fn open_by_stream(
        &mut self,
        number: usize,
        gate: GateId,
        id: StreamId,
    ) -> Result<(), Difference> {
        let Some(opener) = &self.gates[gate] else { return Ok(()) };
        let outcome = self.stream(id).open(opener);
        let kind = outcome.as_ref().map_err(Error::kind);
        if !matches!(self.reference.gates[gate], GateState::Unused) {
            return ensure(kind == Err(Kind::Misuse(Reason::GateUsed)), || {
                format!("gate {gate} was used before, and is promised again: {kind:?}")
            });
        }
        let cycle = |certainty| self.reference.reaches(id, gate, certainty);
        if kind == Err(Kind::Misuse(Reason::WouldDeadlock)) {
            return ensure(cycle(Certainty::Possible), || {
                format!("no cycle leads to gate {gate}: {outcome:?}")
            });
        }
        ensure(!cycle(Certainty::Certain), || {
            format!("a cycle through gate {gate} was closed: {outcome:?}")
        })?;
        if self.accepted(id, outcome)?.is_some() {
            self.push(number, id, ItemKind::Open(gate));
        }
        Ok(())
    }
}
