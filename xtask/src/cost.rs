//! What operations of the host cost in instructions, counted by callgrind and kept in `docs/costs.md`.
//!
//! Each operation of the benches [`BENCHES`] is run twice with different numbers of times; the difference is what it costs,
//! whatever else the machine does. `cargo xtask cost` writes the counts into the block tagged `instructions`;
//! `--check` compares them with it. A change that a new compiler brings is written down, not tolerated for ever.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;
use crate::block;
use crate::step;

/// Where the counts stand.
const HOME: &str = "docs/costs.md";

/// The benches that count, and of each the operations whose count does not depend on which thread was quicker.
const BENCHES: [Bench; 3] = [
    Bench {
        package: "syncpoint-host",
        name: "count",
        operations: &[
            "record_query",
            "wait_complete",
            "wait_own",
            "wait_again",
            "query",
            "enqueue_empty",
            "enqueue_word",
            "hop_enqueue",
            "make_stream",
            // The thread that synchronizes runs all but one in a hundred itself, whatever else the machine does. Of
            // `hop` a worker takes now a part and now none, which makes a seventh of its count.
            "trip",
        ],
    },
    Bench {
        package: "syncpoint-core",
        name: "held",
        operations: &["held_work", "held_record", "held_wait"],
    },
    Bench {
        package: "syncpoint-cuda",
        name: "count",
        operations: &[
            "cuda_work",
            "cuda_record",
            "cuda_wait",
            "cuda_query",
            "raw_record",
            "raw_wait",
            "raw_query",
        ],
    },
];

/// A bench that does one operation many times.
struct Bench {
    package: &'static str,
    name: &'static str,
    operations: &'static [&'static str],
}

/// The two numbers of times. The first is past every warm-up, the second far enough that one more allocation of a
/// growing queue is less than half an instruction a time.
const TIMES: [u64; 2] = [4_000, 24_000];

/// What a count may differ by before it has to be looked at: 3 in a hundred, and no less than one instruction.
const TOLERANCE: u64 = 3;

/// Counts, and writes the counts into their home.
pub(crate) fn renew(root: &Path) -> Result<()> {
    let home = root.join(HOME);
    let text = fs::read_to_string(&home)?;
    let renewed = block::replace(&text, "instructions", &render(&count(root)?))
        .ok_or_else(|| format!("{HOME} has no block that opens with ```instructions"))?;
    Ok(fs::write(home, renewed)?)
}

/// Counts, and compares with what is written.
pub(crate) fn check(root: &Path) -> Result<()> {
    let text = fs::read_to_string(root.join(HOME))?;
    let (written, counted) = (parse(&text), count(root)?);
    let changes = changes(&written, &counted);
    if changes.is_empty() {
        return Ok(write!(io::stdout(), "{}", render(&counted))?);
    }
    let remedy = "look at the change; if it is wanted, run `cargo xtask cost` and say so under Cost in CHANGELOG.md";
    Err(format!("instructions changed:\n{}\n{remedy}", changes.join("\n")).into())
}

type Counts = BTreeMap<String, u64>;

fn count(root: &Path) -> Result<Counts> {
    let operations =
        BENCHES.iter().flat_map(|bench| bench.operations.iter().map(move |name| (bench, *name)));
    let count_one = |(bench, name)| Ok((String::from(name), count_one(root, bench, name)?));
    operations.map(count_one).collect()
}

fn count_one(root: &Path, bench: &Bench, name: &str) -> Result<u64> {
    let [few, many] = [total(root, bench, name, TIMES[0])?, total(root, bench, name, TIMES[1])?];
    Ok(many.saturating_sub(few).div_ceil(TIMES[1] - TIMES[0]))
}

/// All instructions of one run.
fn total(root: &Path, bench: &Bench, name: &str, times: u64) -> Result<u64> {
    let output = Command::new(step::cargo())
        .args(["bench", "--quiet", "--package", bench.package, "--bench", bench.name, "--", name])
        .arg(times.to_string())
        .env(RUNNER, "valgrind --tool=callgrind --callgrind-out-file=/dev/null")
        .current_dir(root)
        .stdin(Stdio::null())
        .output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    collected(&words)
        .ok_or_else(|| format!("callgrind counted nothing for `{name}`:\n{words}").into())
}

/// What cargo runs programs with; its name holds the machine's.
const RUNNER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER";

/// Callgrind ends with `==7== Collected : 123`.
fn collected(words: &str) -> Option<u64> {
    let line = words.lines().rev().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn render(counts: &Counts) -> String {
    let lines: Vec<String> =
        counts.iter().map(|(name, count)| format!("{name:16} {count}\n")).collect();
    lines.concat()
}

/// The counts of the block; lines that are none are left out, and missed by the comparison.
fn parse(text: &str) -> Counts {
    let block = text.split("```instructions\n").nth(1).and_then(|rest| rest.split("```").next());
    let row = |line: &str| {
        let (name, count) = line.split_once(' ')?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    };
    block.unwrap_or_default().lines().filter_map(row).collect()
}

fn changes(written: &Counts, counted: &Counts) -> Vec<String> {
    let changed = |(name, count): (&String, &u64)| {
        let before = written.get(name);
        let same = before.is_some_and(|before| is_near(*before, *count));
        let before = before.map_or_else(|| "nothing".to_owned(), u64::to_string);
        (!same).then(|| format!("  {name}: {before} written, {count} counted"))
    };
    counted.iter().filter_map(changed).collect()
}

fn is_near(before: u64, now: u64) -> bool {
    before.abs_diff(now) <= (before * TOLERANCE / 100).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(&str, u64)]) -> Counts {
        rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn what_is_rendered_is_read_back() {
        let counts = counts(&[("query", 8), ("enqueue_empty", 140)]);
        let text = format!("before\n```instructions\n{}```\nafter 7\n", render(&counts));
        assert_eq!(parse(&text), counts);
    }

    #[test]
    fn a_change_beyond_the_tolerance_is_told_with_both_counts() {
        let written = counts(&[("query", 8), ("trip", 1000), ("wait", 100)]);
        let counted = counts(&[("query", 9), ("trip", 1031), ("wait", 97), ("new", 1)]);
        let told = changes(&written, &counted);
        assert_eq!(
            told,
            ["  new: nothing written, 1 counted", "  trip: 1000 written, 1031 counted"]
        );
    }

    #[test]
    fn the_count_is_the_last_word_of_its_line() {
        assert_eq!(
            collected("==7== Events    : Ir\n==7== Collected : 2097381\n==7==\n"),
            Some(2_097_381)
        );
        assert_eq!(collected("no such file"), None);
    }
}
