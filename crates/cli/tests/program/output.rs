//! What the program prints, and where.

use std::{fs::File, io, process::Stdio};

use syncpoint_cli::chrome::validate;

use super::support::{Ended, Scene, step};

#[test]
fn the_output_of_a_command_is_kept_up_to_a_bound() {
    let scene = Scene::of_commands(&[("s", "count", &[], "seq 1 200000; echo the end >&2")]);
    let (status, report) = scene.report(&[]);
    assert_eq!(status, Some(0));
    let count = step(&report, "count");
    let output = count["output"].as_str().expect("a text");
    assert!(output.ends_with("\n200000\nthe end\n"), "{output}");
    assert!(output.len() <= 32 * 1024 && output.len() > 30 * 1024, "{}", output.len());
    let all: usize = (1..=200_000).map(|number: u32| number.to_string().len() + 1).sum();
    assert_eq!(count["output_cut"].as_u64(), Some((all + 8 - output.len()) as u64));
}

#[test]
fn a_command_has_no_input() {
    let scene = Scene::of_commands(&[("s", "read", &[], "cat; echo over")]);
    let mut program = scene.program(&["run", "pipeline.toml", "--json"]);
    let ended = program.stdin(Stdio::piped()).output().expect("the program starts");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("\"over\\n\""));
}

#[test]
fn nothing_but_the_result_is_on_standard_output() {
    let scene = Scene::of_commands(&[("s", "loud", &[], "echo out; echo err >&2")]);
    let ended = scene.run(&["run", "pipeline.toml", "--json"]);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.json()["steps"][0]["output"], "out\nerr\n");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for arguments in [
        ["run", "pipeline.toml"].as_slice(),
        &["run", "pipeline.toml", "--json"],
        &["devices"],
        &["--help"],
    ] {
        let scene = Scene::of_commands(&[("s", "done", &[], "touch done")]);
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let ended = scene.program(arguments).stdout(writer).output().expect("the program starts");
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has a full disk");
    let scene = Scene::of_commands(&[("s", "done", &[], "true")]);
    let ended = scene.program(&["run", "pipeline.toml"]).stdout(full).output().expect("it starts");
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.starts_with("the report cannot be written: "), "{said}");
}

#[test]
fn a_pipeline_can_come_from_standard_input() {
    let scene = Scene::of_commands(&[("s", "here", &[], "touch done")]);
    let pipeline = File::open(scene.path("pipeline.toml")).expect("the pipeline");
    let mut program = scene.program(&["run", "-", "--json"]);
    let ended: Ended = program.stdin(pipeline).output().expect("the program starts").into();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.json()["pipeline"], "<stdin>");
    assert!(scene.path("done").exists(), "the current folder is not that of its commands");
}

#[test]
fn a_trace_on_standard_output_has_it_alone() {
    for output in ["-", "/dev/stdout"] {
        let scene = Scene::of_commands(&[("s", "x", &[], "true")]);
        let ended = scene.run(&["run", "pipeline.toml", "--trace", output]);
        assert_eq!(ended.status, Some(0));
        let summary = validate(ended.stdout.as_bytes()).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(summary.slices, 1);
        assert!(ended.stderr.starts_with("pipeline.toml: "), "{}", ended.stderr);
        assert!(ended.stderr.contains("critical path:"), "{}", ended.stderr);
    }
}

#[test]
fn the_picture_is_as_wide_as_columns_says() {
    let scene = Scene::of_commands(&[("s", "done", &[], "true")]);
    for columns in [60, 132] {
        let mut program = scene.program(&["run", "pipeline.toml"]);
        let ended = program.env("COLUMNS", columns.to_string()).output().expect("it starts");
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        let lane = text.lines().find(|line| line.starts_with("s  ")).expect("a lane");
        assert_eq!(lane.chars().count(), columns, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
