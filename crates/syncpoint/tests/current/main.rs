//! What is current on a thread, and inside a task, whatever guards and scopes do to it.
// So that clippy takes the helpers below for what they are: tests may unwrap.
#![cfg(test)]

mod guards;
mod scopes;

use std::sync::Arc;

use syncpoint::{Device, Stream, current_stream, default_stream};

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

/// A device of a test's own.
fn other() -> Device {
    syncpoint_host::open("host:other")
}

fn streams<const N: usize>(device: &Device) -> [Arc<Stream>; N] {
    std::array::from_fn(|_| Arc::new(device.stream().unwrap()))
}

fn current(device: &Device) -> Arc<Stream> {
    current_stream(device).unwrap()
}

#[track_caller]
fn assert_default(device: &Device) {
    assert_eq!(current(device), default_stream(device).unwrap());
}
