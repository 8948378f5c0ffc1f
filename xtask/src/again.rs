//! A program of tests is run once more where one of its tests failed, as cargo-nextest does it on machines that build.
//!
//! Cargo calls this in front of the programs that it runs. What a sanitizer finds, and what breaks a process, is no failure
//! of a test: it is passed on at once.

use std::env;
use std::io::{self, Write};
use std::process::{Command, ExitCode};

use crate::Result;
use crate::package;
use crate::step::Step;

/// How a program of tests ends of which some failed.
const SOME_FAILED: i32 = 101;

/// By this variable cargo is told what to call in front of programs.
const RUNNER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER";

/// Has each program of a step's tests run so, where a test that fails and then passes ends no run.
pub(crate) fn run_by(step: Step) -> Step {
    match env::current_exe() {
        Ok(this) if package::all_is_needed() => {
            step.variable(RUNNER, &format!("{} again", this.display()))
        }
        _ => step,
    }
}

/// Runs the program, at most twice, and ends as its last run did.
pub(crate) fn run(program: &str, arguments: &[String]) -> Result<ExitCode> {
    let status = || Command::new(program).args(arguments).status();
    let mut last = status()?;
    if last.code() == Some(SOME_FAILED) {
        writeln!(io::stdout(), "FAILED, and is run once more: {program}")?;
        last = status()?;
        if last.success() {
            writeln!(io::stdout(), "FLAKY: {program}")?;
        }
    }
    last.code().map_or_else(|| Err(format!("{program} ended with {last}").into()), ending)
}

fn ending(code: i32) -> Result<ExitCode> {
    Ok(ExitCode::from(u8::try_from(code)?))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process;

    use super::*;

    #[test]
    fn a_program_is_run_once_more_where_a_test_of_it_failed_and_for_nothing_else() {
        // What it ends with in each run, and how many runs there are.
        for (codes, runs) in
            [([0, 0], 1), ([101, 0], 2), ([101, 101], 2), ([66, 0], 1), ([23, 0], 1)]
        {
            let (ended, ran) = run_with(codes);
            assert_eq!(ran, runs, "{codes:?}");
            assert_eq!(ended, ExitCode::from(codes[runs - 1]), "{codes:?}");
        }
    }

    #[test]
    fn what_breaks_a_process_is_told_at_once() {
        let message = run("sh", &sh("kill -ABRT $$")).unwrap_err().to_string();
        assert!(message.contains("signal: 6"), "{message}");
    }

    /// How a program ended that ends with one code and then with another, and how often it ran.
    fn run_with([first, second]: [u8; 2]) -> (ExitCode, usize) {
        let told = env::temp_dir().join(format!("xtask-again-{}-{first}-{second}", process::id()));
        let file = told.display();
        let line =
            format!("echo >> {file}; [ $(wc -l < {file}) = 1 ] && exit {first}; exit {second}");
        let ended = run("sh", &sh(&line)).unwrap();
        let runs = fs::read_to_string(&told).unwrap().lines().count();
        fs::remove_file(&told).unwrap();
        (ended, runs)
    }

    fn sh(line: &str) -> [String; 2] {
        ["-c".to_owned(), line.to_owned()]
    }
}
