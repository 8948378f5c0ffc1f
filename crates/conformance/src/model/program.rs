//! Random programs: operations on a few streams, events and gates, as plain data.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;

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
    (vec(any::<u8>(), 1..=5), vec(operations(), 1..=LONGEST))
        .prop_map(|(streams, operations)| Program { streams, operations })
}

fn operations() -> impl Strategy<Value = Operation> {
    use Operation as O;
    let (s, n, e, g) = (0..5_u8, any::<u8>(), 0..EVENTS, 0..GATES);
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
        1 => s.prop_map(|stream| O::DropStream { stream }),
        2 => n.prop_map(|point| O::Query { point }),
        3 => any::<bool>().prop_map(|helping| O::Settle { helping }),
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
