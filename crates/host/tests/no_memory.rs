//! Where the machine has no room for a thread or a buffer, calls say so and nothing hangs.
//!
//! Each test runs once more, as a child in a limited address space, which it fills until no stack fits in it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use syncpoint::{Device, Gate, Kind};
use syncpoint_conformance::patience::{PATIENCE, refused, settle};

/// Says to the child's own copy of a test what it is.
const CHILD: &str = "SYNCPOINT_TEST_CHILD";

/// The child's address space in KiB: room for the program, and not for much more.
const ADDRESS_SPACE: &str = "600000";

/// Runs the test of this name again in a small address space. `true`: this is that child.
fn is_child(test: &str) -> bool {
    let Some(output) = child(test) else { return true };
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success() && told.contains("1 passed"), "the child failed: {told}");
    false
}

/// How that child ended; `None`: this is that child.
fn child(test: &str) -> Option<Output> {
    if env::var_os(CHILD).is_some() {
        return None;
    }
    let program = env::current_exe().unwrap();
    let limited = format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limited])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "yes")
        .output();
    Some(output.unwrap())
}

/// Memory held so that nothing of the size of a stack is left. Small things still fit.
fn fill() -> Vec<Vec<u8>> {
    const CHUNK: usize = 1 << 20;
    let mut ballast = Vec::with_capacity(4096);
    loop {
        let mut chunk = Vec::new();
        if chunk.try_reserve_exact(CHUNK).is_err() {
            break;
        }
        ballast.push(chunk);
    }
    // Room again for what is no stack: one of those has 2 MiB.
    ballast.pop();
    assert!(thread::Builder::new().spawn(|| ()).is_err(), "no thread can be made now");
    ballast
}

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

#[test]
fn the_first_work_is_refused_without_a_worker_and_taken_once_there_is_room() {
    if !is_child("the_first_work_is_refused_without_a_worker_and_taken_once_there_is_room") {
        return;
    }
    let (stream, gate) = (host().stream().unwrap(), Gate::new());
    let ballast = fill();
    let error = refused(stream.enqueue(|| ()), Kind::Exhausted);
    assert!(
        std::error::Error::source(&error).is_some(),
        "{error} must have the system's own words"
    );
    refused(stream.wait(&gate.point()), Kind::Exhausted);
    refused(stream.open(&gate), Kind::Exhausted);
    assert!(stream.failure().is_none() && stream.query().unwrap(), "a refusal changes nothing");
    drop(ballast);
    stream.open(&gate).unwrap();
    settle(&stream.record().unwrap());
}

#[test]
fn a_notification_is_refused_without_a_notifier() {
    if !is_child("a_notification_is_refused_without_a_notifier") {
        return;
    }
    let gate = Gate::new();
    let ballast = fill();
    refused(gate.point().notify(drop), Kind::Exhausted);
    drop(ballast);
    gate.point().notify(drop).unwrap();
    gate.open().unwrap();
}

#[test]
fn one_worker_does_it_all_where_no_other_can_be_made() {
    if !is_child("one_worker_does_it_all_where_no_other_can_be_made") {
        return;
    }
    let device = host();
    let first = device.stream().unwrap();
    first.enqueue(|| ()).unwrap();
    settle(&first.record().unwrap());
    let streams: Vec<_> = (0..64).map(|_| device.stream().unwrap()).collect();
    let ballast = fill();
    for pair in streams.windows(2) {
        pair[0].enqueue(|| ()).unwrap();
        pair[1].wait_stream(&pair[0]).unwrap();
    }
    device.synchronize_timeout(PATIENCE).unwrap();
    drop(ballast);
}

#[test]
fn a_delay_without_a_timer_fails_its_stream_and_says_why() {
    if !is_child("a_delay_without_a_timer_fails_its_stream_and_says_why") {
        return;
    }
    let stream = host().stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
    let ballast = fill();
    let delayed = stream
        .delay(Duration::from_millis(1))
        .and_then(|()| stream.record()?.synchronize_timeout(PATIENCE));
    refused(delayed, Kind::Exhausted);
    drop(ballast);
    stream.recover().unwrap();
    stream.delay(Duration::from_millis(1)).unwrap();
    settle(&stream.record().unwrap());
}

#[test]
fn a_buffer_that_does_not_fit_is_refused_and_another_is_had_once_there_is_room() {
    const LENGTH: u64 = 64 << 20;
    if !is_child("a_buffer_that_does_not_fit_is_refused_and_another_is_had_once_there_is_room") {
        return;
    }
    let device = host();
    let ballast = fill();
    refused(device.buffer(LENGTH), Kind::Exhausted);
    drop(ballast);
    assert_eq!(device.buffer(LENGTH).unwrap().len(), LENGTH);
}

/// As with every collection of the standard library: nothing unwinds, hangs, or goes on with a part of its state.
#[test]
fn no_memory_for_an_entry_of_a_queue_ends_the_process() {
    const ABORTED: i32 = 6;
    let Some(output) = child("no_memory_for_an_entry_of_a_queue_ends_the_process") else {
        let (stream, gate) = (host().stream().unwrap(), Gate::new());
        stream.wait(&gate.point()).unwrap();
        let _ballast = fill();
        loop {
            stream.enqueue(|| ()).unwrap();
        }
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(ABORTED), "{told}");
    assert!(told.contains("memory allocation of"), "{told}");
}
