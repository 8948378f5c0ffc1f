//! Order: proved by what commands write into files, never by time.

use super::support::{Scene, states};

#[test]
fn a_stream_runs_its_commands_in_the_order_of_the_file() {
    let scene = Scene::of_commands(&[
        ("s", "one", &[], "echo one >> log"),
        ("s", "two", &[], "echo two >> log"),
        ("s", "three", &[], "echo three >> log"),
    ]);
    assert_eq!(scene.report(&[]).0, Some(0));
    assert_eq!(scene.read("log").as_deref(), Some("one\ntwo\nthree\n"));
}

#[test]
fn waits_order_commands_of_different_streams_against_the_file() {
    // Each copies what the one before it has made, which the file names after it. So many do not meet by luck.
    const CHAIN: usize = 40;
    let names: Vec<String> = (0..CHAIN).map(|place| format!("f{place}")).collect();
    let scripts: Vec<String> = (0..CHAIN)
        .map(|place| match place {
            0 => "echo here > f0".to_owned(),
            place => format!("cat f{} > f{place}", place - 1),
        })
        .collect();
    let waits: Vec<Vec<&str>> = (0..CHAIN)
        .map(|place| {
            place.checked_sub(1).map(|before| names[before].as_str()).into_iter().collect()
        })
        .collect();
    let step = |place: usize| {
        let name = names[place].as_str();
        (name, name, waits[place].as_slice(), scripts[place].as_str())
    };
    let scene = Scene::of_commands(&(0..CHAIN).rev().map(step).collect::<Vec<_>>());
    assert_eq!(scene.report(&[]).0, Some(0));
    assert_eq!(scene.read("f39").as_deref(), Some("here\n"));
}

#[test]
fn streams_run_at_once() {
    // Each of the two can end only while the other runs: a pipe between them has to be opened at both ends.
    let scene = Scene::of_commands(&[
        ("make", "make", &[], "mkfifo pipe"),
        ("write", "write", &["make"], "echo met > pipe"),
        ("read", "read", &["make"], "cat pipe > log"),
    ]);
    assert_eq!(scene.report(&["--timeout", "60s"]).0, Some(0));
    assert_eq!(scene.read("log").as_deref(), Some("met\n"));
}

#[test]
fn many_commands_run_at_once() {
    // None of them ends before all have begun: one counts them, and only then lets them go.
    const MANY: usize = 40;
    let names: Vec<String> = (0..MANY).map(|place| format!("s{place}")).collect();
    let meet = "exec 3<>gate; echo here > begun; read line <&3";
    let mut steps: Vec<(&str, &str, &[&str], &str)> = names
        .iter()
        .map(|name| (name.as_str(), name.as_str(), ["make"].as_slice(), meet))
        .collect();
    let count = format!(
        "exec 3<>gate 4<>begun; for each in $(seq {MANY}); do read line <&4; done; yes | head -{MANY} >&3"
    );
    steps.push(("make", "make", &[], "mkfifo gate begun"));
    steps.push(("count", "count", &["make"], &count));
    let scene = Scene::of_commands(&steps);
    let (status, report) = scene.report(&["--timeout", "60s"]);
    assert_eq!(status, Some(0), "{report:#}");
}

#[test]
fn ten_thousand_steps_run() {
    let scene = Scene::new();
    scene.write("pipeline.toml", &long_pipeline(10_000, 16));
    let (status, report) = scene.report(&[]);
    assert_eq!(status, Some(0));
    assert_eq!(states(&report).len(), 10_000);
    assert_eq!(report["streams"].as_array().map(Vec::len), Some(16));
}

#[test]
fn ten_thousand_streams_run() {
    let scene = Scene::new();
    scene.write("pipeline.toml", &long_pipeline(10_000, 10_000));
    let ended = scene.run(&["run", "pipeline.toml"]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("all 10000 steps complete"));
}

/// Steps in one chain that winds through all streams: each waits for the one before it.
fn long_pipeline(steps: usize, streams: usize) -> String {
    let stream = |place| format!("[[stream]]\nname = \"{place}\"\n");
    let step = |place: usize| {
        let wait = place.checked_sub(1).map(|before| format!("\"p{before}\"")).unwrap_or_default();
        format!(
            "[[step]]\nname = \"{place}\"\nstream = \"{}\"\nwait = [{wait}]\nrecord = \"p{place}\"\n\
             delay = \"0 ns\"\n",
            place % streams
        )
    };
    (0..streams).map(stream).chain((0..steps).map(step)).collect()
}

#[test]
fn memory_work_is_done_in_order() {
    let scene = Scene::new();
    scene.write(
        "pipeline.toml",
        "[[stream]]\nname = \"s\"\npriority = -1\n[[stream]]\nname = \"t\"\n\
         [[buffer]]\nname = \"a\"\nbytes = \"1 MiB\"\n[[buffer]]\nname = \"b\"\nbytes = \"2 MiB\"\n\
         [[step]]\nname = \"fill\"\nstream = \"s\"\nfill = { buffer = \"a\", value = 7 }\nrecord = \"p\"\n\
         [[step]]\nname = \"copy\"\nstream = \"t\"\nwait = [\"p\"]\ncopy = { from = \"a\", to = \"b\" }\n\
         [[step]]\nname = \"itself\"\nstream = \"t\"\ncopy = { from = \"b\", to = \"b\" }\n\
         [[step]]\nname = \"nothing\"\nstream = \"t\"\nfill = { buffer = \"b\", bytes = 0, value = 1 }\n",
    );
    let (status, report) = scene.report(&[]);
    assert_eq!(status, Some(0), "{report:#}");
    assert_eq!(report["streams"][0]["priority"], -1);
    assert_eq!(report["streams"][1]["priority"], 0);
}
