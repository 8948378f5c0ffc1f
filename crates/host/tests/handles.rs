//! Handles of exported events: whose they are, what becomes of wrong ones, and what is never opened for them.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use syncpoint::{Device, Event, EventOptions, EventState, Gate, IpcHandle, Kind, Reason, Stream};
use syncpoint_conformance::child::{self, Ended};
use syncpoint_conformance::patience::{refused, settle};

const STALE: Kind = Kind::Misuse(Reason::StaleHandle);

fn device(name: &str) -> Device {
    syncpoint::open(name).unwrap()
}

fn event_of(device: &Device) -> Event {
    device.event_with(EventOptions::builder().interprocess().build().unwrap()).unwrap()
}

/// An event whose record a gate holds.
fn held(device: &Device) -> (Event, Stream, Gate) {
    let (event, stream, gate) = (event_of(device), device.stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    event.record(&stream).unwrap();
    (event, stream, gate)
}

/// A handle of which one number of eight bytes is another, and whose checksum is right again.
fn forged(handle: &IpcHandle, number: usize) -> IpcHandle {
    let mut bytes = *handle.as_bytes();
    bytes[number * 8] ^= 2;
    // FNV-1a, as a handle of another version of this library would have it.
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = bytes[..56].iter().fold(0xcbf2_9ce4_8422_2325, step);
    bytes[56..].copy_from_slice(&sum.to_le_bytes());
    IpcHandle::from_bytes(&bytes).unwrap()
}

#[test]
fn a_handle_of_before_the_machine_was_started_is_refused() {
    let (event, _stream, _gate) = held(&device("host:0"));
    let old = forged(&event.export().unwrap(), 6);
    let error = refused(device("host:0").import_event(&old), STALE);
    assert!(error.message().contains("before this one was started"), "{error}");
}

#[test]
fn a_handle_of_another_library_or_version_is_told_as_that() {
    let own = event_of(&device("host:0")).export().unwrap();
    let later = [&b"SPEVENT2"[..], &own.as_bytes()[8..]].concat();
    for (bytes, said) in [
        (vec![0; 64], "does not begin as one"),
        // As the driver of a GPU gives them: 64 bytes that say nothing.
        ((0..64).map(|place: u8| place.wrapping_mul(37)).collect(), "does not begin as one"),
        (later, "of another version"),
    ] {
        let error = refused(IpcHandle::from_bytes(&bytes), STALE);
        assert!(error.message().contains(said), "{error}");
    }
}

#[test]
fn devices_of_all_backends_import_from_one_another() {
    for [exporting, importing] in [["host:0", "sim:0"], ["sim:0", "host:0"]] {
        let (event, _stream, gate) = held(&device(exporting));
        let handle = event.export().unwrap();
        let (mut waiting, mut told) = child::pipe();
        let importer = child::start(|| {
            let stream = device(importing).stream().unwrap();
            stream.wait_event(&device(importing).import_event(&handle).unwrap()).unwrap();
            let end = stream.record().unwrap();
            assert!(!end.query().unwrap(), "the gate is closed");
            told.write_all(b".").unwrap();
            settle(&end);
            0
        });
        drop(told);
        waiting.read_exact(&mut [0]).unwrap();
        gate.open().unwrap();
        assert_eq!(importer.end(), Ended::silently(0), "{exporting} to {importing}");
    }
}

/// Closing any descriptor of the sign would take its lock off, and others would see this process dead.
#[test]
fn no_import_opens_the_sign_of_its_own_process() {
    let (event, _stream, _gate) = held(&device("host:0"));
    let handle = event.export().unwrap();
    let error = refused(device("host:0").import_event(&forged(&handle, 3)), Kind::Failed);
    assert!(error.message().contains("exported in this process"), "{error}");
    let looks = child::forked(|| {
        let event = device("host:0").import_event(&handle).unwrap();
        assert!(matches!(event.state(), EventState::Pending), "{:?}", event.state());
        0
    });
    assert_eq!(looks, Ended::silently(0));
}

#[test]
fn no_sweep_touches_what_another_copy_of_the_library_in_this_process_may_have() {
    let folder = PathBuf::from(format!("/dev/shm/handles-{}", process::id()));
    fs::create_dir(&folder).unwrap();
    let ended = child::forked(|| {
        child::set_variable("SYNCPOINT_IPC_DIR", folder.to_str().unwrap());
        // 0: the system did not tell this process from others of its number.
        let [own, dead] = [0, 1].map(|distinction| leave_behind(&folder, distinction));
        let _exported = event_of(&device("host:0")).export().unwrap();
        assert!(own.iter().all(|file| file.exists()), "{own:?}");
        assert!(!dead.iter().any(|file| file.exists()), "{dead:?} are swept");
        0
    });
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(ended, Ended::silently(0));
}

/// A sign, which nobody has locked, and a page, under the number of this process.
fn leave_behind(folder: &Path, distinction: u32) -> [PathBuf; 2] {
    let owner = format!("syncpoint-{:x}-{distinction:x}-{:016x}", process::id(), 42);
    let names = [format!("{owner}.sign"), format!("{owner}-{:032x}.page", 43)];
    names.map(|name| {
        let file = folder.join(name);
        fs::write(&file, []).unwrap();
        file
    })
}
