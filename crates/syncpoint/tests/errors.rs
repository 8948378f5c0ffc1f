//! The guide to errors says of every kind and reason what the code says.

use std::fs;
use std::path::Path;

use syncpoint::{Kind, Reason};

const KINDS: [Kind; 8] = [
    Kind::Misuse(Reason::NotRecorded),
    Kind::Unavailable,
    Kind::Unsupported,
    Kind::TimedOut,
    Kind::Exhausted,
    Kind::Failed,
    Kind::DeviceLost,
    Kind::Driver,
];

const REASONS: [Reason; 15] = [
    Reason::NotRecorded,
    Reason::NotTimed,
    Reason::NotInterprocess,
    Reason::NotComplete,
    Reason::WrongDevice,
    Reason::WrongThread,
    Reason::StaleHandle,
    Reason::Held,
    Reason::Reversed,
    Reason::OutOfRange,
    Reason::Capturing,
    Reason::WouldDeadlock,
    Reason::GateDropped,
    Reason::GateUsed,
    Reason::Contradiction,
];

#[test]
fn the_guide_has_the_name_and_number_of_every_kind() {
    let expected = KINDS.map(|kind| {
        let debug = format!("{kind:?}");
        let variant = debug.split('(').next().unwrap_or_default().to_owned();
        vec![variant, kind.number().to_string(), kind.name().to_owned()]
    });
    assert_eq!(columns(&table("## Kinds"), 3), expected);
}

#[test]
fn the_guide_has_the_words_of_every_reason() {
    let expected = REASONS.map(|reason| vec![format!("{reason:?}"), reason.to_string()]);
    assert_eq!(columns(&table("## Reasons of a misuse"), 2), expected);
}

#[test]
fn the_reasons_tried_here_are_all_that_there_are() {
    let code = read("crates/core/src/error/kind.rs");
    let body = code.split_once("pub enum Reason {").unwrap().1.split_once("\n}").unwrap().0;
    let variants: Vec<&str> =
        body.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
    assert_eq!(variants, REASONS.map(|reason| format!("{reason:?}")));
}

#[test]
fn every_row_of_the_guide_says_what_to_do() {
    for row in [table("## Kinds"), table("## Reasons of a misuse")].concat() {
        assert!(row.last().is_some_and(|remedy| remedy.len() > 5), "{row:?} names no remedy");
    }
}

/// The rows of the table below a heading, without its head.
fn table(heading: &str) -> Vec<Vec<String>> {
    let guide = read("docs/errors.md");
    let below = guide.split_once(&format!("{heading}\n")).map_or("", |(_, below)| below);
    let rows = below.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    rows.take_while(|line| line.starts_with('|')).map(cells).collect()
}

fn cells(row: &str) -> Vec<String> {
    let cells = row.trim_matches('|').split('|');
    cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
}

fn columns(rows: &[Vec<String>], count: usize) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().take(count).cloned().collect()).collect()
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap_or_default()
}
