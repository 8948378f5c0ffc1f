//! Bytes: what device work and host work leave in buffers, as far as the order of a program decides it.
//!
//! Each stream has a few cells of a buffer of its device's which it alone writes, so that the last write is known. Who reads a
//! cell while its stream may write it gets any bytes, and so does who copies from there; a trial may leave that out.

use std::collections::HashMap;

use syncpoint::{Buffer, Device, Result};

use super::drive::{Difference, Drive, ensure};
use super::reference::{Item, ItemKind, Outcome, Past, Place, Reference, StreamId, Target, bit};

/// How many cells a stream has.
pub(super) const CELLS: u8 = 3;

/// The length of a cell: odd, so that a device that writes whole words has edges to see to beside a neighbour's.
const LENGTH: usize = 7;

/// Bytes of one of its device's buffers that one stream writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) stream: StreamId,
    pub(super) index: u8,
}

/// What one item does with bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    pub(super) to: Cell,
    pub(super) what: What,
    pub(super) by: By,
}

/// What is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A byte that nobody else writes.
    Byte(u8),
    /// What another cell holds.
    From(Cell),
}

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Device,
    /// Work of the stream's.
    Host,
}

/// A write that has run.
struct Ran {
    number: usize,
    write: Write,
    /// What must have happened before it.
    past: Past,
}

/// What cells hold once everything has settled. `None`: that is not decided.
struct Contents {
    /// In the order of each stream.
    ran: Vec<Ran>,
    /// What each write wrote, by its number.
    known: HashMap<usize, Option<u8>>,
}

impl Cell {
    /// Of this index, counted around.
    fn of(stream: StreamId, index: u8) -> Self {
        Self { stream, index: index % CELLS }
    }

    fn offset(self) -> u64 {
        let before = self.stream * usize::from(CELLS) + usize::from(self.index);
        (before * LENGTH) as u64
    }

    fn range(self) -> std::ops::Range<u64> {
        self.offset()..self.offset() + LENGTH as u64
    }
}

/// A buffer for each stream: two for each device, one of them of the host, which its streams share by turns.
pub(super) fn buffers(devices: &[&Device]) -> Result<Vec<Buffer>> {
    let (mut buffers, end) = (Vec::<Buffer>::new(), Cell::of(devices.len(), 0).offset());
    for (stream, device) in devices.iter().enumerate() {
        let mut alike = buffers.iter().skip(stream % 2).step_by(2);
        let shared = alike.find(|buffer| buffer.device() == *device).cloned();
        let make = if stream % 2 == 0 { Device::buffer } else { Device::host_buffer };
        buffers.push(shared.map_or_else(|| make(device, end), Ok)?);
    }
    Ok(buffers)
}

impl Drive {
    /// The device fills a cell with a byte of this operation's own.
    pub(super) fn fill(&mut self, number: usize, id: StreamId, cell: u8) -> Result<(), Difference> {
        let (to, byte) = (Cell::of(id, cell), own_byte(number));
        if !self.may_write(to) {
            return Ok(());
        }
        let outcome = self.stream(id).fill(&self.buffers[id], to.range(), byte);
        let write = Write { to, what: What::Byte(byte), by: By::Device };
        self.enqueued(number, id, ItemKind::Write(write), outcome)
    }

    /// The device copies a cell of any stream of its own; another device's it cannot.
    pub(super) fn copy(
        &mut self,
        number: usize,
        id: StreamId,
        (cell, from): (u8, u8),
    ) -> Result<(), Difference> {
        let to = Cell::of(id, cell);
        let target = &self.buffers[id];
        let near = |from: &Cell| self.buffers[from.stream].device() == target.device();
        let Some(from) = self.chosen(from, to).filter(near) else { return Ok(()) };
        let source = &self.buffers[from.stream];
        let outcome = self.stream(id).copy(source, from.range(), target, to.range());
        let write = Write { to, what: What::From(from), by: By::Device };
        self.enqueued(number, id, ItemKind::Write(write), outcome)
    }

    /// Work of the stream's writes a cell: a byte of this operation's own.
    pub(super) fn write(
        &mut self,
        number: usize,
        id: StreamId,
        cell: u8,
    ) -> Result<(), Difference> {
        let (to, byte) = (Cell::of(id, cell), own_byte(number));
        if !self.may_write(to) {
            return Ok(());
        }
        let (log, buffer) = (self.log.clone(), self.buffers[id].clone());
        let outcome = self
            .stream(id)
            .enqueue(move || log.during(number, || buffer.write(to.offset(), &[byte; LENGTH])));
        let write = Write { to, what: What::Byte(byte), by: By::Host };
        self.enqueued(number, id, ItemKind::Write(write), outcome)
    }

    /// Work of the stream's carries a cell of any stream of any device to one of its own.
    pub(super) fn carry(
        &mut self,
        number: usize,
        id: StreamId,
        (cell, from): (u8, u8),
    ) -> Result<(), Difference> {
        let to = Cell::of(id, cell);
        let Some(from) = self.chosen(from, to) else { return Ok(()) };
        let (source, target) = (self.buffers[from.stream].clone(), self.buffers[id].clone());
        let log = self.log.clone();
        let outcome = self.stream(id).enqueue(move || {
            log.during(number, || target.write(to.offset(), &source.to_vec(from.range())?))
        });
        let write = Write { to, what: What::From(from), by: By::Host };
        self.enqueued(number, id, ItemKind::Write(write), outcome)
    }

    /// The cell of this number of all streams; `None`: it is the one to be written, or the trial leaves the copy out.
    fn chosen(&self, number: u8, to: Cell) -> Option<Cell> {
        let stream = usize::from(number / CELLS) % self.buffers.len();
        let cell = Cell::of(stream, number % CELLS);
        let may_copy = || self.may_read(cell, to.stream) && self.may_write(to);
        (cell != to && may_copy()).then_some(cell)
    }

    /// Whether a trial without races lets a stream read a cell now: behind all that writes it.
    fn may_read(&self, cell: Cell, by: StreamId) -> bool {
        self.is_behind(by, |write| write.to == cell)
    }

    /// Whether a trial without races lets the stream of a cell write it now: behind all that reads it.
    fn may_write(&self, cell: Cell) -> bool {
        self.is_behind(cell.stream, |write| matches!(write.what, What::From(from) if from == cell))
    }

    /// Whether what a stream is given now runs behind the writes chosen, or the trial does not ask.
    fn is_behind(&self, id: StreamId, chosen: impl Fn(&Write) -> bool) -> bool {
        let past = self.reference.past(Target::Place(self.reference.end(id))) | self.host_past;
        let is_before = |item: &Item| match &item.kind {
            ItemKind::Write(write) => !chosen(write) || past & bit(item.number) != 0,
            _ => true,
        };
        self.trial.races || self.reference.everything().all(|(_, item)| is_before(item))
    }

    /// Compares what is in every cell, once everything that can has settled.
    pub(super) fn compare_bytes(&self) -> Result<(), Difference> {
        let mut contents = Contents::of(&self.reference);
        for (stream, buffer) in self.buffers.iter().enumerate() {
            for index in 0..CELLS {
                let cell = Cell { stream, index };
                let Some(expected) = contents.at_last(cell) else { continue };
                let bytes = buffer.to_vec(cell.range()).map_err(|error| error.to_string())?;
                ensure(bytes.iter().all(|byte| *byte == expected), || {
                    format!("cell {index} of stream {stream} is {bytes:?}, and must be {expected}")
                })?;
            }
        }
        Ok(())
    }
}

/// A byte that no other operation writes; zero is what a buffer begins with.
fn own_byte(number: usize) -> u8 {
    u8::try_from(number + 1).expect("a program is shorter")
}

impl Contents {
    fn of(reference: &Reference) -> Self {
        let mut ran = Vec::new();
        for (place, item) in reference.everything() {
            let ItemKind::Write(write) = item.kind else { continue };
            if reference.outcome(Target::Place(place)) == Outcome::Complete {
                let behind = Place { count: place.count + 1, ..place };
                let past = reference.past(Target::Place(behind)) & !bit(item.number);
                ran.push(Ran { number: item.number, write, past });
            }
        }
        Self { ran, known: HashMap::new() }
    }

    /// What a cell holds when nobody writes it any more.
    fn at_last(&mut self, cell: Cell) -> Option<u8> {
        let last = self.ran.iter().rposition(|ran| ran.write.to == cell);
        last.map_or(Some(0), |last| self.written(last))
    }

    /// What the write of this index wrote.
    fn written(&mut self, index: usize) -> Option<u8> {
        let Ran { number, write, past } = self.ran[index];
        let from = match write.what {
            What::Byte(byte) => return Some(byte),
            What::From(from) => from,
        };
        if let Some(known) = self.known.get(&number) {
            return *known;
        }
        let byte = self.read(number, past, from);
        self.known.insert(number, byte);
        byte
    }

    /// What the operation of this number finds in a cell.
    fn read(&mut self, number: usize, past: Past, from: Cell) -> Option<u8> {
        let is_before = |ran: &Ran| past & bit(ran.number) != 0;
        let is_behind = |ran: &Ran| ran.past & bit(number) != 0;
        let mut writes = self.ran.iter().filter(|ran| ran.write.to == from);
        if !writes.all(|ran| is_before(ran) || is_behind(ran)) {
            return None;
        }
        let last = self.ran.iter().rposition(|ran| ran.write.to == from && is_before(ran));
        last.map_or(Some(0), |last| self.written(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two streams, and what each took: the first writes a cell, and the second may wait before it copies that.
    fn copied(waits: bool) -> Reference {
        let mut reference = Reference::new(2, 0);
        let mut push = |number, stream, kind| {
            reference.push(stream, Item { kind, number, host_past: 0 });
            reference.end(stream)
        };
        let write = |to, what| ItemKind::Write(Write { to, what, by: By::Device });
        let end = push(0, 0, write(CELL, What::Byte(5)));
        if waits {
            push(1, 1, ItemKind::Wait(Target::Place(end)));
        }
        push(2, 1, write(OTHER, What::From(CELL)));
        reference
    }

    const CELL: Cell = Cell { stream: 0, index: 1 };

    const OTHER: Cell = Cell { stream: 1, index: 0 };

    #[test]
    fn what_is_copied_is_known_where_the_order_decides_it() {
        assert_eq!(Contents::of(&copied(true)).at_last(OTHER), Some(5));
        assert_eq!(Contents::of(&copied(false)).at_last(OTHER), None);
        assert_eq!(Contents::of(&copied(false)).at_last(CELL), Some(5), "one stream writes it");
        let untouched = Cell { index: 2, ..CELL };
        assert_eq!(Contents::of(&copied(true)).at_last(untouched), Some(0));
    }

    #[test]
    fn a_write_behind_the_copy_changes_nothing_of_it() {
        let mut reference = copied(true);
        let end = Target::Place(reference.end(1));
        let again = Write { to: CELL, what: What::Byte(6), by: By::Device };
        let items = [(3, ItemKind::Wait(end)), (4, ItemKind::Write(again))];
        for (number, kind) in items {
            reference.push(0, Item { kind, number, host_past: 0 });
        }
        assert_eq!(Contents::of(&reference).at_last(OTHER), Some(5));
        assert_eq!(Contents::of(&reference).at_last(CELL), Some(6));
    }
}
