//! A device that is dropped leaves no thread behind, and what it still held runs.
//!
//! One test alone in its process: it counts the threads.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::Gate;

/// Longer than the ten seconds that a watch stays.
const DEADLINE: Duration = Duration::from_secs(60);

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_dropped_device_runs_what_it_held_and_leaves_no_thread() {
    let before = threads();
    let (sender, ran) = mpsc::channel();
    let gate = Gate::new();
    for index in 0..10 {
        let device = syncpoint_host::open(&format!("host:{index}"));
        let stream = device.stream().unwrap();
        stream.delay(Duration::from_millis(1)).unwrap();
        stream.enqueue(|| ()).unwrap();
        stream.synchronize().unwrap();
        stream.wait(&gate.point()).unwrap();
        let sender = sender.clone();
        stream.enqueue(move || sender.send(index).map_err(|_gone| "nobody listens")).unwrap();
    }
    gate.open().unwrap();
    let mut all: Vec<i32> = (0..10).map(|_| ran.recv_timeout(DEADLINE).unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..10).collect::<Vec<_>>(), "what was parked has run");
    let begin = Instant::now();
    while threads() > before {
        assert!(begin.elapsed() < DEADLINE, "{} threads were left behind", threads() - before);
        thread::yield_now();
    }
}
