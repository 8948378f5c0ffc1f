//! The parts of the README that a program can know are what the program says.
//!
//! With `SYNCPOINT_BLESS` set they are written there first, for a person to read in the difference.
// So that clippy takes the helpers for what they are: tests may unwrap.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use syncpoint::{Capabilities, Device};

/// One test, because all parts are written into one file.
#[test]
fn the_readme_counts_and_tabulates_what_is_there() {
    assert_part("<!-- capabilities -->", "<!-- end of capabilities -->", &capabilities());
    for (begin, features) in [
        ("<!-- third-party crates -->", "default"),
        ("<!-- third-party crates with cuda -->", "default,cuda"),
    ] {
        assert_part(begin, "<!-- end -->", &third_party_crates(features).to_string());
    }
    assert_part("<!-- exceptions -->", "<!-- end of exceptions -->", &exceptions());
}

fn capabilities() -> String {
    let head = "\n| Backend | timed points | between processes | external to captures | native handle | priorities \
                | clock resolution |\n|---|---|---|---|---|---|---|\n";
    let backends = syncpoint::available();
    // Those that every machine has.
    let present = backends.iter().filter(|backend| matches!(backend.devices, Ok(Some(_))));
    let rows: String = present.map(|backend| row(backend.backend)).collect();
    format!("{head}{rows}")
}

fn row(backend: &str) -> String {
    let device = syncpoint::open(backend).unwrap();
    let cells = cells(&device, device.capabilities());
    format!("| {backend} | {} |\n", cells.join(" | "))
}

fn cells(device: &Device, has: &Capabilities) -> [String; 6] {
    let yes = |has| if has { "yes".to_owned() } else { "no".to_owned() };
    let priorities = format!("{} to {}", has.priorities.least(), has.priorities.greatest());
    [
        yes(has.timing),
        yes(has.interprocess),
        yes(has.external),
        yes(has.native_handle),
        priorities,
        format!("{:?}", device.clock().resolution()),
    ]
}

/// The crates of others that a program with these features builds.
fn third_party_crates(features: &str) -> usize {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tree = Command::new(cargo);
    tree.args(["tree", "--offline", "-p", "syncpoint", "-e", "normal", "--prefix", "none"]);
    tree.args(["--features", features]);
    let output = tree.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| !name.starts_with("syncpoint")).collect::<BTreeSet<&str>>().len()
}

/// The exceptions as the suites of the backends declare them, in `crates/*/tests/conformance.rs`.
fn exceptions() -> String {
    let backends = ["host", "sim", "cuda", "vulkan"];
    let suites = backends.map(|backend| format!("crates/{backend}/tests/conformance.rs"));
    let texts = suites.map(|suite| fs::read_to_string(root().join(suite)).unwrap_or_default());
    let rows: String = backends.iter().zip(&texts).map(|(name, text)| rows(name, text)).collect();
    if rows.is_empty() {
        return format!("\nNone: every law holds on {}.\n", backends.join(", on "));
    }
    format!("\n| Backend | Law | How | Why |\n|---|---|---|---|\n{rows}")
}

/// One row for each exception in the constants of a suite; one that stands elsewhere would be missed, and is refused.
fn rows(backend: &str, suite: &str) -> String {
    let lists = suite.split("const ").skip(1).filter_map(|rest| rest.split_once(": &[Exception]"));
    let rows: Vec<String> =
        lists.flat_map(|(name, list)| rows_of(backend, suite, name, list)).collect();
    assert_eq!(
        rows.len(),
        suite.matches("law: \"").count(),
        "{backend}: an exception is in no constant"
    );
    rows.concat()
}

fn rows_of(backend: &str, suite: &str, name: &str, list: &str) -> Vec<String> {
    let known = suite.contains(&format!("known_failures({name})"));
    let how = if known { "known failure" } else { "`Unsupported`, or not yet built" };
    let body = list.split_once("];").map_or(list, |(body, _)| body);
    let row = |(law, reason)| format!("| {backend} | `{law}` | {how} | {reason} |\n");
    strings(body, "law: ").into_iter().zip(strings(body, "reason: ")).map(row).collect()
}

/// The string literals behind a field, with lines that were continued put together.
fn strings(body: &str, field: &str) -> Vec<String> {
    let literals = body.split(field).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    let whole = |text: &str| {
        let text = text.split('"').next().unwrap_or_default();
        text.split("\\\n").map(str::trim_start).collect::<String>()
    };
    literals.map(whole).collect()
}

/// Compares what stands between two marks.
#[track_caller]
fn assert_part(begin: &str, end: &str, expected: &str) {
    let path = root().join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(begin).expect(begin);
    let (found, after) = rest.split_once(end).expect(end);
    if std::env::var_os("SYNCPOINT_BLESS").is_some() {
        fs::write(&path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
        return;
    }
    assert!(
        found == expected,
        "between {begin} and {end} the README has to say\n{expected}\n(SYNCPOINT_BLESS=1 cargo test -p syncpoint \
         --test readme writes it)"
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
