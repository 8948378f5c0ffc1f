//! What holds for every function of the library: a script can fail it, and it fails at the ends of processes.

mod fake;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::env;
use std::process::{Command, Stdio};

use fake::*;

/// The names of all functions of the driver that the library exports.
fn names() -> BTreeSet<String> {
    let names = RefCell::new(BTreeSet::new());
    let fake = Fake::reduced(|name| {
        names.borrow_mut().insert(name.to_owned());
        true
    });
    // Other words of the library look like names.
    names.into_inner().into_iter().filter(|name| !fake.address(name).is_null()).collect()
}

#[test]
fn every_function_fails_when_a_script_says_so_and_is_counted() {
    const LAUNCH_FAILED: i32 = 719;
    let fake = Fake::ready("");
    let names = names();
    assert!(names.len() > 450, "{names:?}");
    // The second name of a function is the first one's own, for another default stream.
    let is_second = |name: &&String| name.ends_with("_ptsz") || name.ends_with("_ptds");
    for name in names.iter().filter(|name| !is_second(name)) {
        let before = fake.count(name);
        assert_eq!(fake.script(&format!("fail {name} 1 719")), 0);
        assert_eq!(call_plain(fake.address(name)), LAUNCH_FAILED, "{name}");
        assert_eq!(fake.count(name), before + 1, "{name}");
    }
}

/// Where the library lists what it does not do.
const REST: &str = include_str!("../src/rim/absent.rs");

#[test]
fn all_of_the_rest_is_exported_and_says_that_it_is_not_supported() {
    const NOT_SUPPORTED: i32 = 801;
    let fake = Fake::ready("");
    let (_, list) = REST.split_once("absent! { FUNCTIONS:").expect("the list begins");
    let rest: BTreeSet<&str> =
        list.split('}').next().unwrap_or_default().split_whitespace().collect();
    assert!(rest.len() > 250, "{rest:?}");
    for name in rest {
        let address = fake.address(name);
        assert!(!address.is_null(), "{name} is not exported");
        let before = fake.count(name);
        assert_eq!(call_plain(address), NOT_SUPPORTED, "{name}");
        assert_eq!(fake.count(name), before + 1, "{name}");
    }
}

#[test]
fn nothing_that_is_null_or_zero_crashes_a_function() {
    const UNKNOWN: i32 = 999;
    let names = names();
    for initialised in [false, true] {
        let fake = if initialised { Fake::ready("") } else { Fake::load() };
        // One is given its bytes themselves, which some processors pass by a pointer that is ours.
        for name in names.iter().filter(|name| *name != "cuIpcOpenEventHandle") {
            let code = call_with_zeros(fake.address(name));
            assert_ne!(code, UNKNOWN, "{name} has panicked");
            // By the alphabet this one comes before `cuInit`.
            assert!(initialised || name != "cuDeviceGetCount" || code == NOT_INITIALIZED);
        }
    }
}

#[test]
fn a_child_of_a_fork_is_told_that_it_has_no_driver() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    assert_eq!(in_child(|| fake.cuStreamQuery(stream)), NOT_INITIALIZED);
    assert_eq!(in_child(|| fake.cuInit(0)), NOT_INITIALIZED);
    assert_eq!(fake.cuStreamQuery(stream), 0);
}

/// By which another process of this test is told to exit.
const EXIT: &str = "SYNCPOINT_TEST_EXIT";

#[test]
fn a_driver_is_gone_once_the_process_exits() {
    let mut other = Command::new(env::current_exe().unwrap());
    other.args(["--exact", "the_process_that_exits"]).env(EXIT, "now").stdout(Stdio::null());
    assert_eq!(other.status().unwrap().code(), Some(DEINITIALIZED));
}

#[test]
fn the_process_that_exits() {
    if env::var_os(EXIT).is_some() {
        exit_and_ask();
    }
}
