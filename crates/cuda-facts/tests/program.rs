//! The program where there is no driver, and on a library that is none: words, and no crash.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output, Stdio};

fn facts(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_facts"));
    command.args(arguments).env_remove("SYNCPOINT_CUDA_LIBRARY").stdin(Stdio::null());
    command.output().expect("the program starts")
}

#[test]
fn a_library_that_is_not_there_is_told_with_its_path() {
    let output = facts(&["--library", "/no/such/libcuda.so.1"]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(words, "facts: no driver was found; tried /no/such/libcuda.so.1\n");
}

#[test]
fn a_library_without_the_functions_of_a_driver_answers_nothing_and_breaks_nothing() {
    let output =
        facts(&["--library", "libc.so.6", "--no-costs", "init.", "wait.", "broken.memory"]);
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{words}");
    assert!(words.contains("not asked: the library has no cuInit"), "{words}");
    assert!(words.contains(": 0 answered as expected, 0 otherwise, "), "{words}");
}

#[test]
fn the_json_has_every_question_in_words() {
    let output = facts(&["--library", "libc.so.6", "--no-costs", "--json", "elapsed.reversed"]);
    let words = String::from_utf8(output.stdout).unwrap();
    let reversed = "which sign has it from the later event to the earlier one?";
    assert!(words.contains(reversed) && words.contains("\"known\": \"believed\""), "{words}");
}
