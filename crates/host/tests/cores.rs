//! There are as many workers as the process may use cores, and no more while they compute.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint_conformance::again;
use syncpoint_conformance::patience::PATIENCE;

#[test]
fn a_process_that_may_use_one_core_has_one_worker() {
    let name = "a_process_that_may_use_one_core_has_one_worker";
    if !again::is_child(name, &["taskset", "-c", &first_core()], &[]) {
        return;
    }
    assert_eq!(thread::available_parallelism().unwrap().get(), 1);
    // Where the machine pauses the watch takes the worker for stuck, and brings another.
    let most: Vec<_> = (0..10).map(|_| most_workers()).take_while(|most| *most != 1).collect();
    assert!(most.len() < 10, "so many workers on one core: {most:?}");
}

/// The first core that this process may use.
fn first_core() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    line.trim().split([',', '-']).next().unwrap().to_owned()
}

/// The most workers that live while a new device has more to compute than it has workers.
fn most_workers() -> usize {
    let device = syncpoint_host::open("host:cores");
    for _ in 0..8 {
        let stream = device.stream().unwrap();
        stream.enqueue(|| compute(Duration::from_millis(2))).unwrap();
    }
    let mut most = 0;
    while device.synchronize_timeout(Duration::from_millis(1)).is_err() {
        most = most.max(workers());
    }
    device.shutdown(PATIENCE).unwrap();
    most
}

fn compute(length: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < length {
        std::hint::spin_loop();
    }
}

/// How many workers of host devices live in this process.
fn workers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "syncpoint-host").count()
}
