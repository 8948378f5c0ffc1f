//! The second routine: licences and sources of what we depend on, dependencies that nobody uses, and promises to users.
//!
//! Its tools take minutes to build, so it is no part of `cargo xtask test`: run it before a release, and when a
//! dependency or the public surface has changed. Tools that are not there are built into the target folder.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::step::Step;
use crate::workshop::Workshop;

/// The tools with the versions that were tried.
const TOOLS: &[(&str, &str)] =
    &[("cargo-deny", "0.20.2"), ("cargo-machete", "0.9.2"), ("cargo-semver-checks", "0.51.0")];

/// The crates whose surface is a promise: `syncpoint` with what it re-exports, which the tool does not follow, and traces.
const PUBLIC: &[&str] = &["syncpoint", "syncpoint-core", "syncpoint-sim", "syncpoint-trace"];

/// Runs every tool, `since` being the commit whose surface was promised: if not given, the last tag.
pub(crate) fn run(workshop: &Workshop, since: Option<&str>) -> Result<()> {
    let tools = workshop.target.join("tools");
    TOOLS.iter().try_for_each(|(name, version)| provide(workshop, &tools, name, version))?;
    let bin = tools.join("bin");
    // Advisories are left out on purpose: see deny.toml.
    on(&bin, "deny --all-features check licenses bans sources").run(&workshop.root)?;
    on(&bin, "machete").run(&workshop.root)?;
    match since.map(str::to_owned).or_else(|| last_tag(&workshop.root)) {
        Some(commit) => promises(&bin, &commit).run(&workshop.root),
        None => Ok(writeln!(io::stdout(), "{NOTHING_PROMISED}")?),
    }
}

const NOTHING_PROMISED: &str = "cargo-semver-checks: NOT RUN: there is no release yet, so nothing is promised; \
    `cargo xtask deps --since COMMIT` compares with a commit";

/// What was promised at a commit still holds, as far as the version says.
fn promises(bin: &Path, commit: &str) -> Step {
    let step = on(bin, "semver-checks --baseline-rev").argument(commit);
    PUBLIC.iter().fold(step, |step, name| step.words("-p").argument(name))
}

/// A tool that lies in the folder or wherever programs are looked for.
fn on(bin: &Path, line: &str) -> Step {
    Step::cargo(line).path(bin)
}

fn provide(workshop: &Workshop, tools: &Path, name: &str, version: &str) -> Result<()> {
    if is_there(tools, name) {
        return Ok(());
    }
    let build = workshop.target.join("tools/build");
    Step::cargo(&format!("install --locked --quiet {name} --version {version} --root"))
        .argument(&tools.to_string_lossy())
        .words("--target-dir")
        .argument(&build.to_string_lossy())
        .run(&workshop.root)
}

fn is_there(tools: &Path, name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.push(tools.join("bin"));
    folders.iter().any(|folder| folder.join(name).exists())
}

fn last_tag(root: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["-c", "safe.directory=*", "describe", "--tags", "--abbrev=0"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
