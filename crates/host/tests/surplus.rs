//! Workers beyond the base leave when there is nothing to do.
//!
//! One test alone in its process: it counts the threads.
#![cfg(test)]
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use syncpoint::Gate;
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::patience::PATIENCE;

#[test]
fn workers_beyond_the_base_leave_after_ten_seconds_without_work() {
    let workers = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.trim() == "syncpoint-host").count()
    };
    let device = syncpoint_host::open("host:surplus");
    let streams: Vec<_> = (0..20).map(|_| device.stream().unwrap()).collect();
    let busy: Vec<_> = streams.iter().map(|stream| Busy::on(stream).unwrap()).collect();
    let many = workers();
    drop(busy);
    device.synchronize().unwrap();
    let (never, deadline) = (Gate::new(), Instant::now() + 2 * PATIENCE);
    while workers() > many / 2 && Instant::now() < deadline {
        // Some time, in which nothing happens.
        never.point().synchronize_timeout(Duration::from_millis(200)).unwrap_err();
    }
    assert!(many >= 20 && workers() <= many / 2, "{} of {many} workers stay", workers());
}
