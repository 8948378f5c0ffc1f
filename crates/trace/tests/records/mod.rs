//! Random records of every operation, with texts and numbers that are hard to write.

use proptest::prelude::*;
use proptest::sample::select;

use syncpoint_trace::{Access, Call, Operation, Outcome, Record, Work};

pub(crate) fn record() -> impl Strategy<Value = Record> {
    (number(), number(), number(), operation()).prop_map(|(sequence, nanos, thread, operation)| {
        Record::new(sequence, nanos, thread, operation)
    })
}

/// Any text, with much of what a line is made of.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let marks =
        vec![' ', '=', '%', '\n', '\r', '\t', '\0', '#', ':', '0', 'n', '\u{85}', '\u{2028}'];
    let char = prop_oneof![2 => select(marks), 1 => any::<char>()];
    prop::collection::vec(char, 0..24).prop_map(String::from_iter)
}

fn operation() -> impl Strategy<Value = Operation> {
    // Boxed, because by value the trees of all these choices are larger than a thread's stack.
    prop_oneof![
        life().boxed(),
        buffers().boxed(),
        order().boxed(),
        gates().boxed(),
        waits().boxed(),
        failures().boxed(),
    ]
}

fn life() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (number(), text(), any::<i32>()).prop_map(|(stream, device, priority)| {
            Operation::StreamCreated { stream, device, priority }
        }),
        number().prop_map(|stream| Operation::StreamDeleted { stream }),
        number().prop_map(|event| Operation::EventCreated { event }),
        number().prop_map(|event| Operation::EventDeleted { event }),
        number().prop_map(|gate| Operation::GateCreated { gate }),
        number().prop_map(|buffer| Operation::BufferDeleted { buffer }),
    ]
}

fn buffers() -> impl Strategy<Value = Operation> {
    let access = select(vec![Access::Read, Access::Write]);
    let part = (number(), number());
    prop_oneof![
        (number(), text(), number()).prop_map(|(buffer, device, bytes)| {
            Operation::BufferCreated { buffer, device, bytes }
        }),
        (number(), number(), number(), part, access).prop_map(
            |(stream, value, buffer, (offset, bytes), access)| {
                Operation::BufferAccessed { stream, value, buffer, offset, bytes, access }
            }
        ),
    ]
}

fn order() -> impl Strategy<Value = Operation> {
    let work = select(vec![Work::Host, Work::Submit, Work::Fill, Work::Copy, Work::Delay]);
    prop_oneof![
        (number(), number(), work).prop_map(|(stream, value, work)| Operation::Enqueued {
            stream,
            value,
            work
        }),
        (number(), number(), any::<bool>(), event()).prop_map(|(stream, value, timed, event)| {
            Operation::PointRecorded { stream, value, timed, event }
        }),
        (number(), number(), point(), event(), any::<bool>()).prop_map(
            |(stream, value, (on, on_value), event, elided)| {
                Operation::Waited { stream, value, on, on_value, event, elided }
            }
        ),
    ]
}

fn gates() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (number(), number(), number()).prop_map(|(gate, stream, value)| Operation::GateOpening {
            gate,
            stream,
            value
        }),
        number().prop_map(|gate| Operation::GateOpened { gate }),
        (number(), text()).prop_map(|(gate, reason)| Operation::GateFailed { gate, reason }),
    ]
}

fn waits() -> impl Strategy<Value = Operation> {
    let outcomes = vec![Outcome::Complete, Outcome::Failed, Outcome::TimedOut, Outcome::Refused];
    prop_oneof![
        call().prop_map(|call| Operation::Synchronizing { call }),
        (call(), select(outcomes))
            .prop_map(|(call, outcome)| Operation::Synchronized { call, outcome }),
        point().prop_map(|(timeline, value)| Operation::QueriedComplete { timeline, value }),
    ]
}

fn failures() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (number(), number(), text()).prop_map(|(stream, value, reason)| Operation::StreamFailed {
            stream,
            value,
            reason
        }),
        (number(), number())
            .prop_map(|(stream, value)| Operation::StreamRecovered { stream, value }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        point().prop_map(|(timeline, value)| Call::Point { timeline, value }),
        (number(), prop::option::of(point()))
            .prop_map(|(event, point)| Call::Event { event, point }),
        (number(), number()).prop_map(|(stream, value)| Call::Stream { stream, value }),
        text().prop_map(|device| Call::Device { device }),
    ]
}

fn point() -> impl Strategy<Value = (u64, u64)> {
    (number(), number())
}

fn event() -> impl Strategy<Value = Option<u64>> {
    prop::option::of(number())
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), 1..100_u64, any::<u64>()]
}
