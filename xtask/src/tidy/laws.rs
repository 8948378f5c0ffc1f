//! Rule: every law stands in the guide, in the contract and among the conformance cases, under one name.
//!
//! The three lists are: the first column of the tables in `docs/laws.md`; lines ``- `name` `` in the documentation of
//! `crates/core/src/laws.rs`; and public functions in the files of `crates/conformance/src/cases/`. A case that is no
//! law belongs beside that folder.

use std::collections::BTreeSet;

use crate::tree::Tree;

use super::table;

const GUIDE: &str = "docs/laws.md";
const CONTRACT: &str = "crates/core/src/laws.rs";
const CASES: &str = "crates/conformance/src/cases/";

#[test]
fn every_law_has_its_case_and_every_case_its_law() {
    super::assert_tidy_whole(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Result<Vec<String>, String> {
    let lists = [
        (GUIDE, in_guide(tree).ok_or(GUIDE)?),
        (CONTRACT, in_contract(tree).ok_or(CONTRACT)?),
        (CASES, in_cases(tree).ok_or(CASES)?),
    ];
    Ok(lists.iter().flat_map(|(place, names)| missing_in(place, names, &lists)).collect())
}

/// What this list lacks of what any other has.
fn missing_in<'a>(
    place: &str,
    names: &BTreeSet<&str>,
    lists: &[(&str, BTreeSet<&'a str>)],
) -> Vec<String> {
    let all: BTreeSet<&'a str> = lists.iter().flat_map(|(_, names)| names).copied().collect();
    let lacking = all.into_iter().filter(|name| !names.contains(name));
    lacking.map(|name| format!("{place}: `{name}` is missing; the others have it")).collect()
}

fn in_guide(tree: &Tree) -> Option<BTreeSet<&str>> {
    tree.text(GUIDE).map(|text| table::names(text).filter(|name| is_snake(name)).collect())
}

fn in_contract(tree: &Tree) -> Option<BTreeSet<&str>> {
    tree.text(CONTRACT).map(|text| text.lines().filter_map(listed).collect())
}

/// The name in a line of documentation that begins with ``- `name` ``.
fn listed(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let item = line.strip_prefix("/// - `").or_else(|| line.strip_prefix("//! - `"))?;
    item.split('`').next().filter(|name| is_snake(name))
}

/// None where there is no file of cases at all.
fn in_cases(tree: &Tree) -> Option<BTreeSet<&str>> {
    let mut files = tree.rust_under(CASES).map(|(_, text)| text).peekable();
    files.peek()?;
    Some(files.flat_map(str::lines).filter_map(public_function).collect())
}

fn public_function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub fn ").or_else(|| line.strip_prefix("pub(crate) fn "))?;
    rest.split(['(', '<']).next()
}

fn is_snake(name: &str) -> bool {
    name.contains('_') && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

#[test]
fn three_equal_lists_are_accepted_in_any_order() {
    let contract = "//! The laws of the contract.\n//!\n//! - `b_c`: how.\n//! - `a_b`\n";
    assert_eq!(offences(&tree(contract)).unwrap(), [""; 0]);
}

#[test]
fn a_law_that_one_list_lacks_is_named_with_the_list() {
    let offences = offences(&tree("//! The laws.\n/// - `a_b`\n/// - `c_d`\n")).unwrap();
    let expected = [
        "docs/laws.md: `c_d` is missing; the others have it",
        "crates/core/src/laws.rs: `b_c` is missing; the others have it",
        "crates/conformance/src/cases/: `c_d` is missing; the others have it",
    ];
    assert_eq!(offences, expected);
}

#[test]
fn only_public_functions_of_the_case_files_are_cases() {
    assert_eq!(public_function("pub fn a_b(world: &World) {"), Some("a_b"));
    assert_eq!(public_function("pub(crate) fn a_b<B: Backend>(world: &B) {"), Some("a_b"));
    assert_eq!(public_function("fn helper() {"), None);
    assert_eq!(public_function("    pub fn method(&self) {"), None);
}

#[test]
fn a_list_that_is_not_written_yet_is_named() {
    let tree = Tree::of(&[(GUIDE, "| `a_b` | |\n"), (CONTRACT, "//! - `a_b`\n")]);
    assert_eq!(offences(&tree).unwrap_err(), CASES);
}

fn tree(contract: &str) -> Tree {
    let guide =
        "| law | says |\n|---|---|\n| `a_b` | x |\n| `b_c` | y |\n\n| row | test |\n| C1 | `t` |\n";
    let order = "//! Order.\npub fn a_b(world: &World) {\n}\nfn helper_of_it() {}\n";
    let state = "//! State.\npub fn b_c<B>(world: &B) {\n}\n";
    Tree::of(&[
        (GUIDE, guide),
        (CONTRACT, contract),
        ("crates/conformance/src/cases/order.rs", order),
        ("crates/conformance/src/cases/state.rs", state),
    ])
}
