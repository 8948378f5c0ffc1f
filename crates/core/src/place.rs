//! A place in the source: where a user made a call.

use std::fmt;
use std::panic::Location;

/// A place in the user's source, kept by points, waits and gates for messages and reports. One word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(&'static Location<'static>);

impl Place {
    /// The place of the caller.
    #[track_caller]
    #[inline]
    pub fn caller() -> Self {
        Self(Location::caller())
    }

    /// The place as the standard library has it.
    pub fn location(self) -> &'static Location<'static> {
        self.0
    }
}

/// `src/main.rs:12`: the column helps nobody.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.0.file(), self.0.line())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
