//! Where the machine has no room for another thread, calls on simulated devices say so and nothing hangs.
//!
//! Each test runs once more, as a child in a limited address space, which it fills until no stack fits in it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Kind, Stream};
use syncpoint_conformance::again::{ballast, is_cramped_child};
use syncpoint_conformance::patience::{refused, settle};

fn untouched(stream: &Stream) {
    assert!(stream.failure().is_none() && stream.query().unwrap(), "a refusal changes nothing");
}

#[test]
fn device_work_is_refused_without_the_thread_that_moves_the_world() {
    if !is_cramped_child("device_work_is_refused_without_the_thread_that_moves_the_world") {
        return;
    }
    let stream = Sim::builder().build().device(0).unwrap().stream().unwrap();
    let held = ballast();
    refused(stream.delay(Duration::from_micros(1)), Kind::Exhausted);
    untouched(&stream);
    drop(held);
    stream.delay(Duration::from_micros(1)).unwrap();
    settle(&stream.record().unwrap());
}

#[test]
fn host_work_of_a_device_is_refused_without_a_worker() {
    if !is_cramped_child("host_work_of_a_device_is_refused_without_a_worker") {
        return;
    }
    let stream = Sim::builder().build().device(0).unwrap().stream().unwrap();
    // The thread that moves the world is there already.
    stream.delay(Duration::from_micros(1)).unwrap();
    settle(&stream.record().unwrap());
    let held = ballast();
    refused(stream.enqueue(|| ()), Kind::Exhausted);
    untouched(&stream);
    drop(held);
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
}
