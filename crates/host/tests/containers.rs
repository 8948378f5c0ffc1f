//! Events between containers: processes with numbers and mounts of their own that share one folder and nothing else.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use syncpoint::{Device, Event, EventState, IpcHandle, Kind};
use syncpoint_conformance::child::{self, Child, Ended};
use syncpoint_conformance::container::{SHARED, contained};
use syncpoint_conformance::patience::{PATIENCE, settle};
use syncpoint_conformance::peer::{self, event_of, host, record_held, until};
use syncpoint_conformance::skip;

/// What a child exits with where it may not be a container.
const SKIPPED: i32 = 77;

/// A folder that containers share, for one test.
struct Folder(PathBuf);

impl Folder {
    /// `None`, loudly, where the system allows no containers.
    fn new(name: &str) -> Option<Self> {
        let folder = format!("/dev/shm/test-of-syncpoint-{name}-{}", process::id());
        fs::create_dir(&folder).unwrap();
        let folder = Self(folder.into());
        let ended = container(&folder.0, || 0).end();
        if ended.code == Some(SKIPPED) {
            skip("this user may not make user, mount and process namespaces");
            return None;
        }
        assert_eq!(ended, Ended::silently(0));
        Some(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

fn container(folder: &Path, code: impl FnOnce() -> i32) -> Child {
    child::start(|| contained(folder, code).unwrap_or(SKIPPED))
}

/// A container whose first process exports an event, does this once it is told to, and sleeps.
fn exporter(folder: &Path, then: impl FnOnce(&Device, Event)) -> (Child, IpcHandle, File) {
    let (mut handles, told) = child::pipe();
    let (cue, give_cue) = child::pipe();
    let exporter = container(folder, || {
        assert_eq!(process::id(), 1, "the first process of its container");
        peer::export(told, cue, then).map_or(1, |()| 0)
    });
    (exporter, peer::handle(&mut handles), give_cue)
}

/// Imports an event in a container whose first process has the same number as the exporter.
fn import_pending(handle: &IpcHandle, mut told: &File) -> Event {
    assert_eq!(process::id(), 1, "the first process of its container");
    let event = host().import_event(handle).unwrap();
    until(&event, |state| matches!(state, EventState::Pending));
    told.write_all(b".").unwrap();
    event
}

/// Goes on once the importer says that it is about to wait; tells how it ended where it does not.
#[track_caller]
fn when_ready(ready: &mut File, importer: Child) -> Child {
    let waits = ready.read_exact(&mut [0]).is_ok();
    assert!(waits, "the importer has ended: {:?}", importer.end());
    importer
}

#[test]
fn a_container_waits_for_what_another_exports() {
    let Some(folder) = Folder::new("waits") else { return };
    let (mut opening, mut open) = child::pipe();
    let (_exporter, handle, mut cue) = exporter(&folder.0, |device, event| {
        let (_stream, gate) = record_held(device, &event).unwrap();
        opening.read_exact(&mut [0]).unwrap();
        gate.open().unwrap();
        event.synchronize().unwrap();
        Box::leak(Box::new(event));
    });
    cue.write_all(b".").unwrap();
    let (mut ready, told) = child::pipe();
    let importer = container(&folder.0, || {
        let event = import_pending(&handle, &told);
        let stream = host().stream().unwrap();
        stream.wait_event(&event).unwrap();
        settle(&stream.record().unwrap());
        event.synchronize_timeout(PATIENCE).unwrap();
        0
    });
    drop(told);
    let importer = when_ready(&mut ready, importer);
    open.write_all(b".").unwrap();
    assert_eq!(importer.end(), Ended::silently(0));
}

#[test]
fn a_container_that_is_killed_is_an_error_in_another_which_sweeps_up_behind_it() {
    let Some(folder) = Folder::new("killed") else { return };
    let (exporter, handle, mut cue) = exporter(&folder.0, |device, event| {
        Box::leak(Box::new((record_held(device, &event).unwrap(), event)));
    });
    cue.write_all(b".").unwrap();
    let (mut ready, told) = child::pipe();
    let importer = container(&folder.0, || {
        let error = import_pending(&handle, &told).synchronize_timeout(PATIENCE).unwrap_err();
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.message().contains("has ended"), "{error}");
        assert_eq!(files(), 2, "the sign and the page of the other are left");
        let event = event_of(&host()).unwrap();
        event.export().unwrap();
        assert_eq!(files(), 2, "only those of its own");
        0
    });
    drop(told);
    let importer = when_ready(&mut ready, importer);
    exporter.kill();
    assert_eq!(importer.end(), Ended::silently(0));
}

/// How many files lie in the folder that a container shares.
fn files() -> usize {
    fs::read_dir(SHARED).unwrap().count()
}
