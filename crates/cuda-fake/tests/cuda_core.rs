//! NVIDIA's Python cuda.core, unmodified, on the library: devices, streams, events, waits and times.
//!
//! `cuda_core/client.py` has the tests, and the bench of our own package runs beside it. They need packages that Rust does not
//! bring, so `cargo xtask test clients` installs those and runs this.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::env;
use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Names the Python that has cuda.core.
const PYTHON: &str = "SYNCPOINT_PYTHON";

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cuda_core/client.py");

const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../python/benches/beside.py");

/// So long one of the tests may take: most of it is Python that imports.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs NVIDIA's cuda.core: run `cargo xtask test clients`"]
fn cuda_core_runs_on_the_library() {
    let python = env::var_os(PYTHON).expect("SYNCPOINT_PYTHON names a Python with cuda.core");
    let names = words(&python, &[CLIENT]);
    assert_eq!(names.lines().count(), 16, "the client names its tests: {names}");
    for name in names.lines() {
        let told = words(&python, &[CLIENT, name]);
        assert_eq!(told, format!("{name} passed\n"));
    }
}

/// Our package and cuda.core in one process over one driver, each statement of both: how they are compared on a GPU.
#[test]
#[ignore = "needs our Python package beside NVIDIA's cuda.core: run `cargo xtask test clients`"]
fn the_bench_of_our_package_runs_beside_cuda_core() {
    let python = env::var_os(PYTHON).expect("SYNCPOINT_PYTHON names a Python with cuda.core");
    let told = words(&python, &[BENCH, "--check", "--backend", "cuda", "--require", "cuda.core"]);
    assert!(told.contains("torch: ") && !told.contains("cuda.core: "), "{told}");
}

/// What a program says, standard error included where it fails.
#[track_caller]
fn words(python: &OsString, arguments: &[&str]) -> String {
    let folder = syncpoint_cuda_fake::folder().expect("a link can be made");
    let mut command = Command::new(python);
    command.arg("-B").args(arguments).stdin(Stdio::null()).env_remove("SYNCPOINT_CUDA_LIBRARY");
    command.env("LD_LIBRARY_PATH", folder).env("SYNCPOINT_CUDA_FAKE", "devices=2");
    let mut child = command.stdout(Stdio::piped()).spawn().expect("Python starts");
    let told = hear(&mut child);
    let status = child.wait().expect("a child can be waited for");
    assert!(status.success(), "{arguments:?}: {status}\n{told}");
    told
}

/// What a process says until it ends, by itself or because it takes too long.
fn hear(child: &mut Child) -> String {
    let mut output = child.stdout.take().expect("it is piped");
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| tell.send(text))
    });
    told.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        child.kill().expect("a child can be killed");
        format!("nothing within {PATIENCE:?}")
    })
}
