//! A place in the source: where a user made a call.

#[cfg(feature = "places")]
mod given;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;

#[cfg(feature = "places")]
pub use given::asked_at;

/// A place in the user's source, kept by points, waits and gates for messages and reports. One word.
#[derive(Clone, Copy)]
pub struct Place(&'static Location<'static>);

impl Place {
    /// The place of the caller; with the feature `places`, within `asked_at` the place that was named there.
    #[track_caller]
    #[inline]
    pub fn caller() -> Self {
        #[cfg(feature = "places")]
        if let Some(place) = given::current() {
            return place;
        }
        Self(Location::caller())
    }

    /// The place as the standard library has it. A place in a source that is not Rust's has none of its own: this is where
    /// such places are made.
    pub fn location(self) -> &'static Location<'static> {
        self.0
    }

    /// Its name in a source that is not Rust's, if it is in one.
    #[cfg(not(feature = "places"))]
    #[expect(clippy::unused_self, reason = "as it is where there are other sources")]
    fn name(self) -> Option<std::convert::Infallible> {
        None
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 && self.name() == other.name()
    }
}

impl Eq for Place {}

impl Hash for Place {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
    }
}

/// `src/main.rs:12`: the column helps nobody.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => fmt::Display::fmt(&name, formatter),
            None => write!(formatter, "{}:{}", self.0.file(), self.0.line()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
