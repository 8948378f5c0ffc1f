//! The ends of a process: each way to come to one ends promptly, with its exit code, and says nothing.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

#[cfg(target_os = "linux")]
use std::fs;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program that comes to its end.
const PROGRAM: &str = env!("CARGO_BIN_EXE_life");

/// What it exits with where all went well.
const EXIT: i32 = 7;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[track_caller]
fn assert_ends(way: &str, arguments: &[&Path]) -> ExitStatus {
    let mut command = Command::new(PROGRAM);
    command.arg(way).args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("a child can be waited for").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("a child can be killed");
            panic!("{way}: the process has not ended after {PATIENCE:?}");
        }
        thread::yield_now();
    }
    let Output { status, stdout, stderr } = child.wait_with_output().expect("its words");
    let said = [stdout, stderr].map(|words| String::from_utf8_lossy(&words).into_owned());
    assert_eq!(said, ["", ""], "{way}: nothing is said ({status})");
    status
}

#[track_caller]
fn assert_exits(way: &str) {
    // Again and again: what ends a process races with what its threads do.
    for _ in 0..10 {
        assert_eq!(assert_ends(way, &[]).code(), Some(EXIT), "{way}");
    }
}

#[test]
fn a_return_from_main_with_work_pending_ends_the_process() {
    assert_exits("main_returns");
}

#[test]
fn exit_called_in_main_ends_the_process() {
    assert_exits("main_exits");
}

#[test]
fn exit_called_in_work_ends_the_process() {
    assert_exits("work_exits");
}

#[test]
fn exit_called_in_the_destructor_of_a_thread_local_ends_the_process() {
    assert_exits("a_destructor_of_another_thread_exits");
}

#[test]
fn a_destructor_of_main_may_still_synchronize() {
    assert_exits("a_destructor_of_main_synchronizes");
}

#[test]
fn a_wait_after_the_exit_has_begun_is_refused_and_not_for_ever() {
    assert_exits("an_older_handler_synchronizes");
}

#[test]
fn work_that_forks_leaves_the_rest_to_the_parent() {
    assert_exits("work_forks");
    assert_exits("work_of_a_device_forks");
}

#[test]
fn a_child_that_work_forked_can_open_a_device_and_use_it() {
    assert_exits("the_child_of_work_works");
    assert_exits("the_child_of_work_of_a_device_works");
}

#[test]
fn a_callback_that_forks_leaves_the_other_callbacks_to_the_parent() {
    assert_exits("a_callback_forks");
}

#[test]
fn a_waker_that_forks_leaves_the_other_wakers_and_the_work_behind_to_the_parent() {
    assert_exits("a_waker_forks");
    assert_exits("a_waker_of_a_device_forks");
}

#[test]
fn a_drop_that_forks_as_a_wait_is_over_leaves_the_rest_to_the_parent() {
    assert_exits("a_drop_forks");
    assert_exits("a_drop_of_a_device_forks");
}

#[test]
fn an_observer_that_forks_leaves_the_other_observers_to_the_parent() {
    assert_exits("an_observer_forks");
}

#[test]
fn work_that_forks_on_a_helping_thread_leaves_what_it_set_free_to_the_parent() {
    assert_exits("helped_work_forks");
}

#[test]
fn a_thread_that_forks_while_it_is_woken_can_wait_in_the_child() {
    assert_exits("a_woken_waiter_forks");
}

#[test]
fn a_shutdown_after_the_exit_has_begun_is_refused_and_not_for_ever() {
    assert_exits("an_older_handler_shuts_down");
}

#[cfg(target_os = "linux")]
#[test]
fn a_waker_of_another_process_that_forks_leaves_the_other_wakers_to_the_parent() {
    assert_exits("a_waker_of_another_process_forks");
}

#[test]
fn the_end_of_a_watch_after_the_exit_has_begun_is_refused_and_holds_no_exit_up() {
    assert_exits("an_older_handler_ends_a_watch");
    assert_exits("main_returns_while_a_watch_ends");
}

#[test]
fn nobody_is_woken_or_told_by_work_that_ends_while_the_process_exits() {
    assert_exits("work_ends_while_the_process_exits");
    assert_exits("work_of_a_device_ends_while_the_process_exits");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_process_with_work_pending() {
    use std::os::unix::process::ExitStatusExt;
    const SIGTERM: i32 = 15;
    assert_eq!(assert_ends("a_signal_ends_it", &[]).signal(), Some(SIGTERM));
}

#[cfg(target_os = "linux")]
#[test]
fn two_copies_in_one_process_do_not_meet_and_may_be_unloaded() {
    let library = library();
    let copy = library.with_extension("copy.so");
    fs::copy(&library, &copy).expect("a library can be copied");
    for _ in 0..10 {
        let status = assert_ends("libraries_are_used_and_unloaded", &[&library, &copy]);
        assert_eq!(status.code(), Some(EXIT));
    }
}

/// The example `loaded`, built now: no way to run tests builds a library for C with them.
#[cfg(target_os = "linux")]
fn library() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--message-format=json", "--example", "loaded"]);
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let told = String::from_utf8(built.stdout).expect("what cargo tells is text");
    let path = told.split('"').find(|word| word.ends_with("libloaded.so"));
    path.expect("cargo names what it has built").into()
}
