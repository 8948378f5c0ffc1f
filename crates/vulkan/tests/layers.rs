//! That the checks of the Khronos layer watch where they were asked for: without this, silence would say nothing.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod machine;
mod theirs;

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use theirs::Theirs;

/// The variable that tells a child of the test what it is there for.
const CHILD: &str = "SYNCPOINT_TEST_OF_A_HAZARD";

/// What is said of a buffer that is written twice with nothing between.
const HAZARD: &str = "SYNC-HAZARD-WRITE-AFTER-WRITE";

/// Whether this process is a child that makes a hazard.
fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Whether a child that makes the hazard of this test is broken by the layer, which says why. Nothing is asked where there
/// is no layer before the driver, or no driver.
#[track_caller]
fn assert_broken(test: &str) {
    let asked = env::var("VK_INSTANCE_LAYERS").is_ok_and(|layers| layers.contains("validation"));
    if !asked || !machine::is_there() {
        return;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains(HAZARD), "the layer says nothing of it: {said}");
    assert!(output.status.signal().is_some(), "nobody breaks: {}, {said}", output.status);
}

#[test]
fn a_hazard_breaks_the_process_where_the_layer_was_asked_for() {
    if is_child() {
        return Theirs::new().write_twice();
    }
    assert_broken("a_hazard_breaks_the_process_where_the_layer_was_asked_for");
}

/// Each of our submissions has one operation, so a hazard of ours would lie between two.
#[test]
fn a_hazard_between_two_submissions_breaks_the_process_too() {
    if is_child() {
        return Theirs::new().write_across();
    }
    assert_broken("a_hazard_between_two_submissions_breaks_the_process_too");
}
