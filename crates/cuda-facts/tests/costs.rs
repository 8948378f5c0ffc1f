//! What calls cost is told in nanoseconds, or in what was not to be had: the stand-in driver has all that is asked for.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use serde_json::Value;

/// What a poller would look at, beside what it asks.
const LOOKS: [&str; 4] =
    ["cost.round_trip.query", "cost.round_trip.word", "cost.write_value", "cost.word.pending"];

#[test]
fn each_cost_is_a_time() {
    let costs = ask_the_stand_in();
    let named = |name: &&str| costs.iter().any(|cost| cost["name"] == **name);
    assert!(LOOKS.iter().all(named), "{costs:?}");
    let untold: Vec<&Value> = costs.iter().filter(|cost| !is_a_time(cost)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

fn is_a_time(cost: &Value) -> bool {
    let words = cost["outcome"]["answered"].as_str().unwrap_or_default();
    words.split_once(' ').is_some_and(|(number, unit)| {
        number.parse::<f64>().is_ok() && ["ns", "\u{b5}s"].contains(&unit)
    })
}

fn ask_the_stand_in() -> Vec<Value> {
    let mut facts = Command::new(env!("CARGO_BIN_EXE_facts"));
    facts.args(["--json", "cost.", "step."]);
    facts.env("SYNCPOINT_CUDA_LIBRARY", syncpoint_cuda_fake::library());
    let output = facts.output().expect("the program starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it writes JSON");
    report["costs"].as_array().expect("it has costs").clone()
}
