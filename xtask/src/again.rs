//! A program of tests under a sanitizer is run once more where one of its tests failed.
//!
//! Cargo-nextest does as much for the others, on machines that build. Cargo calls this in front of the programs that it
//! runs. What a sanitizer finds, in the program or in a child of it, is no failure of a test, nor is what breaks a process:
//! neither is tried again.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Result;
use crate::package;
use crate::sanitize::SYSTEM;
use crate::step::Step;
use crate::workshop::Workshop;

/// How a program of tests ends of which some failed.
const SOME_FAILED: i32 = 101;

/// Where what failed and then passed is written down, for the report.
const TOLD: &str = "SYNCPOINT_FLAKY";

/// What a report of a finding has, and a warning has not: memory that cannot be had is only warned of.
const FINDINGS: [&str; 2] = ["SUMMARY: ", "CHECK failed"];

/// What tells the sanitizers what to do.
const OPTIONS: [&str; 2] = ["ASAN_OPTIONS", "TSAN_OPTIONS"];

/// The file in which a run of the routine is told what failed and then passed.
pub(crate) fn told(workshop: &Workshop) -> PathBuf {
    workshop.target.join("flaky.txt")
}

/// Has each program of a step's tests run so, on a machine where a test that fails and then passes ends no run.
pub(crate) fn run_by(step: Step, workshop: &Workshop) -> Step {
    match env::current_exe() {
        Ok(this) if package::all_is_needed() => behind(&this, step, &told(workshop)),
        _ => step,
    }
}

fn behind(this: &Path, step: Step, told: &Path) -> Step {
    let runner = format!("target.{SYSTEM}.runner=[{:?}, \"again\"]", this.to_string_lossy());
    step.words("--config").argument(&runner).variable(TOLD, &told.to_string_lossy())
}

/// Runs the program, at most twice, and ends as its last run did.
pub(crate) fn run(program: &str, arguments: &[String]) -> Result<ExitCode> {
    let mut last = run_once(program, arguments)?;
    if last == Ending::SomeFailed {
        writeln!(io::stdout(), "FAILED, and is run once more: {program}")?;
        last = run_once(program, arguments)?;
        if last == Ending::Code(0) {
            tell_flaky(program)?;
        }
    }
    match last {
        Ending::Code(code) => Ok(ExitCode::from(u8::try_from(code)?)),
        Ending::SomeFailed => Ok(ExitCode::from(u8::try_from(SOME_FAILED)?)),
        Ending::Broken(how) => Err(format!("{program} ended with {how}").into()),
    }
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Code(i32),
    /// Of its tests some failed, and no sanitizer found anything.
    SomeFailed,
    Broken(String),
}

fn run_once(program: &str, arguments: &[String]) -> Result<Ending> {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: told apart is all they have to be.
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("xtask-reports-{}-{run}", process::id()));
    fs::create_dir_all(&folder)?;
    let mut command = Command::new(program);
    for name in OPTIONS {
        // Inherited by every child, which then tells nothing else.
        let inherited = env::var(name).unwrap_or_default();
        command.env(name, format!("{inherited} log_path={}", folder.join("report").display()));
    }
    let status = command.args(arguments).status()?;
    let has_found = tell_reports(&folder)?;
    fs::remove_dir_all(&folder)?;
    Ok(match status.code() {
        Some(SOME_FAILED) if !has_found => Ending::SomeFailed,
        Some(code) => Ending::Code(code),
        None => Ending::Broken(status.to_string()),
    })
}

/// Whether there is a finding among the reports; mere warnings are told alike.
fn tell_reports(folder: &Path) -> Result<bool> {
    let mut has_found = false;
    for report in fs::read_dir(folder)? {
        let report = fs::read(report?.path())?;
        let text = String::from_utf8_lossy(&report);
        has_found |= FINDINGS.into_iter().any(|finding| text.contains(finding));
        io::stdout().write_all(&report)?;
    }
    Ok(has_found)
}

fn tell_flaky(program: &str) -> Result<()> {
    let line = format!("FLAKY: {program}\n");
    io::stdout().write_all(line.as_bytes())?;
    if let Some(told) = env::var_os(TOLD) {
        let mut file = OpenOptions::new().create(true).append(true).open(told)?;
        file.write_all(line.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_run_once_more_where_a_test_of_it_failed_and_for_nothing_else() {
        // What it ends with in each run, and how many runs there are.
        let cases =
            [([0, 0], 1), ([101, 0], 2), ([101, 101], 2), ([66, 0], 1), ([23, 0], 1), ([1, 0], 1)];
        for (codes, expected) in cases {
            let (ended, runs) = run_with(codes, "");
            assert_eq!((ended, runs), (ExitCode::from(codes[expected - 1]), expected), "{codes:?}");
        }
    }

    #[test]
    fn a_finding_of_a_child_is_no_failure_of_a_test() {
        let child = |says: &str| format!("echo {says} > ${{TSAN_OPTIONS##*log_path=}}.17;");
        let race = child("SUMMARY: ThreadSanitizer: data race");
        assert_eq!(run_with([101, 0], &race), (ExitCode::from(101), 1));
        let warning = child("WARNING: AddressSanitizer failed to allocate");
        assert_eq!(run_with([101, 0], &warning), (ExitCode::from(0), 2));
    }

    #[test]
    fn what_breaks_a_process_is_told_at_once() {
        let message = run("sh", &sh("kill -ABRT $$")).unwrap_err().to_string();
        assert!(message.contains("signal: 6"), "{message}");
    }

    #[test]
    fn a_step_has_cargo_call_this_before_its_programs() {
        let step = behind(Path::new("/a b/xtask"), Step::cargo("test"), Path::new("/t"));
        let line = format!(
            "{TOLD}=\"/t\" cargo test --config target.{SYSTEM}.runner=[\"/a b/xtask\", \"again\"]"
        );
        assert_eq!(step.to_string(), line);
    }

    /// How a program ended that does something, ends with one code and then with another, and how often it ran.
    fn run_with([first, second]: [u8; 2], does: &str) -> (ExitCode, usize) {
        let name = format!("xtask-again-{}-{first}-{second}-{}", process::id(), does.len());
        let ran = env::temp_dir().join(name);
        let file = ran.display();
        let line = format!(
            "{does} echo >> {file}; [ $(wc -l < {file}) = 1 ] && exit {first}; exit {second}"
        );
        let ended = run("sh", &sh(&line)).unwrap();
        let runs = fs::read_to_string(&ran).unwrap().lines().count();
        fs::remove_file(&ran).unwrap();
        (ended, runs)
    }

    fn sh(line: &str) -> [String; 2] {
        ["-c".to_owned(), line.to_owned()]
    }
}
