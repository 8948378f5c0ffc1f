//! The names of operations, their fields and their kinds as they stand in a line.
//!
//! This is the format as a table. A key is the name of the field in [`Operation`]. A field or
//! variant added to the vocabulary and not here does not compile.

use crate::error::{DecodeError, Problem};
use crate::field::{Field, Fields, push_all};
use crate::{Access, Call, Operation, Outcome, Work};

impl Operation {
    /// The name of the operation as it stands in a line, such as `stream_created`.
    ///
    /// # Examples
    ///
    /// A count by name:
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use syncpoint_trace::Operation;
    ///
    /// let operations = [Operation::GateCreated { gate: 1 }, Operation::GateOpened { gate: 1 }];
    /// let mut count = BTreeMap::new();
    /// for operation in &operations {
    ///     *count.entry(operation.name()).or_insert(0) += 1;
    /// }
    /// assert_eq!(count["gate_opened"], 1);
    /// ```
    pub fn name(&self) -> &'static str {
        self.word()
    }
}

/// One of several named things, each with fields of its own.
pub(crate) trait Choice: Sized {
    #[cfg(test)]
    const WORDS: &'static [&'static str];

    /// The word that names it.
    fn word(&self) -> &'static str;

    /// Appends its fields.
    fn push_fields(&self, line: &mut String);

    /// The choice of this name from its fields; `None` when the name is not known.
    fn read(word: &str, fields: &Fields<'_>) -> Result<Option<Self>, DecodeError>;
}

macro_rules! choices {
    ($($choice:ident { $($word:literal $variant:ident { $($field:ident),+ })+ })+) => {$(
        impl Choice for $choice {
            #[cfg(test)]
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn word(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $word,)+
                }
            }

            fn push_fields(&self, line: &mut String) {
                match self {
                    $(Self::$variant { $($field),+ } => {
                        push_all(line, &[$((stringify!($field), $field)),+]);
                    })+
                }
            }

            fn read(word: &str, fields: &Fields<'_>) -> Result<Option<Self>, DecodeError> {
                Ok(Some(match word {
                    $($word => Self::$variant {
                        $($field: fields.get(stringify!($field))?),+
                    },)+
                    _ => return Ok(None),
                }))
            }
        }
    )+};
}

macro_rules! words {
    ($($kind:ident { $($word:literal $variant:ident),+ })+) => {$(
        impl Field for $kind {
            fn push_value(&self, line: &mut String) {
                line.push_str(match self {
                    $(Self::$variant => $word,)+
                });
            }

            fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
                match fields.value(key)? {
                    $($word => Ok(Self::$variant),)+
                    other => Err(DecodeError::new(Problem::Unknown(key), other)),
                }
            }
        }
    )+};
}

choices! {
    Operation {
        "stream_created"   StreamCreated { stream, device, priority }
        "stream_deleted"   StreamDeleted { stream }
        "event_created"    EventCreated { event }
        "event_deleted"    EventDeleted { event }
        "gate_created"     GateCreated { gate }
        "buffer_created"   BufferCreated { buffer, device, bytes }
        "buffer_deleted"   BufferDeleted { buffer }
        "enqueued"         Enqueued { stream, value, work }
        "buffer_accessed"  BufferAccessed { stream, value, buffer, offset, bytes, access }
        "point_recorded"   PointRecorded { stream, value, timed, event }
        "waited"           Waited { stream, value, on, on_value, event, elided }
        "gate_opening"     GateOpening { gate, stream, value }
        "gate_opened"      GateOpened { gate }
        "gate_failed"      GateFailed { gate, reason }
        "synchronizing"    Synchronizing { call }
        "synchronized"     Synchronized { call, outcome }
        "queried_complete" QueriedComplete { timeline, value }
        "stream_failed"    StreamFailed { stream, value, reason }
        "stream_recovered" StreamRecovered { stream, value }
    }
    Call {
        "point"  Point { timeline, value }
        "event"  Event { event, point }
        "stream" Stream { stream, value }
        "device" Device { device }
    }
}

words! {
    Work { "host" Host, "submit" Submit, "fill" Fill, "copy" Copy, "delay" Delay }
    Access { "read" Read, "write" Write }
    Outcome { "complete" Complete, "failed" Failed, "timed_out" TimedOut, "refused" Refused }
}

/// A wait is its kind, followed by the fields of that kind.
impl Field for Call {
    fn push_value(&self, line: &mut String) {
        line.push_str(self.word());
        self.push_fields(line);
    }

    fn read(key: &'static str, fields: &Fields<'_>) -> Result<Self, DecodeError> {
        let word = fields.value(key)?;
        let call = <Self as Choice>::read(word, fields)?;
        call.ok_or_else(|| DecodeError::new(Problem::Unknown(key), word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = include_str!("../tests/golden/operations.txt");

    #[test]
    fn the_golden_trace_has_every_operation() {
        for name in Operation::WORDS {
            assert!(GOLDEN.contains(&format!(" {name} ")), "{name} has no golden line");
        }
    }

    #[test]
    fn the_golden_trace_has_every_kind_of_wait() {
        for kind in Call::WORDS {
            assert!(GOLDEN.contains(&format!(" call={kind} ")), "{kind} has no golden line");
        }
    }
}
