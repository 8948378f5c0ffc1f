//! Model checks: a model holds in every interleaving of its threads, and catches the bug that is planted in a twin.
//!
//! Only under `--cfg syncpoint_loom`; `cargo xtask test model` runs what uses it. What a model does not see: accesses
//! that do not come through a room `sync`, such as the counts of an `Arc`; the order of sequential consistency, which loom takes
//! for acquire and release; and, beside an exchange, the looks of other threads where the same thread looked last.

#![expect(clippy::expect_used, reason = "these are assertions")]
#![expect(clippy::print_stdout, reason = "these are called by tests")]

use std::any::type_name;
use std::env;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs a model in every interleaving with at most this many preemptions: a switch away from a thread that could go on.
/// Few bugs need more than two (each costs the number of steps once more).
pub fn holds(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = STEPS;
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    builder.check(move || {
        // Relaxed: a count, ordered with nothing.
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{} interleavings", runs.load(Ordering::Relaxed));
}

/// A run of a model with more steps than this goes round in circles.
const STEPS: usize = 5_000;

/// Runs a model check that must fail, because a bug is planted in the model, and must say these words when it does.
///
/// To be called as the last thing that a test does, with a closure that stands in the test itself. The check runs in a
/// process of its own, which runs the same test: loom panics again while it unwinds and takes the process with it.
#[track_caller]
pub fn catches<C: FnOnce()>(words: &str, check: C) {
    if env::var_os(PLANTED).is_some() {
        check();
        return;
    }
    let name = test_of::<C>();
    let output = run_planted(name);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{name}: the planted bug was not caught");
    assert!(said.contains(words), "{name}: the check failed, but not with `{words}`:\n{said}");
}

/// Says to a child that it is one.
const PLANTED: &str = "SYNCPOINT_PLANTED_BUG";

/// The path of the test in which a closure stands, as the test harness names it: without the crate.
fn test_of<C>() -> &'static str {
    let path = type_name::<C>().trim_end_matches("::{{closure}}");
    path.split_once("::").map_or(path, |(_crate, rest)| rest)
}

fn run_planted(name: &str) -> Output {
    let test = env::current_exe().expect("a test knows its own program");
    let mut command = Command::new(test);
    command.args(["--exact", name, "--nocapture"]).env(PLANTED, name);
    command.output().expect("a test can run its own program")
}
