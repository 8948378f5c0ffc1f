//! The trace of a run is one that viewers open, whatever became of the run.

use std::{fs::File, path::Path};

use syncpoint_cli::chrome::{Summary, validate};

use super::support::{Scene, examples, program};
#[cfg(target_os = "linux")]
use {super::watched::Watched, rustix::process::Signal};

/// Checks a trace.
#[track_caller]
fn checked(path: &Path) -> Summary {
    let file = File::open(path).expect("the trace is there");
    validate(file).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_trace_of_overlap_has_every_step_and_every_wait() {
    let scene = Scene::new();
    let ended = program()
        .args(["run", "--trace"])
        .arg(scene.path("trace.json"))
        .arg(examples().join("overlap.toml"))
        .output()
        .expect("the program starts");
    assert_eq!(ended.status.code(), Some(0));
    let summary = checked(&scene.path("trace.json"));
    assert_eq!((summary.tracks, summary.slices, summary.arrows), (3, 12, 10));
}

#[test]
fn a_failed_run_has_a_trace() {
    let scene = Scene::of_commands(&[
        ("s", "good", &[], "true"),
        ("s", "bad", &[], "false"),
        ("t", "later", &["bad"], "true"),
    ]);
    assert_eq!(scene.run(&["run", "pipeline.toml", "--trace", "trace.json"]).status, Some(1));
    assert_eq!(checked(&scene.path("trace.json")).slices, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_cut_short_has_a_trace() {
    let scene = Scene::of_commands(&[
        ("s", "good", &[], "true"),
        ("s", "long", &[], "echo here > begun; sleep 1000"),
        ("t", "later", &["long"], "true"),
    ]);
    scene.pipe("begun");
    let program =
        Watched::start(&scene.program(&["run", "pipeline.toml", "--trace", "trace.json"]));
    assert_eq!(scene.hear("begun"), "here\n");
    program.signal(Signal::INT);
    assert_eq!(program.ends().status, Some(130));
    let trace = scene.read("trace.json").expect("the trace is there");
    assert!(trace.contains("long (unfinished)"), "{trace}");
    assert_eq!(checked(&scene.path("trace.json")).slices, 2);
}
