//! A room for packages of Python under the target folder, and the tests that run what lies in it.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::package;
use crate::step::Step;
use crate::workshop::Workshop;

/// What is installed, with versions.
const REQUIREMENTS: &str = "crates/cuda-fake/tests/cuda_core/requirements.txt";

/// NVIDIA's cuda.core on the stand-in driver. The test is left out elsewhere, for want of the packages.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    let step = Step::cargo("test --package syncpoint-cuda-fake --test cuda_core -- --ignored")
        .flags("SYNCPOINT_PYTHON", &python(workshop).to_string_lossy())
        .must_run_tests();
    vec![step]
}

/// Makes the room and fills it, unless it holds just what is required. What fails is told as what to run.
pub(crate) fn provide(workshop: &Workshop) -> Option<String> {
    let wanted = fs::read_to_string(workshop.root.join(REQUIREMENTS)).unwrap_or_default();
    let stamp = room(workshop).join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|filled| filled == wanted) {
        return None;
    }
    let filled = make(workshop).map_or_else(|| fill(workshop), Some);
    filled.or_else(|| fs::write(stamp, wanted).err().map(|error| error.to_string()))
}

/// Where Python comes without what makes such rooms, Debian's packages have it.
fn make(workshop: &Workshop) -> Option<String> {
    let room = room(workshop);
    let made = || run("python3", &[OsStr::new("-m"), OsStr::new("venv"), room.as_os_str()]);
    made()?;
    let missing = package::provide(package::PYTHON);
    made().map(|line| missing.unwrap_or(line))
}

fn fill(workshop: &Workshop) -> Option<String> {
    let requirements = workshop.root.join(REQUIREMENTS);
    let words = "-m pip install --quiet --disable-pip-version-check --requirement".split(' ');
    let words: Vec<&OsStr> = words.map(OsStr::new).chain([requirements.as_os_str()]).collect();
    run(python(workshop), &words)
}

/// Runs a command to its end; where it fails, the command.
fn run(program: impl AsRef<OsStr>, words: &[&OsStr]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null());
    let line = line(&command);
    writeln!(io::stdout(), "$ {line}").ok();
    let is_done = command.status().is_ok_and(|status| status.success());
    (!is_done).then_some(line)
}

fn line(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn python(workshop: &Workshop) -> PathBuf {
    room(workshop).join("bin/python")
}

fn room(workshop: &Workshop) -> PathBuf {
    workshop.target.join("python")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_told_as_it_would_be_typed() {
        assert_eq!(run("false", &[OsStr::new("--quiet")]).as_deref(), Some("false --quiet"));
        assert_eq!(run("no-such-program", &[]).as_deref(), Some("no-such-program"));
    }

    #[test]
    fn a_command_that_succeeds_leaves_nothing_to_tell() {
        assert_eq!(run("true", &[]), None);
    }

    #[test]
    fn every_requirement_names_its_version() {
        let root = crate::workshop::root().unwrap();
        let text = fs::read_to_string(root.join(REQUIREMENTS)).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("==")), "{text}");
    }
}
