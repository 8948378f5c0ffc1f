//! A library of the system's that a backend opens at run time: where it is searched, who may say so, and what was tried.
//!
//! It is searched once in a process, at the first need, and by whoever comes first; others that come meanwhile search as
//! well and find the same. No lock is held: a child of a fork has what its parent had found.

use std::env;
use std::error::Error as StdError;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use syncpoint_base::Latest;

use crate::error::{Error, Kind, Reason, Result};

/// What is searched, in words, and where.
#[expect(clippy::exhaustive_structs, reason = "for backends, outside the semver promise")]
#[derive(Debug)]
pub struct Sought {
    /// What it is, such as `loader of Vulkan`.
    pub what: &'static str,
    /// What needs it, such as `Vulkan`.
    pub by: &'static str,
    /// The variable that names another library.
    pub variable: &'static str,
    /// Names and paths, the likeliest first.
    pub places: &'static [&'static str],
    /// What helps where it is in none of them.
    pub remedy: &'static str,
}

/// A search of the whole process.
#[derive(Debug)]
pub struct Library<T: 'static> {
    sought: Sought,
    state: Latest<State<T>>,
}

/// How far the search is. It begins where a library was named, or at once.
struct State<T> {
    named: Option<PathBuf>,
    found: Option<Result<T>>,
}

/// Where a library is searched.
#[derive(Debug)]
pub struct Places<'a> {
    sought: &'a Sought,
    /// Who chose them, where somebody did.
    chosen_by: Option<&'static str>,
    list: Vec<OsString>,
}

impl<T: Send + Sync> Library<T> {
    /// A search that has not begun.
    pub const fn new(sought: Sought) -> Self {
        Self { sought, state: Latest::new() }
    }

    /// Names the library to open, before the first search.
    ///
    /// # Errors
    /// `Misuse(Contradiction)`: another was named, or a library was searched already. To name the same again is no mistake.
    pub fn name(&self, path: &Path) -> Result<()> {
        let named = State { named: Some(path.to_owned()), found: None };
        if self.state.replace(None, named).is_ok() {
            return Ok(());
        }
        let before = self.state.get().and_then(|state| state.named.as_deref());
        if before == Some(path) {
            return Ok(());
        }
        let message = format!(
            "{} cannot be used for {}, because a library was opened or named before; name it first, and once",
            path.display(),
            self.sought.by
        );
        Err(Error::misuse(Reason::Contradiction, message))
    }

    /// What `find` made of the library; called where nobody has found it before.
    ///
    /// # Errors
    /// What `find` refused, now or before.
    pub fn found(&'static self, find: impl Fn(&Places<'_>) -> Result<T>) -> Result<&'static T> {
        loop {
            let before = self.state.get();
            if let Some(found) = before.and_then(|state| state.found.as_ref()) {
                return found.as_ref().map_err(Error::clone);
            }
            let named = before.and_then(|state| state.named.clone());
            // It may take long. Where somebody was first, or named a library meanwhile, that counts.
            let found = find(&Places::of(&self.sought, named.as_deref()));
            let _looked_at_anew = self.state.replace(before, State { named, found: Some(found) });
        }
    }
}

impl<'a> Places<'a> {
    fn of(sought: &'a Sought, named: Option<&Path>) -> Self {
        let variable = env::var_os(sought.variable).filter(|value| !value.is_empty());
        let (chosen_by, list) = match (named, variable) {
            (Some(path), _) => (Some("use_library"), vec![path.into()]),
            (None, Some(value)) => (Some(sought.variable), vec![value]),
            (None, None) => (None, sought.places.iter().map(OsString::from).collect()),
        };
        Self { sought, chosen_by, list }
    }

    /// The first library that `load` can open, which says in words why it cannot.
    ///
    /// # Errors
    /// `Unavailable`: with every place that was tried.
    pub fn open<L>(&self, load: impl Fn(&OsStr) -> Result<L, String>) -> Result<L> {
        let mut tried = Vec::new();
        for place in &self.list {
            match load(place) {
                Ok(library) => return Ok(library),
                Err(words) => tried.push(format!("{} ({words})", place.to_string_lossy())),
            }
        }
        Err(self.nowhere(&tried.join(", ")))
    }

    #[cold]
    fn nowhere(&self, tried: &str) -> Error {
        let Sought { what, remedy, variable, .. } = self.sought;
        let ending = self.chosen_by.map_or_else(
            || format!("{remedy}, or name a library in {variable}"),
            |who| format!("{who} named it, so nothing else was tried"),
        );
        Error::new(Kind::Unavailable, format!("no {what} was found; tried {tried}; {ending}"))
    }
}

/// The system's own words of why a library cannot be opened, which name the library and the trouble.
pub fn words(error: &dyn StdError) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl<T> fmt::Debug for State<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "State({:?})", self.named)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    const SOUGHT: Sought = Sought {
        what: "engine of tests",
        by: "tests",
        variable: "SYNCPOINT_TEST_LIBRARY",
        places: &["libone.so", "libtwo.so"],
        remedy: "install one",
    };

    fn refuse(_place: &OsStr) -> Result<u8, String> {
        Err("not there".to_owned())
    }

    #[test]
    fn every_place_that_was_tried_is_told_with_the_remedy() {
        static LIBRARY: Library<u8> = Library::new(SOUGHT);
        let error = LIBRARY.found(|places| places.open(refuse)).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(
            error.message(),
            "no engine of tests was found; tried libone.so (not there), libtwo.so (not there); install one, or name a \
             library in SYNCPOINT_TEST_LIBRARY"
        );
        let again = LIBRARY.found(|_places| Ok(1)).unwrap_err();
        assert!(again.is_same(&error), "it is searched once");
    }

    #[test]
    fn a_library_that_was_named_is_the_only_one_tried() {
        static LIBRARY: Library<u8> = Library::new(SOUGHT);
        LIBRARY.name(Path::new("/opt/lib.so")).unwrap();
        LIBRARY.name(Path::new("/opt/lib.so")).unwrap();
        assert!(LIBRARY.name(Path::new("/opt/other.so")).is_err());
        let error = LIBRARY.found(|places| places.open(refuse)).unwrap_err();
        assert_eq!(
            error.message(),
            "no engine of tests was found; tried /opt/lib.so (not there); use_library named it, so nothing else was tried"
        );
        LIBRARY.name(Path::new("/opt/lib.so")).unwrap();
    }

    /// Who names a library beside a first search is refused, or theirs is the one that is used.
    #[test]
    fn a_library_that_is_named_during_a_search_is_searched_and_used() {
        static LIBRARY: Library<String> = Library::new(SOUGHT);
        let found = LIBRARY.found(|places| {
            let _the_first_time = LIBRARY.name(Path::new("/opt/lib.so"));
            places.open(|place| Ok(place.to_string_lossy().into_owned()))
        });
        assert_eq!(found.unwrap(), "/opt/lib.so");
        let late = LIBRARY.name(Path::new("/opt/other.so")).unwrap_err();
        assert_eq!(late.kind(), Kind::Misuse(Reason::Contradiction));
    }
}
