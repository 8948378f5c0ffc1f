//! A process that is stopped and continued, as a debugger or a suspended machine does it, goes on waiting.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use syncpoint::Wait;
use syncpoint_conformance::patience::PATIENCE;

/// Says to the child's own copy of this test what it is.
const CHILD: &str = "SYNCPOINT_TEST_CHILD";

#[test]
fn a_process_that_is_stopped_and_continued_goes_on_waiting() {
    if env::var_os(CHILD).is_some() {
        return wait_for_a_line();
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_process_that_is_stopped_and_continued_goes_on_waiting", "--nocapture"])
        .env(CHILD, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(&child, 'S');
    for _ in 0..3 {
        signal(&child, "STOP");
        wait_until(&child, 'T');
        signal(&child, "CONT");
        wait_until(&child, 'S');
    }
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "the child's wait: {told}");
}

/// Every wait, until the parent closes the line.
fn wait_for_a_line() {
    let stream = syncpoint::open("host:0").unwrap().stream().unwrap();
    stream.enqueue(|| std::io::read_to_string(std::io::stdin()).map(drop)).unwrap();
    let point = stream.record().unwrap();
    let policies = [Wait::Adaptive, Wait::Spin, Wait::Yield, Wait::Block, Wait::NoHelp];
    let waiting = policies.map(|wait| {
        let point = point.clone();
        thread::spawn(move || point.synchronize_with(wait, Some(PATIENCE)))
    });
    for thread in waiting {
        thread.join().unwrap().unwrap();
    }
}

fn signal(child: &Child, name: &str) {
    // The shell has `kill` built in; a program of that name is not on every machine.
    let line = format!("kill -{name} {}", child.id());
    let status = Command::new("sh").args(["-c", &line]).status();
    assert!(status.unwrap().success());
}

/// Waits until a process has this state: `S` for sleeping, `T` for stopped.
fn wait_until(child: &Child, state: char) {
    let deadline = Instant::now() + PATIENCE;
    let is_so = || {
        let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        text.rsplit(')').next().unwrap().trim_start().starts_with(state)
    };
    while !is_so() {
        assert!(Instant::now() < deadline, "the child never came to state {state}");
        thread::yield_now();
    }
}
