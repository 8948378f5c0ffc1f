//! A test that runs once more, as a process of its own: with limits, variables or cores that it cannot give itself.

use std::env;
use std::process::Command;

/// Says to the child's own copy of a test what it is.
const CHILD: &str = "SYNCPOINT_TEST_CHILD";

/// Runs the test of this name again, by the program that comes first, if any, and with these variables. `true`: this is
/// that child, and the caller goes on with the test. Panics where the child fails.
#[track_caller]
pub fn is_child(test: &str, before: &[&str], variables: &[(&str, &str)]) -> bool {
    if env::var_os(CHILD).is_some() {
        return true;
    }
    let own = env::current_exe().expect("a test knows its program");
    let mut command = match before.split_first() {
        None => Command::new(own),
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).arg(own);
            command
        }
    };
    command.args(["--exact", test, "--nocapture"]).env(CHILD, "yes");
    let output = command.envs(variables.iter().copied()).output();
    let output = output.unwrap_or_else(|error| panic!("{before:?} cannot be started: {error}"));
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success() && told.contains("1 passed"), "the child failed: {told}");
    false
}
