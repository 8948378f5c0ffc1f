//! The rules of STYLE that no compiler knows, each a test over the files of the repository.
//!
//! A rule is a pure function from a tree to its offences, so that each is also tried on small good and bad trees.

mod changelog;
mod counts;
mod first_line;
mod guide;
mod kinds;
mod laws;
mod layers;
mod oldest_rust;
mod size;
mod sync_door;
mod table;
mod tokens;
mod unfinished;
mod unsafe_code;
mod wall_clock;
mod workflows;

use crate::tree::Tree;
use crate::workshop;

/// The repository that this test was built from.
fn repository() -> Tree {
    Tree::read(&workshop::root().unwrap()).unwrap()
}

/// Fails with one line for each offence.
#[track_caller]
pub(crate) fn assert_tidy(offences: impl IntoIterator<Item = String>) {
    let offences: Vec<String> = offences.into_iter().collect();
    assert!(offences.is_empty(), "{} found:\n  {}\n", offences.len(), offences.join("\n  "));
}

/// The same for a rule that compares files: `Err` says which is missing.
#[track_caller]
pub(crate) fn assert_tidy_whole(offences: Result<Vec<String>, String>) {
    assert_tidy(offences.unwrap_or_else(|missing| vec![format!("{missing} does not exist")]));
}
