//! The kinds of error: each says what to do.

use std::fmt;

/// What to do about an error. The numbers are stable, and the same in Python (`docs/errors.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Fix the code: the call can never succeed as it stands.
    Misuse(Reason),
    /// Do without, or make it available: the message says what was searched. After a fork the child makes its objects
    /// anew; while the process exits nothing is waited for any more.
    Unavailable,
    /// Ask `capabilities()` first: this device cannot do it, and the message names the remedy.
    Unsupported,
    /// Nothing changed: wait again, or act on the report.
    TimedOut,
    /// Try again later or ask for less: a bound was reached.
    Exhausted,
    /// Do not use the result: earlier work failed, and the error tells the first cause.
    Failed,
    /// Open the device anew: everything on it that was not seen complete is lost.
    DeviceLost,
    /// The driver refused in its own words: look at the code.
    Driver,
}

impl Kind {
    /// The number of the kind: stable, and the same in Python.
    pub fn number(self) -> u32 {
        match self {
            Self::Misuse(_) => 1,
            Self::Unavailable => 2,
            Self::Unsupported => 3,
            Self::TimedOut => 4,
            Self::Exhausted => 5,
            Self::Failed => 6,
            Self::DeviceLost => 7,
            Self::Driver => 8,
        }
    }

    /// The name of the kind, without the reason of a misuse.
    pub fn name(self) -> &'static str {
        match self {
            Self::Misuse(_) => "misuse",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::TimedOut => "timed out",
            Self::Exhausted => "exhausted",
            Self::Failed => "failed",
            Self::DeviceLost => "device lost",
            Self::Driver => "driver",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misuse(reason) => write!(formatter, "misuse: {reason}"),
            kind => formatter.pad(kind.name()),
        }
    }
}

/// The mistake in a [`Kind::Misuse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The event was never recorded.
    NotRecorded,
    /// The point does not know its time.
    NotTimed,
    /// The event was made for one process.
    NotInterprocess,
    /// The point is not complete yet.
    NotComplete,
    /// The object belongs to another device.
    WrongDevice,
    /// The object can be used on another thread only.
    WrongThread,
    /// The object is gone, or the handle never was one.
    StaleHandle,
    /// The stream holds work on the host, so its handle cannot be given out.
    Held,
    /// The end of a time span lies before its start.
    Reversed,
    /// A number lies outside its range.
    OutOfRange,
    /// The stream is capturing.
    Capturing,
    /// The wait would never end.
    WouldDeadlock,
    /// The gate was dropped unopened.
    GateDropped,
    /// The gate was opened or failed before.
    GateUsed,
    /// Options contradict one another.
    Contradiction,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::NotRecorded => "not recorded",
            Self::NotTimed => "not timed",
            Self::NotInterprocess => "not interprocess",
            Self::NotComplete => "not complete",
            Self::WrongDevice => "wrong device",
            Self::WrongThread => "wrong thread",
            Self::StaleHandle => "stale handle",
            Self::Held => "held",
            Self::Reversed => "reversed",
            Self::OutOfRange => "out of range",
            Self::Capturing => "capturing",
            Self::WouldDeadlock => "would deadlock",
            Self::GateDropped => "gate dropped",
            Self::GateUsed => "gate used",
            Self::Contradiction => "contradiction",
        })
    }
}
