//! A stepped world makes no thread. Alone in its process: every test beside it would make and end some.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::time::Duration;

use syncpoint::sim::Sim;

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_stepped_world_makes_no_thread() {
    let before = threads();
    let stream = Sim::builder().stepped().build().device(0).unwrap().stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    stream.delay(Duration::from_micros(1)).unwrap();
    stream.synchronize().unwrap();
    assert_eq!(threads(), before);
}
