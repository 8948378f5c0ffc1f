//! What cannot be run is refused before anything has run, with status 2 and the remedy.

use super::support::{Ended, Scene};

/// Checks that something was refused, with nothing on standard output.
#[track_caller]
fn assert_refused(ended: &Ended, said: &[&str]) {
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    for said in said {
        assert!(ended.stderr.contains(said), "no {said:?} in\n{}", ended.stderr);
    }
}

const STEP: &str = "[[step]]\nname = \"x\"\nstream = \"s\"\ncommand = [\"touch\", \"ran\"]\n";

#[test]
fn a_bad_file_is_told_by_file_and_line() {
    let scene = Scene::new();
    scene.write("bad.toml", "[[stream]]\nname = \"load\"\n\n[[step]]\nname = \"x\"\nstream = \"laod\"\ndelay = \"1ms\"\n");
    let ended = scene.run(&["run", "bad.toml"]);
    assert_refused(&ended, &["bad.toml:6: ", "did you mean \"load\"?"]);
}

#[test]
fn a_missing_file_is_told_by_its_path() {
    assert_refused(
        &Scene::new().run(&["run", "none.toml"]),
        &["none.toml: the file cannot be read"],
    );
}

#[test]
fn a_device_that_is_none_is_told_with_those_that_are() {
    let scene = Scene::of_commands(&[("s", "x", &[], "touch ran")]);
    let gpu = scene.run(&["run", "pipeline.toml", "--device", "gpu"]);
    assert_refused(&gpu, &["--device", "write \"host:0\""]);
    let many = scene.run(&["run", "pipeline.toml", "--device", "host:7"]);
    assert_refused(&many, &["host:7 does not exist", "host has 1"]);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_device_of_the_file_that_is_not_here_is_told_by_its_stream() {
    let scene = Scene::new();
    let other = "[[stream]]\nname = \"t\"\ndevice = \"host:3\"\n";
    scene.write("pipeline.toml", &format!("[[stream]]\nname = \"s\"\n{other}{STEP}"));
    let ended = scene.run(&["run", "pipeline.toml"]);
    assert_refused(&ended, &["stream \"t\": ", "host:3 does not exist"]);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_priority_that_the_device_lacks_is_told_with_its_range() {
    let scene = Scene::new();
    scene.write("pipeline.toml", &format!("[[stream]]\nname = \"s\"\npriority = -99\n{STEP}"));
    let ended = scene.run(&["run", "pipeline.toml"]);
    assert_refused(&ended, &["stream \"s\": priority -99 is outside", "(least urgent)"]);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_buffer_that_nobody_has_room_for_is_told() {
    let scene = Scene::new();
    let buffer = "[[buffer]]\nname = \"b\"\nbytes = \"8000000 TiB\"\n";
    scene.write("pipeline.toml", &format!("[[stream]]\nname = \"s\"\n{buffer}{STEP}"));
    let ended = scene.run(&["run", "pipeline.toml"]);
    assert_refused(&ended, &["buffer \"b\": ", "no room"]);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_command_runs_on_the_host_only() {
    let scene = Scene::of_commands(&[("s", "x", &[], "touch ran")]);
    let ended = scene.run(&["run", "pipeline.toml", "--device", "sim:0"]);
    assert_refused(&ended, &["pipeline.toml:", "only the host runs commands"]);
}

#[test]
fn bad_arguments_are_told_with_the_remedy() {
    let scene = Scene::of_commands(&[("s", "x", &[], "touch ran")]);
    let cases: [(&[&str], &str); 6] = [
        (&["run", "pipeline.toml", "--timeout", "30"], "such as \"30s\""),
        (&["run", "pipeline.toml", "--timeout", "-1s"], "is negative; a time is 0 or more"),
        (&["run", "pipeline.toml", "--tarce", "x"], "--trace"),
        (&["run"], "FILE.toml"),
        (&["rnu"], "unrecognized subcommand"),
        (&[], "Usage"),
    ];
    for (arguments, said) in cases {
        assert_refused(&scene.run(arguments), &[said]);
    }
    assert!(!scene.path("ran").exists());
}

#[test]
fn help_and_version_are_results() {
    let scene = Scene::new();
    let version = scene.run(&["--version"]);
    assert_eq!((version.status, version.stderr.as_str()), (Some(0), ""));
    assert_eq!(version.stdout, format!("syncpoint {}\n", env!("CARGO_PKG_VERSION")));
    let help = scene.run(&["run", "--help"]);
    assert_eq!(help.status, Some(0));
    for said in ["--timeout", "--trace", "--device", "Exit status:", "124"] {
        assert!(help.stdout.contains(said), "no {said:?} in\n{}", help.stdout);
    }
}

#[test]
fn a_trace_that_cannot_be_written_costs_no_run() {
    let scene = Scene::of_commands(&[("s", "x", &[], "touch ran")]);
    let ended = scene.run(&["run", "pipeline.toml", "--trace", "no/such/trace.json"]);
    assert_refused(&ended, &["no/such/trace.json: the trace cannot be written"]);
    let pipeline = scene.read("pipeline.toml");
    let ended = scene.run(&["run", "pipeline.toml", "--trace", "./pipeline.toml"]);
    assert_refused(&ended, &["it is the pipeline"]);
    assert_eq!(scene.read("pipeline.toml"), pipeline);
    assert!(!scene.path("ran").exists());
}
