//! A test that runs once more, as a process of its own: with limits, variables or cores that it cannot give itself.

use std::env;
use std::process::{Command, Output};
use std::thread;

/// Says to the child's own copy of a test what it is.
const CHILD: &str = "SYNCPOINT_TEST_CHILD";

/// Runs the test of this name again, by the program that comes first, if any, and with these variables. `true`: this is
/// that child, and the caller goes on with the test. Panics where the child fails.
#[track_caller]
pub fn is_child(test: &str, before: &[&str], variables: &[(&str, &str)]) -> bool {
    let Some(output) = child(test, before, variables) else { return true };
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success() && told.contains("1 passed"), "the child failed: {told}");
    false
}

/// How such a child ended; `None`: this is that child.
pub fn child(test: &str, before: &[&str], variables: &[(&str, &str)]) -> Option<Output> {
    if env::var_os(CHILD).is_some() {
        return None;
    }
    let own = env::current_exe().expect("a test knows its program").into_os_string();
    let mut words = before.iter().map(Into::into).chain([own]);
    let mut command = Command::new(words.next()?);
    command.args(words).args(["--exact", test, "--nocapture"]).env(CHILD, "yes");
    let output = command.envs(variables.iter().copied()).output();
    Some(output.unwrap_or_else(|error| panic!("{before:?} cannot be started: {error}")))
}

/// The child's address space in KiB: room for the program, and not for much more.
const ADDRESS_SPACE: &str = "600000";

/// As [`is_child`], in a small address space, to be filled with [`ballast`].
#[track_caller]
pub fn is_cramped_child(test: &str) -> bool {
    is_child(test, &["sh", "-c", &limited()], &[])
}

/// As [`child`], in a small address space.
pub fn cramped_child(test: &str) -> Option<Output> {
    child(test, &["sh", "-c", &limited()], &[])
}

fn limited() -> String {
    format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\"")
}

/// Memory held so that nothing of the size of a stack is left. Small things still fit.
pub fn ballast() -> Vec<Vec<u8>> {
    const CHUNK: usize = 1 << 20;
    let mut ballast = Vec::with_capacity(4096);
    loop {
        let mut chunk = Vec::new();
        if chunk.try_reserve_exact(CHUNK).is_err() {
            break;
        }
        ballast.push(chunk);
    }
    // Room again for what is no stack: one of those has 2 MiB.
    ballast.pop();
    assert!(thread::Builder::new().spawn(|| ()).is_err(), "no thread can be made now");
    ballast
}
