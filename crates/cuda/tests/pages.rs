//! Garbage on the page of an exported event: answers are wrong at worst, and nothing is left open.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;
mod sharing;

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use syncpoint::{Device, Event, IpcHandle, Kind, Result};
use syncpoint_conformance::other::{Other, given, go_on, play, say};
use syncpoint_conformance::patience::{PATIENCE, refused, settle, until};

use fake::Fake;
use sharing::{device, open, shared};

/// Where the numbers of the driver's event lie on a page of numbers: the first of the latest run, the latest record,
/// whether there is one, its users, and the first of its handle.
const RUN: usize = 6;
const LATEST: usize = 7;
const OFFERED: usize = 264;
const USERS: usize = 265;
const HANDLE: usize = 266;

#[test]
fn the_other_process() {
    play(&[("exports", exports), ("breaks", breaks), ("opens under faults", opens_under_faults)]);
}

fn exports() -> Result<()> {
    let device = device()?;
    let event = shared(&device)?;
    say(&event.export()?);
    let stream = device.stream()?;
    event.record(&stream)?;
    stream.synchronize_timeout(PATIENCE)?;
    say(&"recorded");
    go_on();
    Ok(())
}

/// The page of the only event that a process exports.
struct Garbled {
    other: Other,
    handle: IpcHandle,
    page: fs::File,
}

impl Garbled {
    fn begin() -> Self {
        let other = Other::begin("exports");
        let handle = other.hear();
        other.hear::<String>();
        let begin = format!("syncpoint-{:x}-", other.id());
        let entries = fs::read_dir("/dev/shm").expect("a folder").flatten();
        let is_page = |path: &PathBuf| {
            let of_it =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&begin));
            of_it && path.extension() == Some("page".as_ref())
        };
        let path = entries.map(|entry| entry.path()).find(is_page).expect("a page");
        let page = fs::File::options().read(true).write(true).open(path).expect("its user");
        Self { other, handle, page }
    }

    /// Writes a number, and gives the one of before.
    fn write(&self, place: usize, number: u64) -> u64 {
        let (offset, mut before) = (place as u64 * 8, [0; 8]);
        self.page.read_exact_at(&mut before, offset).expect("a page is whole");
        self.page.write_all_at(&number.to_le_bytes(), offset).expect("as above");
        u64::from_le_bytes(before)
    }

    fn open(&self, device: &Device) -> Result<Event> {
        open(device, &self.handle)
    }
}

#[test]
fn a_driver_that_refuses_the_handle_is_told_of_and_nothing_is_left_open() -> Result<()> {
    let (device, garbled) = (device()?, Garbled::begin());
    let before = garbled.write(HANDLE, 0xa5a5);
    let error = refused(garbled.open(&device), Kind::Driver);
    assert!(error.message().contains("cuIpcOpenEventHandle"), "{error}");
    garbled.write(HANDLE, before);
    assert_eq!(garbled.write(USERS, 0), 0, "nobody has it open");
    let event = garbled.open(&device)?;
    assert_eq!(garbled.write(USERS, 1), 1);
    assert!(event.query_recorded()?);
    garbled.other.end();
    Ok(())
}

#[test]
fn an_event_that_is_not_offered_or_withdrawn_is_not_opened() -> Result<()> {
    let (device, garbled) = (device()?, Garbled::begin());
    for other in [0, 2, u64::MAX] {
        garbled.write(OFFERED, other);
        refused(garbled.open(&device), Kind::Unsupported);
    }
    garbled.write(OFFERED, 1);
    for many in [u64::MAX, 1 << 63, (1 << 63) - 1] {
        garbled.write(USERS, many);
        refused(garbled.open(&device), Kind::Failed);
    }
    garbled.other.end();
    Ok(())
}

/// The context of an importer breaks while it has the event open.
fn breaks() -> Result<()> {
    let device = device()?;
    let event = open(&device, &given())?;
    Fake::used().script("break cuStreamCreateWithPriority 1 719");
    refused(device.stream(), Kind::DeviceLost);
    drop(event);
    say(&"dropped");
    go_on();
    Ok(())
}

#[test]
fn an_importer_whose_device_breaks_has_the_event_open_no_more() {
    let garbled = Garbled::begin();
    let importer = Other::begin_with("breaks", &garbled.handle);
    importer.hear::<String>();
    assert_eq!(garbled.write(USERS, 0), 0, "the exporter may end it");
    importer.end();
    garbled.other.end();
}

/// The driver of an importer refuses to open an event later than at the first call, and then breaks as it opens one.
fn opens_under_faults() -> Result<()> {
    let (fake, device, handle) = (Fake::used(), device()?, given());
    let stream = device.stream()?;
    settle(&stream.record()?);
    let events = fake.alive("events");
    fake.script("fail cuIpcOpenEventHandle 2 999; break cuIpcOpenEventHandle 5 719");
    let first = open(&device, &handle)?;
    let told = refused(open(&device, &handle), Kind::Driver);
    assert!(told.message().contains("cuIpcOpenEventHandle"), "{told}");
    assert_eq!(told.code().map(|(code, _)| code), Some(999), "{told}");
    let third = open(&device, &handle)?;
    assert!(first.query_recorded()? && third.query_recorded()?);
    drop((first, third));
    until("the end of both", || fake.alive("events") == events);
    let fourth = open(&device, &handle)?;
    let lost = refused(open(&device, &handle), Kind::DeviceLost);
    assert!(lost.message().contains("cuIpcOpenEventHandle"), "{lost}");
    assert!(refused(device.stream(), Kind::DeviceLost).is_same(&lost));
    assert!(fourth.query_recorded()?, "its page says so");
    drop((fourth, stream, device));
    assert_eq!(syncpoint::cuda::unheard(), 0);
    say(&"dropped");
    go_on();
    Ok(())
}

#[test]
fn what_fails_as_an_event_is_opened_is_told_and_leaves_nothing_open() {
    let garbled = Garbled::begin();
    let importer = Other::begin_with("opens under faults", &garbled.handle);
    importer.hear::<String>();
    assert_eq!(garbled.write(USERS, 0), 0, "the exporter may end it");
    importer.end();
    garbled.other.end();
}

#[test]
fn garbled_records_give_wrong_answers_and_nothing_worse() -> Result<()> {
    let (device, garbled) = (device()?, Garbled::begin());
    let event = garbled.open(&device)?;
    let (recorded, settled) = (1, 2);
    let numbers = [0, 1, 2, 1 << 62, u64::MAX];
    for choice in 0..numbers.len().pow(4) {
        let mut rest = choice;
        for place in [recorded, settled, RUN, LATEST] {
            garbled.write(place, numbers[rest % numbers.len()]);
            rest /= numbers.len();
        }
        let stream = device.stream()?;
        let _any_answer = (event.state(), event.query(), stream.wait_event(&event));
        let _any_outcome = stream.record()?.synchronize_timeout(Duration::from_micros(1));
    }
    for place in [recorded, settled, RUN, LATEST] {
        garbled.write(place, 1);
    }
    device.stream()?.wait_event(&event)?;
    event.synchronize_timeout(PATIENCE)?;
    garbled.other.end();
    Ok(())
}
