//! The stand-in driver gives the answers that are expected of a real one.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use serde_json::Value;

/// The beginnings of the questions that it may not answer yet: it lacks functions. To be emptied.
const NOT_YET: &[&str] = &["capture.", "capturing.", "sharing."];

#[test]
fn the_stand_in_driver_gives_the_expected_answers() {
    let facts = ask_the_stand_in();
    let otherwise: Vec<String> = facts.iter().filter_map(offence).collect();
    assert!(otherwise.is_empty(), "{} rows\n{}", otherwise.len(), otherwise.join("\n"));
}

fn offence(fact: &Value) -> Option<String> {
    let (answered, expected) = (&fact["outcome"]["answered"], &fact["expected"]);
    let may_lack = NOT_YET.iter().any(|prefix| name(fact).starts_with(prefix));
    let is_fine = if answered.is_null() { may_lack } else { answered == expected };
    (!is_fine).then(|| format!("{}: {}, not {expected}", name(fact), fact["outcome"]))
}

fn name(fact: &Value) -> &str {
    fact["name"].as_str().unwrap_or_default()
}

fn ask_the_stand_in() -> Vec<Value> {
    let mut facts = Command::new(env!("CARGO_BIN_EXE_facts"));
    facts.args(["--json", "--no-costs"]).env("SYNCPOINT_CUDA_FAKE", "devices=2");
    facts.env("SYNCPOINT_CUDA_LIBRARY", syncpoint_cuda_fake::library());
    let output = facts.output().expect("the program starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it writes JSON");
    report["facts"].as_array().expect("it has facts").clone()
}
