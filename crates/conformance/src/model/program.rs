//! Random programs: operations on a few streams, events and gates, as plain data.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;

use super::bytes::CELLS;

/// How many events a program has.
pub(super) const EVENTS: u8 = 3;

/// How many gates a program has. Each opens once.
pub(super) const GATES: u8 = 5;

/// The longest program: its operations are counted in the bits of one number.
const LONGEST: usize = 96;

/// A program.
#[derive(Clone)]
pub struct Program {
    /// For each stream the device that it is made on, counted around.
    pub(super) streams: Vec<u8>,
    pub(super) operations: Vec<Operation>,
}

/// One operation. Numbers that name something are counted around where there are fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Record {
        stream: u8,
    },
    RecordTimed {
        stream: u8,
    },
    Wait {
        stream: u8,
        point: u8,
    },
    RecordEvent {
        event: u8,
        stream: u8,
    },
    WaitEvent {
        event: u8,
        stream: u8,
    },
    WaitGate {
        gate: u8,
        stream: u8,
    },
    OpenByHost {
        gate: u8,
    },
    OpenByStream {
        gate: u8,
        stream: u8,
    },
    FailGate {
        gate: u8,
    },
    DropGate {
        gate: u8,
    },
    Work {
        stream: u8,
        length: u8,
    },
    FailingWork {
        stream: u8,
    },
    /// The device takes so many microseconds, in which what does not wait for it goes on.
    Delay {
        stream: u8,
        micros: u8,
    },
    /// The device fills a cell of the stream's.
    Fill {
        stream: u8,
        cell: u8,
    },
    /// The device copies any cell of its own to one of the stream's.
    Copy {
        stream: u8,
        cell: u8,
        from: u8,
    },
    /// Work of the stream's writes one of its cells.
    Write {
        stream: u8,
        cell: u8,
    },
    /// Work of the stream's carries any cell of any device to one of the stream's.
    Carry {
        stream: u8,
        cell: u8,
        from: u8,
    },
    Recover {
        stream: u8,
    },
    DropStream {
        stream: u8,
    },
    Query {
        point: u8,
    },
    /// Waits for everything that can settle, and compares. The host may help in that, or not.
    Settle {
        helping: bool,
    },
}

/// Programs, short ones too; waits and records are the most frequent.
pub(super) fn programs() -> impl Strategy<Value = Program> {
    let steps = prop_oneof![9 => operation().prop_map(|one| vec![one]), 1 => passage()];
    (vec(any::<u8>(), 1..=5), vec(steps, 1..=LONGEST)).prop_map(|(streams, steps)| {
        let operations = steps.into_iter().flatten().take(LONGEST).collect();
        Program { streams, operations }
    })
}

/// Bytes go from one stream to another that waits for them: seldom drawn one by one.
fn passage() -> impl Strategy<Value = Vec<Operation>> {
    use Operation as O;
    let (source, target) = ((0..5_u8, 0..CELLS), (0..5_u8, 0..CELLS));
    (source, target, 0..EVENTS, any::<u8>()).prop_map(|(source, target, event, micros)| {
        let (from, (stream, cell)) = (source.0 * CELLS + source.1, target);
        let last = match micros % 2 {
            0 => O::Copy { stream, cell, from },
            _ => O::Carry { stream, cell, from },
        };
        vec![
            O::Delay { stream: source.0, micros },
            O::Fill { stream: source.0, cell: source.1 },
            O::RecordEvent { event, stream: source.0 },
            O::WaitEvent { event, stream },
            last,
        ]
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation as O;
    let (s, n, e, g, cells) = (0..5_u8, any::<u8>(), 0..EVENTS, 0..GATES, 0..CELLS);
    prop_oneof![
        6 => s.clone().prop_map(|stream| O::Record { stream }),
        3 => s.clone().prop_map(|stream| O::RecordTimed { stream }),
        9 => (s.clone(), n).prop_map(|(stream, point)| O::Wait { stream, point }),
        4 => (e.clone(), s.clone()).prop_map(|(event, stream)| O::RecordEvent { event, stream }),
        4 => (e, s.clone()).prop_map(|(event, stream)| O::WaitEvent { event, stream }),
        6 => (g.clone(), s.clone()).prop_map(|(gate, stream)| O::WaitGate { gate, stream }),
        3 => g.clone().prop_map(|gate| O::OpenByHost { gate }),
        3 => (g.clone(), s.clone()).prop_map(|(gate, stream)| O::OpenByStream { gate, stream }),
        1 => g.clone().prop_map(|gate| O::FailGate { gate }),
        1 => g.prop_map(|gate| O::DropGate { gate }),
        10 => (s.clone(), n).prop_map(|(stream, length)| O::Work { stream, length }),
        2 => s.clone().prop_map(|stream| O::FailingWork { stream }),
        3 => s.clone().prop_map(|stream| O::Recover { stream }),
        1 => s.clone().prop_map(|stream| O::DropStream { stream }),
        2 => n.prop_map(|point| O::Query { point }),
        3 => any::<bool>().prop_map(|helping| O::Settle { helping }),
        4 => (s.clone(), n).prop_map(|(stream, micros)| O::Delay { stream, micros }),
        4 => (s.clone(), cells.clone()).prop_map(|(stream, cell)| O::Fill { stream, cell }),
        4 => (s.clone(), cells.clone(), n)
            .prop_map(|(stream, cell, from)| O::Copy { stream, cell, from }),
        3 => (s.clone(), cells.clone()).prop_map(|(stream, cell)| O::Write { stream, cell }),
        4 => (s, cells, n).prop_map(|(stream, cell, from)| O::Carry { stream, cell, from }),
    ]
}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (stream, device) in self.streams.iter().enumerate() {
            writeln!(formatter, "  stream {stream} on device {device}")?;
        }
        for (number, operation) in self.operations.iter().enumerate() {
            writeln!(formatter, "  {number:>3} {operation:?}")?;
        }
        Ok(())
    }
}
