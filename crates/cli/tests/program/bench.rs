//! The costs of operations, for a person and for a program. What they are is not held to anything: machines differ.

use serde_json::Value;

use super::support::{Ended, Scene};

/// Whether the program under test was built with rivals.
const RIVALS: bool = cfg!(feature = "rivals");

fn bench(arguments: &[&str]) -> Ended {
    Scene::new().run(&[&["bench", "--quick"], arguments].concat())
}

fn rows(costs: &Value) -> &[Value] {
    costs["rows"].as_array().map_or(&[], Vec::as_slice)
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {row}"))
}

#[test]
fn every_operation_is_measured_on_the_host() {
    let ended = bench(&["--json"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let costs = ended.json();
    assert_eq!((&costs["version"], &costs["device"]), (&1.into(), &"host:0".into()));
    assert_eq!(costs["syncpoint"], env!("CARGO_PKG_VERSION"));
    assert_eq!(costs["profile"], if cfg!(debug_assertions) { "debug" } else { "release" });
    assert!(costs["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0), "{costs:#}");
    assert_eq!((&costs["rivals"], &costs["left_out"]), (&RIVALS.into(), &Value::Array(Vec::new())));
    let asked = ["enqueue", "record", "timed", "wait", "hop", "query", "trip", "notify", "await"];
    for name in asked.into_iter().chain(["synchronize", "gate", "pipeline", "delay"]) {
        let is_named = |row: &Value| row["name"].as_str().is_some_and(|row| row.contains(name));
        assert!(rows(&costs).iter().any(is_named), "no {name} in {costs:#}");
    }
    assert!(rows(&costs).iter().all(|row| number(row, "ns") > 0.0), "{costs:#}");
}

#[test]
fn a_row_has_its_rival_if_the_build_has_rivals() {
    let costs = bench(&["--json", "--filter", "empty"]).json();
    let [row] = rows(&costs) else { panic!("more or less than one row in {costs:#}") };
    if RIVALS {
        let ratio = number(row, "ns") / number(row, "rival_ns");
        assert_eq!(row["rival"], "crossbeam send");
        assert!((number(row, "ratio") - ratio).abs() < 1e-9, "{row}");
    } else {
        let absent = ["rival", "rival_ns", "ratio"].map(|key| row.get(key));
        assert_eq!(absent, [Some(&Value::Null); 3], "{row}");
    }
}

#[test]
fn text_has_a_line_for_each_row_and_a_debug_build_warns_twice() {
    let ended = bench(&["--filter", "query"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    for name in ["record and query, idle stream", "query, complete point"] {
        assert!(ended.stdout.lines().any(|line| line.starts_with(name)), "{}", ended.stdout);
    }
    assert_eq!(ended.stdout.contains("--features rivals"), !RIVALS, "{}", ended.stdout);
    let warnings = [&ended.stdout, &ended.stderr].map(|text| text.contains("MEAN NOTHING"));
    assert_eq!(warnings, [cfg!(debug_assertions); 2], "{ended:?}");
    assert!(!ended.stdout.contains('\u{1b}') && ended.stderr.lines().count() <= 1, "{ended:?}");
}

#[test]
fn any_device_can_be_measured() {
    let costs = bench(&["--json", "--device", "sim", "--filter", "idle"]).json();
    assert_eq!(costs["device"], "sim:0");
    assert_eq!(rows(&costs).len(), 3, "{costs:#}");
}

#[test]
fn bad_arguments_are_told_with_the_remedy() {
    let cases: [(&[&str], &str); 4] = [
        (&["--filter", "qurey"], "no case has \"qurey\" in its name; there are\n  enqueue, busy"),
        (&["--device", "host:7"], "--device names host:7, which does not exist; there is only"),
        (&["--device", "gpu"], "\"gpu\" names no backend; there are host"),
        (&["--jsno"], "--json"),
    ];
    for (arguments, said) in cases {
        let ended = bench(arguments);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(said), "no {said:?} in {}", ended.stderr);
    }
}
