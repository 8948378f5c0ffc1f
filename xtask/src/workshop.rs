//! What the routine finds on this machine: the workspace, its examples, and a runner for tests.

use std::ffi::OsStr;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::Result;
use crate::package;
use crate::step::{Step, cargo};

/// Where the parts work, and with what.
#[derive(Debug)]
pub(crate) struct Workshop {
    /// The root of the workspace; every command runs here.
    pub(crate) root: PathBuf,
    /// The target folder, wherever the environment put it.
    pub(crate) target: PathBuf,
    pub(crate) runner: Runner,
    /// The pipelines in `examples/`, as paths from the root.
    pub(crate) pipelines: Vec<String>,
    /// The names of the Rust examples of the crate that users depend on.
    pub(crate) examples: Vec<String>,
}

impl Workshop {
    pub(crate) fn find() -> Result<Self> {
        let root = root()?;
        let metadata = metadata(&root)?;
        Ok(Self {
            target: metadata.target_directory.clone().into(),
            runner: Runner::find(),
            pipelines: pipelines(&root),
            examples: examples(&metadata),
            root,
        })
    }
}

/// The root of the workspace: the folder that this crate's own folder stands in.
pub(crate) fn root() -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(own.parent().ok_or("the folder of xtask stands in no workspace")?.to_owned())
}

/// What cargo knows about the packages of the workspace. It needs no network.
pub(crate) fn metadata(root: &Path) -> Result<Metadata> {
    Ok(MetadataCommand::new().current_dir(root).no_deps().exec()?)
}

fn pipelines(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("examples")).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let pipelines = paths.filter(|path| path.extension() == Some(OsStr::new("toml")));
    let mut names: Vec<String> = pipelines.filter_map(|path| name_in_examples(&path)).collect();
    names.sort();
    names
}

fn name_in_examples(path: &Path) -> Option<String> {
    Some(format!("examples/{}", path.file_name()?.to_str()?))
}

fn examples(metadata: &Metadata) -> Vec<String> {
    let packages = metadata.packages.iter().filter(|package| package.name == "syncpoint");
    let targets = packages.flat_map(|package| &package.targets);
    targets.filter(|target| target.is_example()).map(|target| target.name.clone()).collect()
}

/// What runs tests.
#[derive(Debug)]
pub(crate) enum Runner {
    /// cargo-nextest, which runs each test in a process of its own, under a profile of `.config/nextest.toml`, so many at once.
    Nextest { profile: &'static str, at_once: usize },
    /// What comes with Rust.
    CargoTest,
}

impl Runner {
    fn find() -> Self {
        let mut version = Command::new(cargo());
        version.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
        if version.status().is_ok_and(|status| status.success()) {
            Self::Nextest { profile: profile(), at_once: at_once() }
        } else {
            Self::CargoTest
        }
    }

    /// A run of the tests that `selection` names, in the words that both runners share.
    pub(crate) fn step(&self, selection: &str) -> Step {
        match self {
            Self::Nextest { profile, at_once } => Step::cargo(&format!(
                "nextest run --profile {profile} --test-threads {at_once} {selection}"
            )),
            Self::CargoTest => Step::cargo(&format!("test --no-fail-fast {selection}")),
        }
    }
}

/// How many tests run at once: more than there are cores, since many wait for the clock for part of their time.
pub(crate) fn at_once() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cores + cores / 2
}

/// Machines that build say so in `CI`, or by `.ci/run`.
fn profile() -> &'static str {
    let is_ci = package::all_is_needed() || std::env::var_os("CI").is_some();
    if is_ci { "ci" } else { "default" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy;
    use crate::tree::Tree;

    #[test]
    fn the_root_is_the_folder_of_the_workspace() {
        let manifest = fs::read_to_string(root().unwrap().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn cargo_knows_this_crate_and_a_target_folder() {
        let metadata = metadata(&root().unwrap()).unwrap();
        assert!(metadata.packages.iter().any(|package| package.name == "xtask"));
        assert!(metadata.target_directory.is_absolute());
    }

    #[test]
    fn both_runners_take_the_same_selection() {
        let nextest = Runner::Nextest { profile: "ci", at_once: 3 }.step("-p a --lib");
        assert_eq!(
            nextest.to_string(),
            "cargo nextest run --profile ci --test-threads 3 -p a --lib"
        );
        assert_eq!(
            Runner::CargoTest.step("-p a --lib").to_string(),
            "cargo test --no-fail-fast -p a --lib"
        );
    }

    #[test]
    fn a_test_that_runs_alone_exists() {
        let tree = Tree::read(&root().unwrap()).unwrap();
        let named = tree.text(".config/nextest.toml").unwrap().split("test(").skip(1);
        let is_test = |name: &str| {
            let mut lines = tree.rust_under("crates/").flat_map(|(_, text)| text.lines());
            lines.any(|line| line.trim_start().starts_with("fn ") && line.contains(name))
        };
        let stale = named.filter_map(|rest| rest.split(')').next()).filter(|name| !is_test(name));
        tidy::assert_tidy(stale.map(|name| format!("{name}: no test is called so")));
    }
}
