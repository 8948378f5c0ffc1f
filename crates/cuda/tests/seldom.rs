//! How often the poller looks, counted by its pauses: alone in the process, since a context has one poller for all.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use syncpoint::{Result, Stream};
use syncpoint_conformance::patience::settle;

use fake::Fake;

const WORK: Duration = Duration::from_millis(100);

/// How long work took, and how often the poller paused meanwhile.
fn waits(stream: &Stream) -> Result<(Duration, u64)> {
    let (begin, before) = (Instant::now(), pauses().unwrap_or(0));
    stream.delay(WORK)?;
    settle(&stream.record()?);
    let after = pauses().expect("the poller is there for ten seconds more");
    Ok((begin.elapsed(), after - before))
}

/// How often the poller has gone to sleep, where there is one.
fn pauses() -> Option<u64> {
    let is_poller = |task: &PathBuf| {
        fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "syncpoint-cuda")
    };
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it").flatten();
    let poller = tasks.map(|task| task.path()).find(is_poller);
    let status = fs::read_to_string(poller?.join("status")).ok()?;
    status.lines().find_map(|line| {
        line.strip_prefix("voluntary_ctxt_switches:").and_then(|count| count.trim().parse().ok())
    })
}

#[test]
fn what_took_long_each_of_four_times_is_looked_at_seldom_until_it_is_expected() -> Result<()> {
    Fake::used();
    let stream = syncpoint::cuda::open(0)?.stream()?;
    for _ in 0..4 {
        let (_, pauses) = waits(&stream)?;
        assert!(pauses > 0, "they are counted");
    }
    let (took, pauses) = waits(&stream)?;
    // Work of which nothing is known takes 130 pauses. What a busy machine makes longer is overdue, and looked at as such.
    let overdue = u64::try_from(took.saturating_sub(WORK).as_micros()).unwrap_or(0) / 700;
    assert!(pauses < 80 + overdue, "{pauses} pauses in {took:?}");
    Ok(())
}
