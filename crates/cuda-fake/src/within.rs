//! Running a test in a process whose driver is the library.

use std::env;
use std::process::{Command, Output};

use crate::found::folder;

/// Set in the process in which a test goes to work.
const WITHIN: &str = "SYNCPOINT_CUDA_FAKE_TEST";

/// Runs a test in a process of its own, in which the loader finds the library where programs look for the driver.
///
/// `name` is that of the test, with its modules, as the test harness shows it; `script` is what the library is to pretend.
/// In the new process, this function calls `test` and nothing else. Code that opens `libcuda` by itself, as cudarc does,
/// needs this: the loader has read `LD_LIBRARY_PATH` before a test begins.
///
/// # Panics
/// If the test fails, with what the process has said; as [`library`](crate::library).
///
/// # Examples
/// A test of a program over cudarc:
/// ```no_run
/// #[test]
/// fn two_devices_are_found() {
///     syncpoint_cuda_fake::run("two_devices_are_found", "devices=2", || {
///         // assert_eq!(cudarc::driver::CudaContext::device_count(), Ok(2));
///     });
/// }
/// ```
#[track_caller]
pub fn run(name: &str, script: &str, test: impl FnOnce()) {
    if env::var_os(WITHIN).is_some() {
        return test();
    }
    match process(name, script) {
        Ok(output) => check(name, &output),
        Err(error) => panic!("{name}: its process cannot be started: {error}"),
    }
}

fn process(name: &str, script: &str) -> std::io::Result<Output> {
    let mut command = Command::new(env::current_exe()?);
    command.args([name, "--exact", "--nocapture"]).env(WITHIN, name);
    command.env("LD_LIBRARY_PATH", folder()?).env("SYNCPOINT_CUDA_FAKE", script);
    command.env_remove("SYNCPOINT_CUDA_LIBRARY").output()
}

#[track_caller]
fn check(name: &str, output: &Output) {
    let [told, complained] =
        [&output.stdout, &output.stderr].map(|words| String::from_utf8_lossy(words));
    assert!(output.status.success(), "{}\n{told}\n{complained}", output.status);
    assert!(told.contains("1 passed"), "no test is called {name}\n{told}");
}
