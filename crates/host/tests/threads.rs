//! No thread exists before the first need. One test in a process of its own: others would make threads beside it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use syncpoint::{EventOptions, Gate, StreamOptions};
use syncpoint_conformance::patience::settle;

/// The names of this process's threads.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap();
    tasks.map(|task| name(task.unwrap()).trim().to_owned()).collect()
}

#[test]
fn no_thread_exists_before_the_first_need() {
    let before = threads();
    let device = syncpoint::open("host:0").unwrap();
    let (stream, other) =
        (device.stream().unwrap(), device.stream_with(StreamOptions::new()).unwrap());
    let event = device.event_with(EventOptions::timed()).unwrap();
    event.record(&stream).unwrap();
    other.wait_event(&event).unwrap();
    other.wait_stream(&stream).unwrap();
    stream.record_timed().unwrap().synchronize().unwrap();
    assert!(event.query().unwrap() && stream.query().unwrap());
    device.synchronize().unwrap();
    let (buffer, gate) = (device.buffer(64).unwrap(), Gate::new());
    buffer.write(0, &[1; 64]).unwrap();
    assert!(!gate.point().query().unwrap());
    gate.point().synchronize_timeout(std::time::Duration::ZERO).unwrap_err();
    gate.open().unwrap();
    drop((event, other, buffer, gate));
    assert_eq!(threads(), before, "nothing was needed yet");

    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
    let ours = threads().into_iter().filter(|name| name.starts_with("syncpoint-"));
    assert!(ours.count() >= 1, "the first work makes the first worker");
}
