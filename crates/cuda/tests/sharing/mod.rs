//! What the tests of events between processes have in common: who exports behind a latch, and who waits on the device.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    reason = "each test uses some of it, and one that cannot go on fails"
)]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use syncpoint::cuda::{expose, shares_natively};
use syncpoint::{Device, Event, EventOptions, Gate, IpcHandle, Point, Result, Stream};
use syncpoint_conformance::other::{Other, go_on, say};
use syncpoint_conformance::patience::PATIENCE;

use super::fake::Fake;

pub(crate) fn shared(device: &Device) -> Result<Event> {
    device.event_with(EventOptions::builder().interprocess().build()?)
}

pub(crate) fn device() -> Result<Device> {
    Fake::used();
    syncpoint::cuda::open(0)
}

/// Opens an event that a living process exports.
pub(crate) fn open(device: &Device, handle: &IpcHandle) -> Result<Event> {
    Fake::used().open_event(device, handle)
}

/// A device whose streams may stand before a latch, and a stream that stands there until the gate is open.
pub(crate) fn standing() -> Result<(Device, Stream, Gate)> {
    Fake::used();
    let device = syncpoint::cuda::builder().device_gates(6 * PATIENCE).open(0)?;
    let (stream, gate) = (device.stream()?, Gate::new());
    expose(&stream)?;
    stream.wait(&gate.point())?;
    Ok((device, stream, gate))
}

/// A stream that waits for an event and then has something to do, and how often it waited on the device.
pub(crate) fn waiting(device: &Device, event: &Event) -> Result<(Stream, Point, u64)> {
    let stream = device.stream()?;
    let before = stream.statistics().driver_calls;
    stream.wait_event(event)?;
    let waits = stream.statistics().driver_calls - before;
    stream.delay(Duration::from_micros(1))?;
    let end = stream.record()?;
    Ok((stream, end, waits))
}

pub(crate) fn records_behind_a_latch() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let event = shared(&device)?;
    say(&event.export()?);
    shares_natively(&event)?;
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    gate.open()?;
    event.synchronize_timeout(PATIENCE)?;
    say(&"complete");
    go_on();
    Ok(())
}

/// Another process that has recorded behind a latch.
pub(crate) fn recorded() -> (Other, IpcHandle) {
    let other = Other::begin("records behind a latch");
    let handle = other.hear();
    other.hear::<String>();
    (other, handle)
}

/// A device whose streams may stand on it for so long.
pub(crate) fn with_gates(longest: Duration) -> Result<Device> {
    Fake::used();
    syncpoint::cuda::builder().device_gates(longest).open(0)
}

/// The driver has its record when it fails.
pub(crate) fn fails() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let event = shared(&device)?;
    say(&event.export()?);
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    gate.fail(syncpoint::Error::failed("it fails on purpose"))?;
    go_on();
    Ok(())
}

/// How many pages of events this process has mapped. The stand-in has some of its own.
pub(crate) fn mapped() -> usize {
    paths().len()
}

fn paths() -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux has it");
    let is_ours = |line: &&str| line.contains(".page") && !line.contains("syncpoint-cuda-fake");
    let path = |line: &str| line.split_whitespace().last().map(str::to_owned);
    maps.lines().filter(is_ours).filter_map(path).collect()
}

/// The page of the one event that this process has mapped, to be read and written beside everybody as devices do.
pub(crate) struct Mapped(File);

/// Where the word of the first stream that records the event lies, of eight bytes as all numbers of a page.
const FIRST: u64 = 280 * 8;

impl Mapped {
    pub(crate) fn open() -> Self {
        let paths = paths();
        let [path] = &paths[..] else { unreachable!("there is one: {paths:?}") };
        let page = File::options().read(true).write(true).open(path);
        Self(page.expect("it is there for as long as the exporter"))
    }

    pub(crate) fn first_word(&self) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, FIRST).expect("a page has 4 KiB");
        u64::from_ne_bytes(bytes)
    }

    pub(crate) fn write_first_word(&self, word: u64) {
        self.0.write_all_at(&word.to_ne_bytes(), FIRST).expect("a page has 4 KiB");
    }
}
