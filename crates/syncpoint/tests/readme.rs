//! The parts of the README and of the guide to the laws that a program can know are what the program says.
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
    let end_of_capabilities = "<!-- end of capabilities -->";
    assert_part("README.md", "<!-- capabilities -->", end_of_capabilities, &capabilities());
    for (begin, features) in [
        ("<!-- third-party crates -->", "default"),
        ("<!-- third-party crates with cuda -->", "default,cuda"),
    ] {
        let count = third_party_crates(features).to_string();
        assert_part("README.md", begin, "<!-- end -->", &count);
    }
    let end = "<!-- end of exceptions -->";
    assert_part("docs/laws.md", "<!-- exceptions -->", end, &exceptions());
}

fn capabilities() -> String {
    let head = "\n| Backend | timed points | events between processes | events in captured graphs | native event handle \
                | stream priorities | clock resolution |\n|---|---|---|---|---|---|---|\n";
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

/// The exceptions as the suites of the backends declare them, and those that the suite itself makes.
fn exceptions() -> String {
    let suites = BACKENDS.iter().flat_map(|backend| tests_of(backend));
    let suites = suites.filter(|text| text.contains("laws: Laws::"));
    let declared: String = suites.map(|text| rows(&text)).collect();
    let [of_children, of_systems] = ["backend.rs", "run.rs"].map(|file| {
        let text = fs::read_to_string(root().join("crates/conformance/src").join(file)).unwrap();
        rows(text.split("#[cfg(test)]").next().unwrap_or_default())
    });
    let head = "\n| Where | Laws | How | Why |\n|---|---|---|---|\n";
    format!("{head}{declared}{of_children}{of_systems}")
}

const BACKENDS: [&str; 5] = ["host", "sim", "cuda", "vulkan", "metal"];

/// The texts of all files under the tests of a backend, by their names.
fn tests_of(backend: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates").join(backend).join("tests")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (inner, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        folders.extend(inner);
        found.extend(files);
    }
    found.sort();
    found.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// One row for each exception in the constants of a file; one that stands elsewhere would be missed, and is refused.
fn rows(text: &str) -> String {
    let rows: Vec<String> = constants(text).into_iter().flat_map(|list| list.rows(text)).collect();
    let all = text.matches("laws: Laws::").count();
    assert_eq!(rows.len(), all, "an exception is in no constant:\n{text}");
    rows.concat()
}

/// A constant that holds exceptions.
struct Constant<'t> {
    name: &'t str,
    /// What its documentation says, which is where they are made.
    place: String,
    body: &'t str,
}

fn constants(text: &str) -> Vec<Constant<'_>> {
    let at = text.match_indices("const ").map(|(at, _)| at);
    at.filter_map(|at| Constant::read(&text[..at], &text[at + "const ".len()..])).collect()
}

impl<'t> Constant<'t> {
    fn read(before: &'t str, rest: &'t str) -> Option<Self> {
        let (name, rest) = rest.split_once(": ")?;
        let (kind, rest) = rest.split_once(" =")?;
        let is_one = kind.contains("Exception") && !kind.contains('\n');
        let body = rest.split("];\n").next()?.split("};\n").next()?;
        let above = before.rsplit_once('\n').map_or("", |(above, _)| above);
        let docs = above.lines().rev().map(str::trim_start);
        let docs: Vec<&str> = docs.map_while(|line| line.strip_prefix("/// ")).collect();
        let place = docs.into_iter().rev().collect::<Vec<_>>().join(" ");
        let place = place.trim_end_matches('.').to_owned();
        is_one.then_some(Self { name, place, body })
    }

    fn rows(&self, text: &str) -> Vec<String> {
        let exceptions = self.body.split("laws: Laws::").skip(1);
        exceptions.map(|exception| self.row(text, exception)).collect()
    }

    fn row(&self, text: &str, exception: &str) -> String {
        let (laws, rest) = exception.split_once("])").unwrap();
        let names: Vec<String> = literals(laws).iter().map(|law| format!("`{law}`")).collect();
        let all_but = if laws.starts_with("AllBut") { "all but " } else { "" };
        let reason = &literals(rest.split_once("reason: ").unwrap().1)[0];
        let (place, how) = self.place_and_how(text);
        format!("| {place} | {all_but}{} | {how} | {reason} |\n", names.join(", "))
    }

    fn place_and_how(&self, text: &str) -> (String, &'static str) {
        let is_given_to = |door: &str| text.contains(&format!("{door}({})", self.name));
        match () {
            () if self.name == "IN_CHILDREN" => (without_children(), "tried on host in children"),
            () if is_given_to("known_failures") => (self.place.clone(), "known failure"),
            () => (self.place.clone(), "`Unsupported`"),
        }
    }
}

/// The backends whose suites do without devices in children.
fn without_children() -> String {
    let does = |text: &String| text.contains(".without_children()");
    let do_without = BACKENDS.into_iter().filter(|backend| tests_of(backend).iter().any(does));
    do_without.collect::<Vec<_>>().join(", ")
}

/// The string literals in a text, with lines that were continued put together.
fn literals(text: &str) -> Vec<String> {
    let whole = |text: &str| text.split("\\\n").map(str::trim_start).collect::<String>();
    text.split('"').skip(1).step_by(2).map(whole).collect()
}

/// Compares what stands between two marks.
#[track_caller]
fn assert_part(file: &str, begin: &str, end: &str, expected: &str) {
    let path = root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(begin).expect(begin);
    let (found, after) = rest.split_once(end).expect(end);
    if std::env::var_os("SYNCPOINT_BLESS").is_some() {
        fs::write(&path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
        return;
    }
    assert!(
        found == expected,
        "between {begin} and {end} {file} has to say\n{expected}\n(SYNCPOINT_BLESS=1 cargo test -p syncpoint \
         --test readme writes it)"
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
