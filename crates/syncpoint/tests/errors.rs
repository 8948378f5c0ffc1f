//! The guide to errors says of every kind and reason what the code says, and shows a report as it is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use syncpoint::{Gate, Kind, Reason};

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

#[test]
fn the_report_that_the_guide_shows_has_the_words_of_a_real_one() {
    // What the example does, up to the wait that runs out.
    let stream = syncpoint::open("host:0").unwrap().stream().unwrap();
    let gate = Gate::named("settings loaded");
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(|| ()).unwrap();
    let done = stream.record().unwrap();
    let error = done.synchronize_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(bare(&shown_report()), bare(&error.to_string()));
}

#[test]
fn the_places_of_that_report_are_those_of_the_example() {
    let (report, example) = (shown_report(), "crates/syncpoint/examples/gate.rs:");
    let code: Vec<String> =
        read("crates/syncpoint/examples/gate.rs").lines().map(str::to_owned).collect();
    let numbers = report.split(example).skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().unwrap()
    });
    let lines: Vec<&str> = numbers.map(|number| code[number - 1].trim()).collect();
    let calls = ["stream.record()", "stream.wait(", "Gate::named("];
    assert_eq!(lines.len(), calls.len(), "{report}");
    for (line, call) in lines.iter().zip(calls) {
        assert!(line.contains(call), "the guide says that {call} is where there is: {line}");
    }
}

/// The report in the guide.
fn shown_report() -> String {
    let guide = read("docs/errors.md");
    let below = guide.split_once("```text\n").map_or("", |(_, below)| below);
    below.split_once("\n```").map_or("", |(report, _)| report).to_owned()
}

/// A report without what differs from run to run: numbers of objects, places, and how long it was waited.
fn bare(report: &str) -> String {
    let mut previous = "";
    let mut words = Vec::new();
    for word in report.split_inclusive([' ', '\n']) {
        words.push(match previous.trim_end() {
            "stream" | "gate" | "at" | "after" => "_",
            _ => word,
        });
        previous = word;
    }
    words.concat()
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
