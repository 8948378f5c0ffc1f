//! Ten thousand records of one event, while another process waits for them on its device and through the host.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;
mod sharing;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use syncpoint::{Device, Event, IpcHandle, Result, Stream};
use syncpoint_base::page::Page;
use syncpoint_conformance::other::{Other, given, go_on, play, say};
use syncpoint_conformance::patience::PATIENCE;

use fake::Fake;
use sharing::{open, shared};

const RECORDS: u64 = 10_000;

/// So many records in a row are of one stream.
const ROW: u64 = 5;

/// What lies on a page of the test's own: the latest record, and for each stream the latest that its device has come to.
const NAMED: usize = 0;
const COME: [usize; 2] = [1, 2];

#[test]
fn no_wait_goes_on_before_what_was_recorded() -> Result<()> {
    Fake::used();
    let file = PathBuf::from(format!("/dev/shm/test-of-records-{}", std::process::id()));
    let page = Arc::new(Page::make(&file).expect("room for a page"));
    let other = Other::begin_with("records", &file.display());
    let handle: IpcHandle = other.hear();
    fs::remove_file(&file).expect("it was made");
    let (device, plain) = (with_gates()?, syncpoint::cuda::open(0)?);
    let opened = open(&device, &handle)?;
    let (by_words, by_the_host) = (device.import_event(&handle)?, plain.import_event(&handle)?);
    other.next();
    let on_the_device = wait_for_all(&device, &[&opened, &by_the_host, &by_words], &page)?;
    assert!(on_the_device > 10, "{on_the_device} waits were on the device");
    other.end();
    Ok(())
}

/// Waits for one event after the other until the last record. Gives how often that was on the device.
fn wait_for_all(device: &Device, events: &[&Event], page: &Arc<Page>) -> Result<u64> {
    // What hangs is found out below: this is for a machine that is slow with all of them.
    let deadline = Instant::now() + 6 * PATIENCE;
    let (stream, early) = (device.stream()?, Arc::default());
    let mut on_the_device = 0;
    for event in events.iter().cycle() {
        let named = page.numbers()[NAMED].load(Ordering::Acquire);
        let before = stream.statistics().driver_calls;
        stream.wait_event(event)?;
        on_the_device += stream.statistics().driver_calls - before;
        look_on_the_device(&stream, named, page, &early);
        stream.record()?.synchronize_timeout(PATIENCE)?;
        assert_eq!(early.load(Ordering::Relaxed), 0, "a wait for record {named} went on early");
        if named == RECORDS {
            break;
        }
        assert!(Instant::now() < deadline, "record {named} is not the last");
    }
    Ok(on_the_device)
}

/// Behind the wait the device looks whether both streams there have come to what was recorded.
fn look_on_the_device(stream: &Stream, named: u64, page: &Arc<Page>, early: &Arc<AtomicU64>) {
    let (page, early) = (Arc::clone(page), Arc::clone(early));
    Fake::used().launch(stream, move || {
        let has_come = |index: usize| {
            page.numbers()[COME[index]].load(Ordering::Acquire) >= last_of(index, named)
        };
        early.fetch_add(u64::from(!(has_come(0) && has_come(1))), Ordering::Relaxed);
    });
}

/// The stream of a record, and the last record of a stream up to another record.
fn stream_of(record: u64) -> usize {
    usize::from((record / ROW) % 2 == 1)
}

fn last_of(index: usize, named: u64) -> u64 {
    (1..=named).rev().find(|record| stream_of(*record) == index).unwrap_or(0)
}

#[test]
fn the_other_process() {
    play(&[("records", records)]);
}

/// A device whose streams may stand on it, and write words.
fn with_gates() -> Result<Device> {
    Fake::used();
    syncpoint::cuda::builder().device_gates(6 * PATIENCE).open(0)
}

fn records() -> Result<()> {
    let page = Arc::new(Page::open(&given::<PathBuf>()).expect("a page"));
    let device = with_gates()?;
    let streams = [device.stream()?, device.stream()?];
    let event = shared(&device)?;
    say(&event.export()?);
    go_on();
    for record in 1..=RECORDS {
        let index = stream_of(record);
        // What takes a while now and then, and longer on one stream, so that the other overtakes it.
        if record % ROW == 0 {
            streams[index].delay(Duration::from_micros(30 + 100 * index as u64))?;
        }
        let come = Arc::clone(&page);
        Fake::used().launch(&streams[index], move || {
            come.numbers()[COME[index]].store(record, Ordering::Release);
        });
        event.record(&streams[index])?;
        page.numbers()[NAMED].store(record, Ordering::Release);
        // Not so far ahead that the other process always finds records of both streams pending.
        if record % (4 * ROW) == 0 {
            event.synchronize_timeout(PATIENCE)?;
        }
    }
    event.synchronize_timeout(PATIENCE)?;
    go_on();
    Ok(())
}
