//! What cannot be run is refused before anything has run, with status 2 and the remedy.

use std::{fs::File, process::Command};

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
    assert_refused(&gpu, &["--device", "there are host, cuda, vulkan, metal, sim"]);
    let many = scene.run(&["run", "pipeline.toml", "--device", "host:7"]);
    let told = "--device names host:7, which does not exist; there is only host:0\n";
    assert_eq!((many.status, many.stderr.as_str()), (Some(2), told));
    assert!(!scene.path("ran").exists());
}

#[test]
fn the_name_of_a_backend_is_its_first_device() {
    let scene = Scene::new();
    let stream = "[[stream]]\nname = \"s\"\ndevice = \"host\"\n";
    let other = "[[stream]]\nname = \"t\"\n";
    scene.write("pipeline.toml", &format!("{stream}{other}{STEP}"));
    let (status, report) = scene.report(&["--device", "sim"]);
    assert_eq!(status, Some(0), "{report:#}");
    assert_eq!(report["streams"][0]["device"], "host:0");
    assert_eq!(report["streams"][1]["device"], "sim:0");
}

#[test]
fn all_that_the_machine_lacks_is_told_each_at_its_line() {
    let scene = Scene::new();
    scene.write(
        "pipeline.toml",
        &format!(
            "[[stream]]\nname = \"s\"\npriority = -99\n[[stream]]\nname = \"t\"\ndevice = \"metal:0\"\n\
             [[buffer]]\nname = \"b\"\nbytes = 8\ndevice = \"sim:9\"\n{STEP}"
        ),
    );
    let ended = scene.run(&["run", "pipeline.toml"]);
    let told = [
        "pipeline.toml:3: stream \"s\" has priority = -99, which ",
        "    3 | priority = -99\n      |            ^^^\n",
        "pipeline.toml:6: stream \"t\" is on metal:0, which is not to be had: ",
        "pipeline.toml:10: buffer \"b\" is on sim:9, which does not exist; there are sim:0, sim:1\n",
    ];
    assert_refused(&ended, &told);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_device_of_the_file_that_is_not_here_is_told_by_its_stream() {
    let scene = Scene::new();
    let other = "[[stream]]\nname = \"t\"\ndevice = \"host:3\"\n";
    scene.write("pipeline.toml", &format!("[[stream]]\nname = \"s\"\n{other}{STEP}"));
    let ended = scene.run(&["run", "pipeline.toml"]);
    assert_refused(&ended, &["pipeline.toml:5: stream \"t\" is on host:3, which does not exist; "]);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_priority_that_the_device_lacks_is_told_with_its_range() {
    let scene = Scene::new();
    scene.write("pipeline.toml", &format!("[[stream]]\nname = \"s\"\npriority = -99\n{STEP}"));
    let ended = scene.run(&["run", "pipeline.toml"]);
    let told = "which host:0 does not have; choose one from -3 (most urgent) to 0\n";
    assert_refused(&ended, &["pipeline.toml:3: stream \"s\" has priority = -99, ", told]);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_buffer_that_nobody_has_room_for_is_told() {
    let scene = Scene::new();
    let buffer = "[[buffer]]\nname = \"b\"\nbytes = \"8000000 TiB\"\n";
    scene.write("pipeline.toml", &format!("[[stream]]\nname = \"s\"\n{buffer}{STEP}"));
    let ended = scene.run(&["run", "pipeline.toml"]);
    assert_refused(
        &ended,
        &["pipeline.toml:5: buffer \"b\" has 8796093022208000000 bytes, ", "; make it smaller"],
    );
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_scratch_folder_that_cannot_be_made_is_told_with_who_needs_it() {
    let scene = Scene::of_commands(&[("s", "x", &[], "touch {scratch}/file ran")]);
    let mut program = scene.program(&["run", "pipeline.toml"]);
    let ended = program.env("TMPDIR", "/no/such").output().expect("the program starts").into();
    let told =
        ["pipeline.toml:4: step \"x\" needs a scratch folder, ", "/no/such: ", "; set TMPDIR to "];
    assert_refused(&ended, &told);
    assert!(!scene.path("ran").exists());
}

#[test]
fn only_a_regular_file_is_read() {
    let scene = Scene::new();
    let made = Command::new("mkfifo").arg(scene.path("pipe")).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let pipe =
        "the pipeline is a pipe, a device or a socket, not a file; hand it over as standard input";
    for (path, told) in [
        (".", "the pipeline is a folder, not a file; name a file in it"),
        ("pipe", pipe),
        ("/dev/zero", pipe),
    ] {
        assert_refused(&scene.run(&["run", path]), &[&format!("{path}: {told}")]);
    }
}

#[test]
fn standard_input_is_read_to_a_bound() {
    let zeros = File::open("/dev/zero").expect("every Unix has it");
    let scene = Scene::new();
    let mut program = scene.program(&["run", "-"]);
    let ended = program.stdin(zeros).output().expect("the program starts").into();
    assert_refused(&ended, &["<stdin>: the pipeline is longer than 16 MiB; "]);
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
    let both = scene.run(&["run", "pipeline.toml", "--json", "--trace", "-"]);
    assert_refused(
        &both,
        &["--json and --trace both ask for standard output; give --trace a file"],
    );
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
    for said in ["--timeout", "--trace", "--device", "Exit status:", "124", "stays ignored"] {
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
