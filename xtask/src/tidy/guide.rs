//! Rule: the guide to the laws names tests that exist, and has a row for whatever users do wrong.

use crate::tree::Tree;

const GUIDE: &str = "docs/laws.md";

/// The crates whose names stand before files of theirs.
const CRATES: [&str; 8] =
    ["conformance", "core", "cuda", "host", "metal", "sim", "syncpoint", "vulkan"];

/// How far the rows are numbered: what users do wrong, and troubles of others with Metal, with its events, with Vulkan and with
/// CUDA.
const LAST: [(&str, u32); 5] = [("", 83), ("N", 13), ("M", 30), ("O", 7), ("C", 31)];

/// How the cell of a row begins that names no test of its own.
const REASONS: [&str; 4] = ["as ", "untested: ", "impossible", "by construction: "];

/// From this row on each names a test, or says why there is none.
const FIRST_OF_COUNTERS: u32 = 76;

#[test]
fn every_test_that_the_guide_names_exists() {
    super::assert_tidy_whole(with_guide(missing_tests));
}

#[test]
fn every_file_that_the_guide_names_alone_has_tests_and_is_of_the_crate_before_it() {
    super::assert_tidy_whole(with_guide(missing_files));
}

#[test]
fn the_rows_of_the_guide_are_numbered_without_a_gap() {
    super::assert_tidy_whole(with_guide(|_, guide| gaps(guide)));
}

#[test]
fn every_row_of_counters_names_a_test_or_why_there_is_none() {
    super::assert_tidy_whole(with_guide(|_, guide| untold(guide)));
}

fn with_guide(offences: fn(&Tree, &str) -> Vec<String>) -> Result<Vec<String>, String> {
    let tree = super::repository();
    let guide = tree.text(GUIDE).ok_or(GUIDE)?;
    Ok(offences(&tree, guide))
}

/// What stands between marks of code as `file.rs::name`, and is no function of such a file.
fn missing_tests(tree: &Tree, guide: &str) -> Vec<String> {
    let code = guide.split('`').skip(1).step_by(2);
    let named = code.filter_map(|code| code.split_once("::"));
    let missing = named.filter(|(file, name)| {
        let (end, function) = (format!("/{file}"), format!("fn {name}("));
        let mut files = tree.rust_under("crates/").filter(|(path, _)| path.ends_with(&end));
        !files.any(|(_, text)| text.contains(&function))
    });
    missing.map(|(file, name)| format!("{GUIDE}: no {file} has a test {name}")).collect()
}

fn missing_files(tree: &Tree, guide: &str) -> Vec<String> {
    let named = guide.lines().flat_map(pieces).filter(|(_, code)| is_file(code));
    let missing = named.filter(|(before, file)| {
        let known = CRATES.iter().find(|name| *name == before);
        let folder = known.map_or_else(|| "crates/".to_owned(), |name| format!("crates/{name}/"));
        let is_it = |path: &str| format!("/{path}").contains(&format!("/{file}"));
        let is_tested = |path: &str, text: &str| text.contains("#[test]") || path.contains("/src/");
        !tree.rust_under(&folder).any(|(path, text)| is_it(path) && is_tested(path, text))
    });
    missing
        .map(|(before, file)| format!("{GUIDE}: {before} {file} is no file with tests"))
        .collect()
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

/// Whether a piece of code is a file or folder of tests by itself.
fn is_file(code: &str) -> bool {
    let is_rust = code.rsplit_once('.').is_some_and(|(_, end)| end == "rs");
    !code.contains("::") && !code.contains(' ') && (is_rust || code.ends_with('/'))
}

fn gaps(guide: &str) -> Vec<String> {
    let found = |letter: &str| -> Vec<u32> {
        rows(guide).filter_map(|(row, _)| row.strip_prefix(letter)?.parse().ok()).collect()
    };
    let wrong =
        LAST.iter().filter(|(letter, last)| found(letter) != (1..=*last).collect::<Vec<_>>());
    wrong
        .map(|(letter, last)| format!("{GUIDE}: the rows {letter}1 to {letter}{last} have a gap"))
        .collect()
}

fn untold(guide: &str) -> Vec<String> {
    let names_a_test = |cell: &str| cell.contains("::") || cell.contains("` of `test_");
    let is_told =
        |cell: &str| names_a_test(cell) || REASONS.iter().any(|reason| cell.starts_with(reason));
    let untold = rows(guide).filter(|(row, cell)| is_of_counters(row) && !is_told(cell));
    untold.map(|(row, _)| format!("{GUIDE}: {row} names no test, nor why there is none")).collect()
}

fn is_of_counters(row: &str) -> bool {
    let of_others =
        row.strip_prefix(['C', 'M', 'N', 'O']).and_then(|number| number.parse::<u32>().ok());
    of_others.is_some() || row.parse().is_ok_and(|row: u32| row >= FIRST_OF_COUNTERS)
}

/// The first and the third cell of each row of three.
fn rows(guide: &str) -> impl Iterator<Item = (&str, &str)> {
    guide.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        Some((cells.next()?, cells.nth(1)?))
    })
}

#[test]
fn a_test_that_does_not_exist_is_told_with_its_file() {
    let tree = Tree::of(&[("crates/a/tests/b.rs", "#[test]\nfn c() {}\n")]);
    let guide = "| 1 | x | a `b.rs::c`, `b.rs::d`, `e.rs::c` |";
    let expected = ["docs/laws.md: no b.rs has a test d", "docs/laws.md: no e.rs has a test c"];
    assert_eq!(missing_tests(&tree, guide), expected);
}

#[test]
fn a_file_is_one_of_the_crate_before_it() {
    let tree = Tree::of(&[("crates/host/tests/b.rs", "#[test]\nfn c() {}\n")]);
    let expected = ["docs/laws.md: sim `b.rs` is no file with tests".replace('`', "")];
    assert_eq!(missing_files(&tree, "host `b.rs`, sim `b.rs`"), expected);
}

#[test]
fn a_row_without_a_test_says_why() {
    let guide = "| 75 | x | y |\n| 76 | x | `a.rs::b` |\n| 77 | x | as 76 |\n| N1 | x | was so |\n| M1 | x | by construction: y |\n";
    assert_eq!(untold(guide), ["docs/laws.md: N1 names no test, nor why there is none"]);
    assert_eq!(gaps(guide).len(), 5);
}
