//! The guide to the laws names tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of every Rust file below a folder, with its path.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            found.push((path.to_string_lossy().into_owned(), text));
        }
    }
}

/// What stands between marks of code and names a test: `file.rs::name`.
fn named_tests(guide: &str) -> Vec<(&str, &str)> {
    let code = guide.split('`').skip(1).step_by(2);
    code.filter_map(|code| code.split_once("::")).collect()
}

#[test]
fn every_test_that_the_guide_names_exists() {
    let guide = fs::read_to_string(root().join("docs/laws.md")).unwrap();
    let mut found = Vec::new();
    files(&root().join("crates"), &mut found);
    let named = named_tests(&guide);
    assert!(named.len() > 45, "the guide names tests");
    for (file, name) in named {
        let exists = found.iter().any(|(path, text)| {
            path.ends_with(&format!("/{file}")) && text.contains(&format!("fn {name}("))
        });
        assert!(exists, "{file} has no test {name}");
    }
}

#[test]
fn the_rows_of_bad_inputs_and_faults_are_numbered_without_a_gap() {
    let guide = fs::read_to_string(root().join("docs/laws.md")).unwrap();
    let rows: Vec<u32> = guide.lines().filter_map(number).collect();
    assert_eq!(rows, (1..=75).collect::<Vec<_>>());
}

/// The number in the first cell of a row.
fn number(line: &str) -> Option<u32> {
    line.strip_prefix("| ")?.split(" |").next()?.parse().ok()
}
