//! Fuzzing: what reads from outside is given garbage, bred from the corpora in `fuzz/corpus`.
//!
//! The engine is libFuzzer, and the compiler the stable one: coverage is a pass that it has anyway. What is found lies
//! under the target folder, so that a run leaves the checkout as it was; `keep` takes what is worth keeping.

use std::fs;
use std::io::{self, Write};
use std::iter;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::package::{self, FUZZER};
use crate::sanitize::SYSTEM;
use crate::step::Step;
use crate::workshop::Workshop;

/// The targets, each `fuzz/targets/NAME.rs`, with what they read.
pub(crate) const TARGETS: &[(&str, &str)] = &[
    ("trace", "a trace, line by line"),
    ("plan", "a pipeline file"),
    ("handle", "the handle of an event of another process"),
    ("page", "the page of an event of another process"),
];

/// How long each runs as a part of the routine.
const SECONDS: u32 = 10;

/// How long each runs if nobody says.
pub(crate) const DEFAULT_SECONDS: u32 = 60;

/// Coverage of edges and of what is compared, as libFuzzer wants it.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// No input may be longer, take longer than 10 s or need more than 1 GiB.
const LIMITS: &str =
    "-max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0";

/// The layout of the targets, which are a workspace of their own.
pub(crate) fn laid_out() -> Step {
    Step::cargo("fmt --check --manifest-path fuzz/Cargo.toml")
}

/// Their lock file is of these manifests: a dependency that was added to a crate would else be found last of all.
pub(crate) fn locked() -> Step {
    Step::cargo("fetch --locked --manifest-path fuzz/Cargo.toml")
}

/// The part of the routine: lints, and each target for a while.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    let clippy = built(workshop, "clippy").words("--quiet -- -D warnings");
    let runs = TARGETS.iter().map(|(name, _)| run(workshop, name, SECONDS));
    iter::once(clippy).chain(runs).collect()
}

/// Runs one target.
pub(crate) fn one(workshop: &Workshop, name: &str, seconds: u32) -> Result<()> {
    provide()?;
    run(workshop, name, seconds).run(&workshop.root)
}

/// Makes the kept corpus of a target anew: of it and of all that was found since, the smallest inputs that lead
/// everywhere.
pub(crate) fn keep(workshop: &Workshop, name: &str) -> Result<()> {
    provide()?;
    let (kept, merged) = (kept(workshop, name), found(workshop, &format!("{name}-merged")));
    fs::remove_dir_all(&merged).or_else(if_there)?;
    let merge = target(workshop, name)
        .words("-set_cover_merge=1 -use_counters=0 -use_cmp=0")
        .folder(merged.clone())
        .argument(&kept.to_string_lossy())
        .argument(&found(workshop, name).to_string_lossy());
    merge.run(&workshop.root)?;
    replace(&kept, &merged)?;
    let count = fs::read_dir(&kept)?.count();
    Ok(writeln!(io::stdout(), "{count} inputs are kept in {}", kept.display())?)
}

fn replace(kept: &Path, merged: &Path) -> io::Result<()> {
    fs::remove_dir_all(kept)?;
    fs::create_dir(kept)?;
    for entry in fs::read_dir(merged)?.flatten() {
        fs::copy(entry.path(), kept.join(entry.file_name()))?;
    }
    Ok(())
}

fn if_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn provide() -> Result<()> {
    package::provide(FUZZER).map_or(Ok(()), |install| Err(format!("run first: {install}").into()))
}

fn run(workshop: &Workshop, name: &str, seconds: u32) -> Step {
    target(workshop, name)
        .argument(&format!("-max_total_time={seconds}"))
        .folder(found(workshop, name))
        .argument(&kept(workshop, name).to_string_lossy())
}

/// The program of a target with its limits; folders of inputs follow.
fn target(workshop: &Workshop, name: &str) -> Step {
    let crashes = workshop.target.join("fuzz").join(format!("{name}-"));
    built(workshop, "run")
        .words("--quiet --bin")
        .argument(name)
        .words("--")
        .words(LIMITS)
        .argument(&format!("-artifact_prefix={}", crashes.to_string_lossy()))
}

/// Named, the system keeps coverage out of build scripts and macros.
fn built(workshop: &Workshop, command: &str) -> Step {
    let folder = workshop.target.join("fuzz");
    Step::cargo(command)
        .flags("RUSTFLAGS", COVERAGE)
        .words(&format!(
            "--release --locked --manifest-path fuzz/Cargo.toml --target {SYSTEM} --target-dir"
        ))
        .argument(&folder.to_string_lossy())
}

fn kept(workshop: &Workshop, name: &str) -> PathBuf {
    workshop.root.join("fuzz/corpus").join(name)
}

fn found(workshop: &Workshop, name: &str) -> PathBuf {
    workshop.target.join("fuzz/corpus").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;
    use crate::workshop;

    #[test]
    fn every_target_has_its_file_and_every_file_is_a_target() {
        let tree = Tree::read(&workshop::root().unwrap()).unwrap();
        let mut names: Vec<String> =
            TARGETS.iter().map(|(name, _)| format!("fuzz/targets/{name}.rs")).collect();
        names.sort();
        let files: Vec<&str> = tree.rust_under("fuzz/targets/").map(|(path, _)| path).collect();
        assert_eq!(names, files);
    }

    #[test]
    fn every_target_begins_with_kept_inputs_and_not_with_too_many() {
        for (name, _) in TARGETS {
            let folder = workshop::root().unwrap().join("fuzz/corpus").join(name);
            let count = fs::read_dir(folder).unwrap().count();
            assert!((1..=250).contains(&count), "{name} has {count} kept inputs");
        }
    }
}
