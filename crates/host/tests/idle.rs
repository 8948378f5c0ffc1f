//! Nothing wakes while nothing is pending: no thread of the library runs, not even for a moment.
//!
//! `cargo test --release -p syncpoint-host --test idle` says the figure of docs/costs.md.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Device, Gate};
use syncpoint_conformance::patience::{PATIENCE, settle, until};
use syncpoint_conformance::tell;

/// How long the threads are watched: sixty of the slices in which host waits sleep.
const WINDOW: Duration = Duration::from_secs(3);

/// How long they are watched for whether they have come to rest, behind the end of a nap and what was woken.
const MOMENT: Duration = Duration::from_millis(200);

#[test]
fn no_thread_wakes_while_nothing_is_pending() {
    let device = syncpoint_host::open("host:idle");
    use_every_thread(&device);
    assert_quiet();
    // What only a gate holds gives nobody anything to do either.
    let (stream, gate) = (device.stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(|| ()).unwrap();
    let end = stream.record().unwrap();
    assert_quiet();
    gate.open().unwrap();
    settle(&end);
}

/// Workers, the watch, the timer and the notifier, each with something to do that ends.
fn use_every_thread(device: &Device) {
    let streams: Vec<_> = (0..8).map(|_| device.stream().unwrap()).collect();
    let let_go: Vec<_> = streams
        .iter()
        .map(|stream| {
            let (let_go, end) = channel::<()>();
            stream.enqueue(move || end.recv().unwrap_or_default()).unwrap();
            stream.delay(Duration::from_millis(2)).unwrap();
            let_go
        })
        .collect();
    until("the watch", || threads().values().any(|(name, _)| name == "syncpoint-watch"));
    drop(let_go);
    streams[0].record().unwrap().notify(drop).unwrap();
    device.synchronize_timeout(PATIENCE).unwrap();
}

/// Panics unless there is a window in which no thread of ours runs, once they have come to rest. Three are looked at: a worker
/// more than there are cores ends some time later.
#[track_caller]
fn assert_quiet() {
    // The system keeps fifteen signs of a name.
    let ours = ["syncpoint-host", "syncpoint-watch", "syncpoint-timer", "syncpoint-notif"];
    for name in ours {
        assert!(
            threads().values().any(|(other, _)| other == name),
            "{name} is there to be watched"
        );
    }
    until("rest", || run_within(MOMENT).is_empty());
    let mut ran = BTreeMap::new();
    for _ in 0..3 {
        ran = run_within(WINDOW);
        if ran.is_empty() {
            tell(&format!("none of {} threads ran for {WINDOW:?}", threads().len()));
            return;
        }
    }
    panic!("in each of three windows of {WINDOW:?} some of ours ran; in the last {ran:?}");
}

/// The threads of ours that ran at any time within a window, and how often they were put to sleep or aside in it.
fn run_within(window: Duration) -> BTreeMap<u32, (String, u64)> {
    let before = threads();
    let begin = Instant::now();
    while begin.elapsed() < window {
        thread::park_timeout(window.saturating_sub(begin.elapsed()));
    }
    let after = threads().into_iter();
    let ran = after.filter_map(|(thread, (name, switches))| {
        let more = switches - before.get(&thread).map_or(0, |(_, switches)| *switches);
        (more > 0).then_some((thread, (name, more)))
    });
    ran.collect()
}

/// The threads of ours: their names, and how often each was taken off a core so far.
fn threads() -> BTreeMap<u32, (String, u64)> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let found = tasks.filter_map(|task| {
        // A thread may end while it is looked at.
        let name = fs::read_to_string(task.path().join("comm")).ok()?.trim().to_owned();
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
        let switches = switches.filter_map(|line| line.rsplit('\t').next()?.parse::<u64>().ok());
        let thread = task.file_name().to_str()?.parse().ok()?;
        name.starts_with("syncpoint-").then(|| (thread, (name, switches.sum())))
    });
    found.collect()
}
