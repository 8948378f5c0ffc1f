//! Where a failure began.

use std::fmt;

use crate::place::Place;

/// Where a failure began: the operation, the object it was asked of, and its place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    operation: &'static str,
    object: String,
    place: Place,
}

impl Origin {
    /// An origin at the caller's place.
    #[track_caller]
    pub fn new(operation: &'static str, object: impl Into<String>) -> Self {
        Self { operation, object: object.into(), place: Place::caller() }
    }

    /// The same origin at another place.
    #[must_use]
    pub fn placed(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// The operation, by the name of its method.
    pub fn operation(&self) -> &str {
        self.operation
    }

    /// The object that was asked, such as `stream 3 of host:0`.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// The place in the source.
    pub fn place(&self) -> Place {
        self.place
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {} at {}", self.operation, self.object, self.place)
    }
}
