//! Rule: the first line of every Rust file says in one sentence which idea lives in it.

use crate::map::sentence;
use crate::tree::Tree;

#[test]
fn every_rust_file_says_in_its_first_line_what_it_is() {
    super::assert_tidy(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Vec<String> {
    let bad = tree.rust_under("").filter(|(_, text)| !is_sentence(sentence(text)));
    bad.map(|(path, _)| format!("{path}:1: begin with `//! ` and one whole sentence")).collect()
}

/// Some words that begin as a sentence does and end as one: a heading or the head of a broken line is none.
fn is_sentence(line: &str) -> bool {
    let begins = line.starts_with(|first: char| !first.is_lowercase() && !first.is_whitespace());
    begins && line.ends_with(['.', '?', '!']) && line.split_whitespace().count() >= 3
}

#[test]
fn a_sentence_on_the_first_line_is_accepted() {
    for line in ["Rule: a file has one idea.", "`host:0` runs work on threads.", "What is a point?"]
    {
        assert!(is_sentence(line), "{line}");
    }
}

#[test]
fn what_is_no_sentence_is_refused() {
    for line in [
        "",
        "Errors",
        "Error kinds.",
        "a sentence begins with a capital.",
        "A sentence that goes on",
    ] {
        assert!(!is_sentence(line), "{line}");
    }
}

#[test]
fn the_first_line_counts_in_tests_examples_benches_and_build_scripts_too() {
    let tree = Tree::of(&[
        ("build.rs", "// Builds it all.\n"),
        ("crates/a/benches/hop.rs", "\n//! The sentence comes too late.\n"),
        ("crates/a/examples/gate.rs", "//! A gate opened by hand.\n"),
        ("crates/a/tests/laws.rs", "use std::fmt;\n"),
        ("notes.md", "# Not Rust\n"),
    ]);
    let paths = ["build.rs:1", "crates/a/benches/hop.rs:1", "crates/a/tests/laws.rs:1"];
    let offences = offences(&tree);
    assert_eq!(offences.len(), paths.len());
    assert!(offences.iter().zip(paths).all(|(offence, path)| offence.starts_with(path)));
}
