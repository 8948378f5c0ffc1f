//! Places in sources that are not Rust's: bindings of other languages say where their users' calls stand.
//!
//! A place is one word, the address of what the compiler knows of a call, and stays so: for each place of another language
//! such a thing is made once and kept for ever, and a table has the names of these by their addresses. Only who writes a
//! message looks there.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use syncpoint_base::PerProcess;

use super::Place;
use crate::sync::local;
use crate::sync::process::{Mutex, lock};

/// Makes a call for a user whose source is not Rust's: whatever is asked within it, on this thread, is asked at `place` in
/// reports and in origins of failures. May be nested; a panic ends it too.
///
/// # Examples
/// A stream's work fails, and the failure began where the script says so:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use syncpoint::{Place, asked_at};
///
/// let stream = syncpoint::open("host:0")?.stream()?;
/// asked_at(Place::given("train.py", 12), || stream.enqueue(|| Err("no such file")))?;
/// let failure = stream.synchronize().unwrap_err();
/// assert!(failure.to_string().ends_with("at train.py:12)"));
/// # Ok(())
/// # }
/// ```
pub fn asked_at<T>(place: Place, call: impl FnOnce() -> T) -> T {
    struct Restored(Option<Place>);
    impl Drop for Restored {
        fn drop(&mut self) {
            GIVEN.with(|given| given.set(self.0));
        }
    }
    let _restored = Restored(GIVEN.with(|given| given.replace(Some(place))));
    call()
}

/// The place that the calls of this thread are made for.
#[inline]
pub(super) fn current() -> Option<Place> {
    GIVEN.with(Cell::get)
}

impl Place {
    /// A place in a source that is not Rust's. Takes a few bytes for ever, the first time that it is named; the 65 537th
    /// place of a process is told as one without a name.
    pub fn given(file: &str, line: u32) -> Self {
        let mut names = lock(&NAMES);
        let known = names.places.get(file).and_then(|lines| lines.get(&line));
        known.copied().unwrap_or_else(|| names.add(file, line))
    }

    /// Its name in a source that is not Rust's, if it is in one.
    pub(super) fn name(self) -> Option<Name> {
        lock(&NAMES).names.get(&self.address()).cloned()
    }

    fn address(self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

local! {
    /// A child of a fork makes the same calls as its parent.
    static GIVEN: Cell<Option<Place>> = Cell::new(None);
}

/// As many as the lines of a large program. A program that makes sources as it runs takes no more.
const MOST: usize = 1 << 16;

/// Guards itself alone: nothing is called under its lock.
static NAMES: PerProcess<Mutex<Names>> = PerProcess::new(Mutex::default);

/// The places that were named.
#[derive(Default)]
struct Names {
    /// By file and line.
    places: HashMap<Arc<str>, HashMap<u32, Place>>,
    /// By the addresses of their places.
    names: HashMap<usize, Name>,
}

impl Names {
    fn add(&mut self, file: &str, line: u32) -> Place {
        let template = Location::caller();
        if self.names.len() == MOST {
            return Place(template);
        }
        let place = Place(Box::leak(Box::new(*template)));
        let file = self
            .places
            .get_key_value(file)
            .map_or_else(|| file.into(), |(known, _)| Arc::clone(known));
        self.names.insert(place.address(), Name { file: Arc::clone(&file), line });
        self.places.entry(file).or_default().insert(line, place);
        place
    }
}

/// A file and a line.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Name {
    file: Arc<str>,
    line: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_named_is_one_word_and_the_same_whenever_it_is_named() {
        assert_eq!(size_of::<Place>(), size_of::<usize>());
        let place = Place::given("train.py", 12);
        assert_eq!(place.to_string(), "train.py:12");
        assert_eq!(place.address(), Place::given("train.py", 12).address());
        for other in [Place::given("train.py", 13), Place::given("test.py", 12), Place::caller()] {
            assert_ne!(place, other);
        }
    }

    #[test]
    fn calls_are_asked_at_the_innermost_place_until_its_end() {
        let (outer, inner) = (Place::given("train.py", 12), Place::given("model.py", 7));
        let seen = asked_at(outer, || (asked_at(inner, Place::caller), Place::caller()));
        assert_eq!(seen, (inner, outer));
        let panicked = std::panic::catch_unwind(|| asked_at(inner, || std::panic::panic_any(1_u8)));
        assert!(panicked.is_err());
        assert!(Place::caller().to_string().contains("given.rs"));
    }
}
