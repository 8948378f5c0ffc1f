//! Rooms for packages of Python under the target folder, and the tests that run what lies in them.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::package::{self, LAVAPIPE};
use crate::step::Step;
use crate::vulkan;
use crate::workshop::Workshop;

/// A folder with an interpreter and packages of its own.
#[derive(Debug)]
struct Room {
    /// Under the target folder.
    folder: &'static str,
    /// The file of what is installed, with versions.
    requirements: &'static str,
}

/// For programs of others that run on the stand-in driver.
const CLIENTS: Room =
    Room { folder: "python", requirements: "crates/cuda-fake/tests/cuda_core/requirements.txt" };

/// For our own package: what builds it, and what tries it.
const PACKAGE: Room =
    Room { folder: "python-package", requirements: "crates/python/requirements.txt" };

pub(crate) fn provide_clients(workshop: &Workshop) -> Option<String> {
    CLIENTS.provide(workshop)
}

/// NVIDIA's cuda.core on the stand-in driver, and the bench of our package beside it. The tests are left out elsewhere, for
/// want of the packages.
pub(crate) fn clients(workshop: &Workshop) -> Vec<Step> {
    let tests = Step::cargo("test --package syncpoint-cuda-fake --test cuda_core -- --ignored")
        .flags("SYNCPOINT_PYTHON", &CLIENTS.python(workshop).to_string_lossy())
        .must_run_tests();
    vec![CLIENTS.install(workshop), tests]
}

pub(crate) fn provide_package(workshop: &Workshop) -> Option<String> {
    let provided = || package::provide(package::LAVAPIPE_ALONE);
    PACKAGE.provide(workshop).or_else(|| provided().filter(|_| package::all_is_needed()))
}

/// Our package, installed as its users install it; then its tests, which carry out the examples in its documentation, and
/// those that the interpreter's own finder finds, as users run them; whether its stubs and annotations say what is so, and
/// whether its bench runs. The stand-in driver is built first, for the tests on it; those on Vulkan are left out, aloud, where
/// no software driver is installed and nobody may install it.
pub(crate) fn package(workshop: &Workshop) -> Vec<Step> {
    let python = |line: &str| Step::program(PACKAGE.python(workshop), line);
    let library = workshop.target.join("release/libsyncpoint_cuda_fake.so");
    let tests = python("-m pytest -q -rs crates/python/tests")
        .variable("SYNCPOINT_CUDA_FAKE_LIBRARY", &library.to_string_lossy());
    let is_installed = Path::new(LAVAPIPE).exists();
    let tests = if is_installed { vulkan::on(tests, LAVAPIPE) } else { tests };
    vec![
        Step::cargo("build --release --package syncpoint-cuda-fake"),
        PACKAGE.install(workshop),
        tests,
        python("-m pytest -q --doctest-modules --pyargs syncpoint"),
        python("-m mypy --strict --config-file= -p syncpoint"),
        python("-m mypy.stubtest syncpoint --ignore-disjoint-bases"),
        python("crates/python/benches/beside.py --check"),
    ]
}

impl Room {
    /// Makes it and fills it, unless it holds just what is required. What fails is told as what to run.
    fn provide(&self, workshop: &Workshop) -> Option<String> {
        let wanted = fs::read_to_string(workshop.root.join(self.requirements)).unwrap_or_default();
        let stamp = self.path(workshop).join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|filled| filled == wanted) {
            return None;
        }
        let filled = self.make(workshop).map_or_else(|| self.fill(workshop), Some);
        filled.or_else(|| fs::write(stamp, wanted).err().map(|error| error.to_string()))
    }

    /// Where Python comes without what makes such rooms, Debian's packages have it.
    fn make(&self, workshop: &Workshop) -> Option<String> {
        let room = self.path(workshop);
        let made = || run("python3", &[OsStr::new("-m"), OsStr::new("venv"), room.as_os_str()]);
        made()?;
        let missing = package::provide(package::PYTHON);
        made().map(|line| missing.unwrap_or(line))
    }

    fn fill(&self, workshop: &Workshop) -> Option<String> {
        let requirements = workshop.root.join(self.requirements);
        let words = "-m pip install --quiet --disable-pip-version-check --requirement".split(' ');
        let words: Vec<&OsStr> = words.map(OsStr::new).chain([requirements.as_os_str()]).collect();
        run(self.python(workshop), &words)
    }

    /// Our package, built and installed there.
    fn install(&self, workshop: &Workshop) -> Step {
        let line = "-m pip install --quiet --no-deps --no-build-isolation --force-reinstall .";
        Step::program(self.python(workshop), line)
            .variable("CARGO_TARGET_DIR", &workshop.target.to_string_lossy())
            .path(&self.programs(workshop))
    }

    fn path(&self, workshop: &Workshop) -> PathBuf {
        workshop.target.join(self.folder)
    }

    fn programs(&self, workshop: &Workshop) -> PathBuf {
        self.path(workshop).join("bin")
    }

    fn python(&self, workshop: &Workshop) -> PathBuf {
        self.programs(workshop).join("python")
    }
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
        for room in [CLIENTS, PACKAGE] {
            let text = fs::read_to_string(root.join(room.requirements)).unwrap();
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("==")), "{text}");
        }
    }
}
