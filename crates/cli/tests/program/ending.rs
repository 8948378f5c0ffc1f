//! Timeouts and signals end the program promptly, with all of its commands, and it says what it waited for.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::{
    support::{Scene, path, step},
    watched::{PROMPT, Process, Watched},
};

/// A command that tells its own number and that of its child, and then runs for ever.
const FOR_EVER: &str = "sleep 1000 & echo $$ $! > pids; wait";
/// The same, and neither can be talked into ending.
const STUBBORN: &str = "trap '' TERM; sleep 1000 & echo $$ $! > pids; wait; wait";

/// A pipeline of which one step runs for ever, one is done, and the others wait.
fn scene(script: &str) -> Scene {
    let scene = Scene::of_commands(&[
        ("a", "done", &[], "echo said before"),
        ("b", "long", &["done"], &format!("echo so far; {script}")),
        ("b", "next", &[], "touch ran"),
        ("c", "last", &["next"], "touch ran"),
    ]);
    scene.pipe("pids");
    scene
}

fn start(scene: &Scene, arguments: &[&str]) -> Watched {
    Watched::start(&scene.program(&[&["run", "pipeline.toml"], arguments].concat()))
}

#[track_caller]
fn assert_all_end(processes: &[Process]) {
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|process| process.ends_within(PROMPT)), "a command lives on");
}

/// Checks what the report of a run says that was cut short while its long step ran.
#[track_caller]
fn assert_told(report: &Value, verdict: &str) {
    assert_eq!(report["verdict"], verdict);
    let state = |name: &str| step(report, name)["state"].as_str().expect("a state").to_owned();
    assert_eq!(
        ["done", "long", "next", "last"].map(state),
        ["complete", "unfinished", "unfinished", "unfinished"]
    );
    assert_eq!(step(report, "long")["output"], "so far\n");
    assert!(step(report, "long")["start_ns"].is_u64() && step(report, "long")["end_ns"].is_null());
    assert!(step(report, "next")["start_ns"].is_null());
    let held = report["held_up"].as_array().expect("a list");
    let held: Vec<_> =
        held.iter().map(|hold| (hold["step"].as_str(), hold["edge"]["point"].as_str())).collect();
    assert_eq!(held, [(Some("last"), Some("next")), (Some("long"), None)]);
}

#[test]
fn ctrl_c_ends_every_command_and_tells_what_was_waited_for() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let scene = scene(FOR_EVER);
        let program = start(&scene, &["--json"]);
        let commands = scene.hear_processes("pids");
        program.signal(signal);
        let ended = program.ends();
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(status), ""));
        assert_all_end(&commands);
        assert_told(&ended.json(), "interrupted");
        assert!(!scene.path("ran").exists());
    }
}

#[test]
fn a_timeout_ends_every_command_and_tells_what_was_waited_for() {
    // Long enough for the commands to begin on a machine that has much else to do.
    let scene = scene(FOR_EVER);
    let program = start(&scene, &["--json", "--timeout", "10s"]);
    let commands = scene.hear_processes("pids");
    let ended = program.ends();
    assert_eq!(ended.status, Some(124));
    assert!(ended.stderr.starts_with("1 of 4 steps ended after "), "{}", ended.stderr);
    assert_all_end(&commands);
    let report = ended.json();
    assert_told(&report, "timed_out");
    assert!(report["wall_ns"].as_u64().is_some_and(|wall| wall >= 9_900_000_000));
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_command_that_does_not_listen_is_killed() {
    let scene = scene(STUBBORN);
    let program = start(&scene, &[]);
    let commands = scene.hear_processes("pids");
    program.signal(Signal::INT);
    let ended = program.ends();
    assert_eq!(ended.status, Some(130));
    assert_all_end(&commands);
    for line in [
        "pipeline.toml: interrupted after ",
        "what held the run up:\n  last waited for next (next)\n  long, before next on its stream, was still running\n",
        "; 1 step behind it had not begun",
        "last had not begun: it waited for next (next)",
    ] {
        assert!(ended.stdout.contains(line), "no {line:?} in\n{}", ended.stdout);
    }
}

#[test]
fn a_second_signal_exits_at_once_and_leaves_nobody() {
    let scene = scene(STUBBORN);
    let program = start(&scene, &[]);
    let commands = scene.hear_processes("pids");
    // Two of one kind could become one on the way.
    program.signal(Signal::INT);
    program.signal(Signal::TERM);
    let ended = program.ends();
    // Which of two that come together is the second is the system's to say.
    assert!([Some(130), Some(143)].contains(&ended.status), "{:?}", ended.status);
    assert_eq!(ended.stdout, "");
    assert_all_end(&commands);
}

#[test]
fn a_timeout_of_nothing_begins_nothing() {
    let scene = Scene::of_commands(&[("s", "x", &[], "touch ran")]);
    // More than once: a step that may begin is ended before it does anything, more often than not.
    for _ in 0..10 {
        let ended = start(&scene, &["--timeout", "0s", "--json"]).ends();
        assert_eq!(ended.status, Some(124), "{}", ended.stderr);
        let report = ended.json();
        let step = &report["steps"][0];
        assert_eq!((&step["state"], &step["start_ns"]), (&"unfinished".into(), &Value::Null));
        assert!(!scene.path("ran").exists());
    }
}

#[test]
fn device_work_does_not_hold_up_a_timeout() {
    let scene = Scene::new();
    scene.write(
        "pipeline.toml",
        "[[stream]]\nname = \"s\"\n[[step]]\nname = \"rest\"\nstream = \"s\"\ndelay = \"1000s\"\n",
    );
    let ended = start(&scene, &["--timeout", "10s"]).ends();
    assert_eq!(ended.status, Some(124));
    assert!(ended.stdout.contains("rest was still running, "), "{}", ended.stdout);
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let scene = Scene::of_commands(&[("s", "x", &[], "echo here > pids; read line < go")]);
    scene.pipe("pids");
    scene.pipe("go");
    let mut shell = Command::new("sh");
    shell.current_dir(scene.path("."));
    shell.args(["-c", "trap '' HUP; exec \"$0\" run pipeline.toml", &path()]);
    let program = Watched::start(&shell);
    assert_eq!(scene.hear("pids"), "here\n");
    program.signal(Signal::HUP);
    scene.write("go", "on\n");
    assert_eq!(program.ends().status, Some(0));
}

#[test]
fn a_command_that_asks_for_the_terminal_fails_and_holds_nobody_up() {
    // What the system does to a command in the background that reads from the terminal, as `ssh` does for a password.
    let asks = "echo password:; kill -TTIN $$; echo typed";
    let scene = Scene::of_commands(&[("s", "asks", &[], asks), ("t", "free", &[], "true")]);
    let ended = start(&scene, &["--json"]).ends();
    assert_eq!(ended.status, Some(1));
    let report = ended.json();
    let asks = step(&report, "asks");
    assert_eq!(asks["output"], "password:\n");
    let reason = asks["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("sh asked for the terminal, which no command has; "), "{reason}");
    assert_eq!(step(&report, "free")["state"], "complete");
}

#[test]
fn what_a_command_leaves_running_is_ended_with_it() {
    let leave = "sleep 1000 & echo $!";
    let scene = Scene::of_commands(&[("s", "leaves", &[], leave)]);
    let ended = start(&scene, &["--json"]).ends();
    assert_eq!(ended.status, Some(0), "{}", ended.stdout);
    let report = ended.json();
    let pid = report["steps"][0]["output"].as_str().and_then(|said| said.trim().parse().ok());
    // It was told to end before the step was; it may still be about to.
    let left = pid.and_then(Pid::from_raw).map(Process::find).expect("a process");
    assert!(left.is_none_or(|left| left.ends_within(PROMPT)), "it lives on");
}

#[test]
fn whoever_leaves_the_group_of_a_command_holds_nobody_up() {
    // The command ends once the other has left, which keeps the pipe of its output open.
    let leave = "setsid sh -c 'echo $$ > left; sleep 1000' & read pid < left; echo $pid; echo bye";
    let scene = Scene::of_commands(&[("s", "leaves", &[], leave)]);
    scene.pipe("left");
    let ended = start(&scene, &["--json"]).ends();
    assert_eq!(ended.status, Some(0), "{}", ended.stdout);
    let report = ended.json();
    let said = report["steps"][0]["output"].as_str().expect("a text");
    let (pid, bye) = said.split_once('\n').expect("two lines");
    assert_eq!(bye, "bye\n");
    let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a process");
    let daemon = Process::of(pid);
    kill_process_group(pid, Signal::KILL).expect("it is its own master");
    assert!(daemon.ends_within(PROMPT));
}
