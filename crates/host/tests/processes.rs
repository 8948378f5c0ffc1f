//! Events between real processes: who exports, who imports, and who dies when.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use syncpoint::{Event, EventOptions, EventState, Gate, IpcHandle, Kind, Reason};
use syncpoint_conformance::child::{self, Ended};
use syncpoint_conformance::container;
use syncpoint_conformance::patience::{PATIENCE, failure_of, refused, settle};
use syncpoint_conformance::peer::{self, event_of, exporter, host, record_held, until};
use syncpoint_conformance::skip;

/// Files of ours that lie in the folder that processes share.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev/shm").unwrap().flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().contains("/syncpoint-")).collect()
}

#[test]
fn imported_in_its_own_process_it_is_the_event_itself() {
    let (device, gate) = (host(), Gate::new());
    let (event, stream) = (event_of(&device).unwrap(), device.stream().unwrap());
    let handle = event.export().unwrap();
    assert_eq!(event.export().unwrap(), handle, "the handle stays the same");
    let same = device.import_event(&handle).unwrap();
    assert_eq!((same.id(), same.options()), (event.id(), event.options()));
    stream.wait(&gate.point()).unwrap();
    same.record(&stream).unwrap();
    assert_eq!(event.point().unwrap(), same.point().unwrap());
    drop(event);
    gate.open().unwrap();
    same.synchronize_timeout(PATIENCE).unwrap();
}

#[test]
fn an_event_made_for_one_process_or_of_no_device_has_no_handle() {
    let alone = host().event();
    refused(alone.export(), Kind::Misuse(Reason::NotInterprocess));
    let unbound = Event::new(EventOptions::builder().interprocess().build().unwrap());
    refused(unbound.export(), Kind::Misuse(Reason::NotRecorded));
}

#[test]
fn a_hundred_thousand_records_are_followed_to_the_last() {
    const RECORDS: u32 = 100_000;
    let (exporter, handle, mut cue) = exporter(|device, event| {
        let stream = device.stream().unwrap();
        for _ in 0..RECORDS {
            stream.enqueue(|| ()).unwrap();
            event.record(&stream).unwrap();
        }
        stream.enqueue(|| Err::<(), _>("the last fails on purpose")).unwrap();
        event.record(&stream).unwrap();
    });
    let event = host().import_event(&handle).unwrap();
    assert!(matches!(event.state(), EventState::NeverRecorded));
    assert!(event.query().unwrap() && !event.query_recorded().unwrap());
    cue.write_all(b".").unwrap();
    until(&event, |state| !matches!(state, EventState::NeverRecorded));
    let stream = host().stream().unwrap();
    let mut waits = 0_u32;
    let failure = loop {
        // Each wait is for the latest record of its moment; none but the last fails.
        stream.wait_event(&event).unwrap();
        waits += 1;
        if let Err(failure) = stream.record().unwrap().synchronize_timeout(PATIENCE) {
            break failure;
        }
        assert!(waits < 100 * RECORDS, "the last record is never seen");
    };
    assert_eq!(failure.kind(), Kind::Failed);
    let last = format!("record {}", RECORDS + 1);
    assert!(failure.message().contains(&last), "{failure}");
    exporter.kill();
    assert!(matches!(event.state(), EventState::Failed(_)), "what was settled stays so");
}

#[test]
fn an_exporter_killed_before_its_record_is_an_error() {
    let (exporter, handle, _cue) = exporter(|_, _| ());
    let (event, stream) = (host().import_event(&handle).unwrap(), host().stream().unwrap());
    stream.wait_event(&event).unwrap();
    stream.synchronize_timeout(PATIENCE).unwrap();
    exporter.kill();
    until(&event, |state| matches!(state, EventState::Failed(_)));
    assert_eq!(event.synchronize().unwrap_err().kind(), Kind::Failed);
    stream.wait_event(&event).unwrap();
    assert_eq!(failure_of(&stream.record().unwrap()).kind(), Kind::Failed);
}

#[test]
fn an_exporter_killed_after_its_record_completed_harms_nobody() {
    let (exporter, handle, mut cue) = exporter(|device, event| {
        event.record(&device.stream().unwrap()).unwrap();
    });
    let event = host().import_event(&handle).unwrap();
    cue.write_all(b".").unwrap();
    until(&event, |state| matches!(state, EventState::Complete));
    exporter.kill();
    event.synchronize().unwrap();
    assert!(event.query().unwrap());
}

/// The listener looks every 50 ms, and users were promised a tenth of a second. The median, because a busy machine lets
/// this thread run late now and then.
#[test]
fn an_exporter_killed_with_a_child_alive_is_dead_at_once() {
    let mut times: Vec<Duration> = (0..7).map(|_| from_kill_to_error()).collect();
    times.sort();
    assert!(times[3] < Duration::from_millis(100), "found out after {times:?}");
}

/// How long after the exporter's death a thread that waits for its event has the error.
fn from_kill_to_error() -> Duration {
    let (mut children, mut told) = child::pipe();
    let (exporter, handle, mut cue) = exporter(move |device, event| {
        let held = record_held(device, &event).unwrap();
        // The child has every descriptor of the exporter, and outlives it.
        let child = child::start(|| {
            child::outlive_parent();
            told.write_all(b".").unwrap();
            std::thread::park_timeout(PATIENCE);
            0
        });
        Box::leak(Box::new((held, child)));
    });
    let event = host().import_event(&handle).unwrap();
    cue.write_all(b".").unwrap();
    children.read_exact(&mut [0]).unwrap();
    until(&event, |state| matches!(state, EventState::Pending));
    let waiting = {
        let event = host().import_event(&handle).unwrap();
        std::thread::spawn(move || event.synchronize())
    };
    exporter.kill();
    let killed = Instant::now();
    assert_eq!(waiting.join().unwrap().unwrap_err().kind(), Kind::Failed);
    killed.elapsed()
}

#[test]
fn an_event_dropped_before_it_is_imported_is_gone_and_one_dropped_after_is_not() {
    let (mut done, mut told) = child::pipe();
    let (_exporter, handle, mut cue) = exporter(move |device, event| {
        let (stream, gate) = record_held(device, &event).unwrap();
        gate.open().unwrap();
        stream.synchronize().unwrap();
        drop(event);
        told.write_all(b".").unwrap();
    });
    let before = host().import_event(&handle).unwrap();
    cue.write_all(b".").unwrap();
    done.read_exact(&mut [0]).unwrap();
    before.synchronize_timeout(PATIENCE).unwrap();
    // It is there until its last record is written down as settled.
    let deadline = Instant::now() + PATIENCE;
    while host().import_event(&handle).is_ok() {
        assert!(Instant::now() < deadline, "a dropped event is gone at last");
    }
    let error = refused(host().import_event(&handle), Kind::Failed);
    assert!(error.message().contains("dropped it"), "{error}");
}

#[test]
fn ten_thousand_events_are_exported_and_leave_nothing() {
    let ended = child::forked(|| {
        let device = host();
        let stream = device.stream().unwrap();
        let events: Vec<Event> = (0..10_000).map(|_| event_of(&device).unwrap()).collect();
        let handles: Vec<IpcHandle> = events.iter().map(|event| event.export().unwrap()).collect();
        for event in &events {
            event.record(&stream).unwrap();
        }
        let import_all = || {
            let device = host();
            let import = |handle| device.import_event(handle).unwrap();
            let events: Vec<Event> = handles.iter().map(import).collect();
            for event in &events {
                event.synchronize_timeout(PATIENCE).unwrap();
            }
            0
        };
        let importers = [child::start(import_all), child::start(import_all)];
        for importer in importers {
            assert_eq!(importer.end(), Ended::silently(0));
        }
        drop(events);
        let own = format!("-{:x}-", std::process::id());
        let left = files().into_iter().filter(|file| file.to_string_lossy().contains(&own));
        assert_eq!(left.count(), 0, "pages and sign are gone");
        0
    });
    assert_eq!(ended, Ended::silently(0));
}

#[test]
fn what_a_killed_process_left_is_swept_away_and_nothing_else() {
    let (exporter, handle, _cue) = exporter(|_, _| ());
    let (alive, alive_handle, _cue) = peer::exporter(|_, _| ());
    let of = |handle: &IpcHandle| {
        let owner = format!("-{:016x}", number(handle, 2));
        files().into_iter().filter(|file| file.to_string_lossy().contains(&owner)).count()
    };
    assert_eq!([of(&handle), of(&alive_handle)], [2, 2], "a sign and a page each");
    exporter.kill();
    let swept = child::forked(|| {
        let _exported = event_of(&host()).unwrap().export().unwrap();
        0
    });
    assert_eq!(swept, Ended::silently(0));
    refused(host().import_event(&handle), Kind::Failed);
    host().import_event(&alive_handle).unwrap();
    assert_eq!([of(&handle), of(&alive_handle)], [0, 2]);
    alive.kill();
}

#[test]
fn more_waits_than_one_thread_can_listen_to_are_served() {
    const EVENTS: usize = 300;
    let (mut handles, mut told) = child::pipe();
    let (mut cue, mut give_cue) = child::pipe();
    let exporter = child::start(|| {
        let (device, gate) = (host(), Gate::new());
        let stream = device.stream().unwrap();
        stream.wait(&gate.point()).unwrap();
        let events: Vec<Event> = (0..EVENTS).map(|_| event_of(&device).unwrap()).collect();
        for event in &events {
            event.record(&stream).unwrap();
            write!(told, "{}", event.export().unwrap()).unwrap();
        }
        cue.read_exact(&mut [0]).unwrap();
        gate.open().unwrap();
        cue.read_exact(&mut [0]).unwrap();
        0
    });
    let device = host();
    let ends: Vec<_> = (0..EVENTS)
        .map(|_| {
            let handle = peer::handle(&mut handles);
            let stream = device.stream().unwrap();
            stream.wait_event(&device.import_event(&handle).unwrap()).unwrap();
            stream.record().unwrap()
        })
        .collect();
    assert!(ends.iter().all(|end| !end.query().unwrap()));
    give_cue.write_all(b".").unwrap();
    ends.iter().for_each(settle);
    give_cue.write_all(b".").unwrap();
    assert_eq!(exporter.end(), Ended::silently(0));
}

#[test]
fn bytes_that_are_no_handle_and_pages_that_are_not_the_one_are_refused() {
    let (_exporter, handle, _cue) = exporter(|_, _| ());
    let bytes = handle.as_bytes();
    for length in 0..bytes.len() {
        refused(IpcHandle::from_bytes(&bytes[..length]), Kind::Misuse(Reason::StaleHandle));
    }
    let name = page_of(&handle);
    let page = fs::read(&name).unwrap();
    for (other, kind) in [
        ([&[1; 8], &page[8..]].concat(), Kind::Misuse(Reason::StaleHandle)),
        (page[1..].to_vec(), Kind::Failed),
        (Vec::new(), Kind::Failed),
    ] {
        fs::remove_file(&name).unwrap();
        fs::write(&name, other).unwrap();
        refused(host().import_event(&handle), kind);
    }
    fs::write(&name, page).unwrap();
    host().import_event(&handle).unwrap();
}

#[test]
fn garbage_on_a_page_gives_wrong_answers_and_nothing_worse() {
    let (_exporter, handle, _cue) = exporter(|_, _| ());
    let event = host().import_event(&handle).unwrap();
    let name = page_of(&handle);
    let nonce = fs::read(&name).unwrap()[..8].to_vec();
    let uniform = [0xff_u8, 0x80, 0x01, 0x00].map(|byte| vec![byte; 4088]);
    // Every choice of small and large for the numbers that come first.
    let numbers = [0, 1, 2, u64::MAX - 1, u64::MAX];
    let mixed = (0..5_usize.pow(5)).map(|choice| {
        let chosen = (0..5).map(|place| numbers[choice / 5_usize.pow(place) % 5]);
        let mut page: Vec<u8> = chosen.flat_map(u64::to_le_bytes).collect();
        page.resize(4088, 0x5a);
        page
    });
    for garbage in uniform.into_iter().chain(mixed) {
        overwrite(&name, &[&nonce[..], &garbage[..]].concat());
        let _any_answer = (event.state(), event.query(), event.query_recorded());
        let _any_outcome = event.synchronize_timeout(Duration::from_micros(1));
    }
}

#[test]
fn garbage_in_place_of_the_count_does_not_keep_the_exporter_from_counting() {
    let (mut done, mut told) = child::pipe();
    let (_exporter, handle, mut cue) = exporter(move |device, event| {
        let stream = device.stream().unwrap();
        event.record(&stream).unwrap();
        event.record(&stream).unwrap();
        stream.synchronize().unwrap();
        told.write_all(b".").unwrap();
        Box::leak(Box::new(event));
    });
    let name = page_of(&handle);
    let mut page = fs::read(&name).unwrap();
    page[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    overwrite(&name, &page);
    cue.write_all(b".").unwrap();
    done.read_exact(&mut [0]).unwrap();
    let event = host().import_event(&handle).unwrap();
    event.synchronize_timeout(PATIENCE).unwrap();
    assert!(event.query_recorded().unwrap());
}

#[test]
fn a_wait_that_runs_out_says_that_another_process_has_to_come() {
    let (_exporter, handle, mut cue) = exporter(|device, event| {
        Box::leak(Box::new(record_held(device, &event).unwrap()));
    });
    let event = host().import_event(&handle).unwrap();
    cue.write_all(b".").unwrap();
    until(&event, |state| matches!(state, EventState::Pending));
    let late = event.synchronize_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(late.kind(), Kind::TimedOut);
    let words = late.to_string();
    assert!(words.contains("which another process has to complete"), "{words}");
    assert!(words.contains("processes.rs"), "{words}");
}

#[test]
fn too_many_open_files_are_told_as_such() {
    let (_exporter, handle, _cue) = exporter(|_, _| ());
    let ended = child::forked(|| {
        let device = host();
        let mut files = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            files.push(file);
        }
        let refusals = [
            refused(device.import_event(&handle), Kind::Exhausted),
            refused(event_of(&device).unwrap().export(), Kind::Exhausted),
        ];
        drop(files);
        assert!(refusals.iter().all(|error| error.message().contains("open files")));
        0
    });
    assert_eq!(ended, Ended::silently(0));
}

/// The file of an exported event: the one whose name ends with the numbers of the handle.
fn page_of(handle: &IpcHandle) -> PathBuf {
    let end = format!("{:016x}{:016x}.page", number(handle, 4), number(handle, 3));
    files().into_iter().find(|file| file.to_string_lossy().ends_with(&end)).unwrap()
}

/// Writes over a file that others have mapped: cut short meanwhile, it would end them.
fn overwrite(name: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(name).unwrap();
    file.write_all(bytes).unwrap();
}

/// One of the numbers of a handle.
fn number(handle: &IpcHandle, index: usize) -> u64 {
    u64::from_le_bytes(handle.as_bytes()[index * 8..][..8].try_into().unwrap())
}

#[test]
fn without_a_folder_to_share_the_error_names_it_and_the_way_out() {
    for folder in ["/nowhere/at/all", "/proc", "/dev/null"] {
        let ended = child::forked(|| {
            child::set_variable("SYNCPOINT_IPC_DIR", folder);
            let error = refused(event_of(&host()).unwrap().export(), Kind::Unavailable);
            let message = error.message();
            assert!(message.contains(folder) && message.contains("SYNCPOINT_IPC_DIR"), "{error}");
            0
        });
        assert_eq!(ended, Ended::silently(0), "{folder}");
    }
}

#[test]
fn processes_that_share_no_folder_find_out_and_do_not_hang() {
    let (_exporter, handle, _cue) = exporter(|_, _| ());
    let ended = child::forked(|| {
        if !container::hide_shared_memory(false) {
            return SKIPPED;
        }
        let error = refused(host().import_event(&handle), Kind::Failed);
        assert!(error.message().contains("/dev/shm"), "{error}");
        0
    });
    expect_or_skip(&ended);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let ended = child::forked(|| {
        if !container::hide_shared_memory(true) {
            return SKIPPED;
        }
        let error = refused(event_of(&host()).unwrap().export(), Kind::Unavailable);
        assert!(error.message().contains("/dev/shm"), "{error}");
        0
    });
    expect_or_skip(&ended);
}

/// What a child exits with where it may not make a mount namespace.
const SKIPPED: i32 = 77;

fn expect_or_skip(ended: &Ended) {
    if ended.code == Some(SKIPPED) {
        skip("this user may not make mount namespaces");
        return;
    }
    assert_eq!(*ended, Ended::silently(0));
}
