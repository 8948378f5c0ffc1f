//! Any bytes taken for the handle of an event of another process: refused, or what they are is said again.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use syncpoint::{Device, Event, EventOptions, IpcHandle};

fuzz_target!(|bytes: &[u8]| {
    said_again(bytes);
    read_back(&String::from_utf8_lossy(bytes));
    overwritten(bytes);
    damaged(bytes);
});

fn said_again(bytes: &[u8]) {
    let Ok(handle) = IpcHandle::from_bytes(bytes) else { return };
    assert_eq!(handle.as_bytes(), bytes);
    assert_eq!(bytes[56..], sum(&bytes[..56]).to_le_bytes(), "its checksum agrees");
    assert_eq!(handle.to_string().parse::<IpcHandle>().ok(), Some(handle));
}

fn read_back(text: &str) {
    if let Ok(handle) = text.parse::<IpcHandle>() {
        assert_eq!(handle.to_string(), text.to_lowercase());
    }
}

/// A good handle, and the text of one, with something else in a few places.
fn overwritten(bytes: &[u8]) {
    let (_, _, good) = exported();
    said_again(&with(good.as_bytes(), bytes));
    read_back(&String::from_utf8_lossy(&with(good.to_string().as_bytes(), bytes)));
}

/// Of two bytes of the changes the first says where, the second what.
fn with(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut other = good.to_vec();
    for change in changes.chunks_exact(2) {
        other[usize::from(change[0]) % good.len()] = change[1];
    }
    other
}

/// A good handle with these bytes laid over it, and with the checksum that they ask for: behind it, only what the
/// handle says is left to be checked.
fn damaged(bytes: &[u8]) {
    let (device, _event, good) = exported();
    let mut damaged = *good.as_bytes();
    damaged.iter_mut().zip(bytes).for_each(|(place, byte)| *place ^= byte);
    let sum = sum(&damaged[..56]);
    damaged[56..].copy_from_slice(&sum.to_le_bytes());
    match IpcHandle::from_bytes(&damaged) {
        Ok(handle) => drop(device.import_event(&handle).map(|event| event.state())),
        Err(error) => assert_ne!(damaged[..8], good.as_bytes()[..8], "{error}"),
    }
}

fn exported() -> &'static (Device, Event, IpcHandle) {
    static EXPORTED: OnceLock<(Device, Event, IpcHandle)> = OnceLock::new();
    EXPORTED.get_or_init(|| {
        let device = syncpoint::open("host:0").expect("the host is always there");
        let options = EventOptions::builder().interprocess().build().expect("a known option");
        let event = device.event_with(options).expect("Linux 5.16 or later");
        let handle = event.export().expect("room in /dev/shm");
        (device, event, handle)
    })
}

/// The checksum of a handle, FNV-1a.
fn sum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
