//! The example pipelines run on every device that they can run on, and leave the checkout as it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::SystemTime,
};

use serde_json::Value;

use super::support::{Ended, Scene, examples, program, states};

fn run(arguments: &[&str]) -> Ended {
    let mut program = program();
    let ended = program.current_dir(examples().join("..")).args(arguments).output();
    ended.expect("the program starts").into()
}

/// All that is in the folder of the examples, and when it was written.
fn files() -> BTreeMap<PathBuf, SystemTime> {
    let files = examples().read_dir().expect("the examples are there").map(|file| {
        let file = file.expect("a file");
        let written = file.metadata().and_then(|data| data.modified()).expect("a time");
        (file.path(), written)
    });
    files.collect()
}

#[test]
fn overlap_is_the_first_command_of_a_newcomer() {
    let ended = run(&["run", "examples/overlap.toml"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    for part in ["all 12 steps complete", "waited for", "critical path:", "overlap:", "compute"] {
        assert!(ended.stdout.contains(part), "no {part:?} in\n{}", ended.stdout);
    }
}

#[test]
fn the_picture_of_the_readme_is_what_a_newcomer_sees() {
    let readme = fs::read_to_string(examples().join("../README.md")).expect("the README");
    let (_, below) = readme.split_once("<!-- picture -->\n```text\n").expect("a picture");
    let (picture, _) = below.split_once("```\n<!-- end of picture -->").expect("its end");
    let printed = run(&["run", "examples/overlap.toml"]).stdout;
    let printed: BTreeSet<String> = printed.lines().map(drawn).collect();
    for line in picture.lines() {
        assert!(printed.contains(&drawn(line)), "nothing like {line:?} in\n{printed:#?}");
    }
}

/// A line without what differs from run to run: numbers with their units, and what is drawn in the lanes.
fn drawn(line: &str) -> String {
    let is_drawn = |letter: char| "█▒│├┬─▏▎▍▌▋▊▉".contains(letter);
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    if rest.contains(is_drawn) && rest.ends_with('%') {
        return name.to_owned();
    }
    let words = line.split_whitespace().filter(|word| !word.contains(is_drawn));
    let is_measured = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let words = words.filter(|word| !is_measured(word) && !["ms", "us", "s"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn overlap_runs_on_every_device_of_this_machine() {
    let devices = run(&["devices", "--json"]).json();
    let backends = devices["backends"].as_array().expect("a list");
    for device in backends.iter().flat_map(|backend| backend["devices"].as_array().expect("a list"))
    {
        let name = device["name"].as_str().expect("a name");
        let ended = run(&["run", "examples/overlap.toml", "--json", "--device", name]);
        assert_eq!(ended.status, Some(0), "{name}: {}{}", ended.stdout, ended.stderr);
        let report = ended.json();
        let streams = report["streams"].as_array().expect("a list");
        assert!(streams.iter().all(|stream| stream["device"] == name), "{name}");
        assert_eq!(report["clock"]["name"], device["clock"]["name"], "times are the device's own");
        assert_overlap_is_ordered(&report);
    }
}

/// Every step begins after all that it comes after.
fn assert_overlap_is_ordered(report: &Value) {
    let steps = report["steps"].as_array().expect("a list");
    let time = |step: &Value, key: &str| step[key].as_u64().expect("a time");
    for step in steps {
        for edge in step["after"].as_array().expect("a list") {
            let before = steps.iter().find(|other| other["name"] == edge["step"]).expect("a step");
            assert!(time(before, "end_ns") <= time(step, "start_ns"), "{step} after {before}");
        }
    }
}

#[test]
fn compute_and_load_overlap() {
    let report = run(&["run", "examples/overlap.toml", "--json"]).json();
    let together = report["overlap"]["together_ns"].as_array().expect("a list");
    assert!(together.len() > 2, "never two steps at once: {together:?}");
    assert_eq!(report["critical_path"]["links"][0]["step"], "load 1");
}

#[test]
fn files_does_its_work_and_leaves_the_checkout_clean() {
    let before = files();
    let ended = run(&["run", "examples/files.toml", "--json"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    let report = ended.json();
    assert!(states(&report).iter().all(|state| *state == "complete"), "{report}");
    let sizes = super::support::step(&report, "list the sizes");
    assert!(sizes["output"].as_str().is_some_and(|said| said.contains("best.tar.gz")), "{sizes}");
    assert_eq!(files(), before);
}

#[test]
fn the_scratch_folder_goes_with_its_run() {
    let scene = Scene::of_commands(&[("s", "where", &[], "echo {scratch}; touch {scratch}/file")]);
    let (status, report) = scene.report(&[]);
    assert_eq!(status, Some(0));
    let folder = report["steps"][0]["output"].as_str().expect("a path").trim().to_owned();
    assert!(folder.contains("syncpoint-"), "{folder}");
    assert!(!PathBuf::from(folder).exists());
    assert!(report["left_behind"].is_null());
}
