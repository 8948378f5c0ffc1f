//! The stand-in driver gives the answers that are expected of a real one.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use serde_json::Value;

#[test]
fn the_stand_in_driver_gives_the_expected_answers() {
    let facts = ask_the_stand_in();
    assert!(facts.len() >= 60, "{} facts", facts.len());
    let otherwise: Vec<String> = facts.iter().filter_map(offence).collect();
    assert!(otherwise.is_empty(), "{} rows\n{}", otherwise.len(), otherwise.join("\n"));
}

fn offence(fact: &Value) -> Option<String> {
    let (outcome, expected) = (&fact["outcome"], &fact["expected"]);
    (outcome["answered"] != *expected)
        .then(|| format!("{}: {outcome}, not {expected}", fact["name"]))
}

fn ask_the_stand_in() -> Vec<Value> {
    let mut facts = Command::new(env!("CARGO_BIN_EXE_facts"));
    facts.args(["--json", "--no-costs"]).env("SYNCPOINT_CUDA_FAKE", "devices=2");
    facts.env("SYNCPOINT_CUDA_LIBRARY", syncpoint_cuda_fake::library());
    let output = facts.output().expect("the program starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it writes JSON");
    report["facts"].as_array().expect("it has facts").clone()
}
