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

/// The pieces of code in a text, each with the word before it.
fn pieces(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    let pieces = parts.chunks_exact(2).map(|pair| {
        let before = pair[0].split_whitespace().next_back().unwrap_or_default();
        (before, pair[1])
    });
    pieces.collect()
}

/// The crates whose names stand before files of theirs.
const CRATES: [&str; 6] = ["conformance", "core", "cuda", "host", "sim", "syncpoint"];

#[test]
fn every_file_that_the_guide_names_alone_has_tests_and_is_of_the_crate_before_it() {
    let guide = fs::read_to_string(root().join("docs/laws.md")).unwrap();
    let mut found = Vec::new();
    files(&root().join("crates"), &mut found);
    let named: Vec<_> = guide.lines().flat_map(pieces).filter(|(_, code)| is_file(code)).collect();
    assert!(named.len() > 25, "the guide names files");
    for (before, file) in named {
        let of_crate = CRATES.iter().find(|name| **name == before);
        let folder =
            of_crate.map_or_else(|| "/crates/".to_owned(), |name| format!("/crates/{name}/"));
        let exists = found.iter().any(|(path, text)| {
            let is_it = path.contains(&folder) && path.contains(&format!("/{file}"));
            is_it && (text.contains("#[test]") || path.contains("/src/"))
        });
        assert!(exists, "{before} {file} is no file with tests");
    }
}

/// Whether a piece of code is a file or folder of tests by itself.
fn is_file(code: &str) -> bool {
    let is_rust = code.rsplit_once('.').is_some_and(|(_, end)| end == "rs");
    !code.contains("::") && !code.contains(' ') && (is_rust || code.ends_with('/'))
}

#[test]
fn every_law_of_the_guide_is_a_case_in_the_file_of_its_section() {
    let guide = fs::read_to_string(root().join("docs/laws.md")).unwrap();
    let (laws, _) = guide.split_once("## Bad inputs").unwrap();
    let (mut cases, mut count) = (String::new(), 0);
    for row in laws.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0].starts_with("**") {
            let file = root().join("crates/conformance/src").join(cells[2].trim_matches('`'));
            cases = fs::read_to_string(file).unwrap();
        } else if let Some(law) = cells[0].strip_prefix('`') {
            let law = law.trim_end_matches('`');
            assert!(cases.contains(&format!("pub fn {law}(")), "{law} is no case of its section");
            assert!(cells[2].starts_with("case"), "{law} is tested by its case, whatever else");
            count += 1;
        }
    }
    assert_eq!(count, syncpoint_conformance::LAWS.len());
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
