//! Old drivers: what they lack by the table, each in a process of its own, and that our table is the stand-in's.

mod fake;
mod uses;

use std::env;
use std::process::Command;

use syncpoint::Kind;

use fake::Fake;
use uses::use_everything;

/// Which version of CUDA the library of a child is of.
const VERSION: &str = "SYNCPOINT_TEST_VERSION";

/// Of each version, one function that it has and one that it lacks.
const VERSIONS: &[(u32, &str, &str)] = &[
    (10_020, "cuThreadExchangeStreamCaptureMode", "cuDevicePrimaryCtxRelease_v2"),
    (11_000, "cuDevicePrimaryCtxRelease_v2", "cuEventRecordWithFlags"),
    (12_040, "cuCtxFromGreenCtx", "cuEventElapsedTime_v2"),
];

#[test]
fn the_stand_in_has_each_function_of_the_table_since_the_same_version() {
    for function in syncpoint::cuda::functions() {
        let (ours, theirs) =
            (syncpoint::cuda::since(function), syncpoint_cuda_fake::since(function));
        assert_eq!(ours, theirs, "{function}");
    }
}

#[test]
fn an_old_driver_refuses_what_is_newer_and_does_everything_else() {
    for (version, had, lacked) in VERSIONS {
        let is_had = |function| is_of(*version, function);
        assert!(is_had(had) && !is_had(lacked), "{version}");
        let mut child = Command::new(env::current_exe().expect("a test has a program"));
        child.args(["--exact", "of_a_version", "--nocapture"]).env(VERSION, version.to_string());
        let ended = child.output().expect("a child runs");
        let [told, complained] =
            [&ended.stdout, &ended.stderr].map(|said| String::from_utf8_lossy(said));
        assert!(ended.status.success(), "{version}: {told}{complained}");
    }
}

/// Whether a driver of this version has a function. What is called by nobody here it may have.
fn is_of(version: u32, function: &str) -> bool {
    syncpoint::cuda::since(function).is_none_or(|since| since <= version)
}

/// What the children do; nothing where no version was given.
#[test]
fn of_a_version() {
    let Ok(version) = env::var(VERSION) else { return };
    let version = version.parse().expect("a number");
    let fake = Fake::reduced(|function| is_of(version, function));
    fake.script(&format!("version={version}"));
    let refused = use_everything();
    assert!(!refused.is_empty(), "an old driver lacks something");
    for error in &refused {
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
        let newer =
            |function: &&str| !is_of(version, function) && error.message().contains(*function);
        let is_for_what_lacks = syncpoint::cuda::functions().any(|function| newer(&function));
        let says_where = ["ask capabilities()", "device_gates"];
        let is_of_the_device = says_where.iter().any(|words| error.message().contains(words));
        assert!(is_for_what_lacks || is_of_the_device, "{error}");
    }
}
