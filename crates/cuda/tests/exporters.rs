//! Exporters that fail, drop their event or are killed, while streams of another process wait for it on the device.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;
mod sharing;

use std::thread;
use std::time::{Duration, Instant};

use syncpoint::cuda::expose;
use syncpoint::{EventState, Gate, IpcHandle, Kind, Result};
use syncpoint_conformance::child;
use syncpoint_conformance::other::{Other, Part, go_on, play, say};
use syncpoint_conformance::patience::{PATIENCE, assert_held, failure_of, refused, settle, until};

use fake::Fake;
use sharing::{device, fails, open, recorded, records_behind_a_latch, shared, standing, waiting};

/// The parts that the other process plays.
const PARTS: [(&str, Part); 7] = [
    ("records behind a latch", records_behind_a_latch),
    ("fails", fails),
    ("has a child", has_a_child),
    ("drops its event", drops_its_event),
    ("records on another stream meanwhile", records_on_another_stream_meanwhile),
    ("exports and sleeps", exports_and_sleeps),
    ("exports thousands", exports_thousands),
];

#[test]
fn the_other_process() {
    play(&PARTS);
}

#[test]
fn a_failure_there_is_a_failure_here_although_the_device_goes_on() -> Result<()> {
    let (device, other) = (device()?, Other::begin("fails"));
    let event = open(&device, &other.hear())?;
    other.hear::<String>();
    let (stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 1);
    other.next();
    let failure = failure_of(&end);
    assert!(failure.message().contains("failed there"), "{failure}");
    assert!(stream.recover()?.is_some());
    settle(&stream.record()?);
    other.end();
    Ok(())
}

#[test]
fn an_exporter_that_is_killed_fails_the_stream_that_waits_on_the_device() -> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let event = open(&device, &handle)?;
    let (stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 1);
    let waiting = {
        let end = end.clone();
        thread::spawn(move || end.synchronize_timeout(PATIENCE))
    };
    other.kill();
    let failures = [
        waiting.join().expect("no panic").expect_err("it has died"),
        failure_of(&end),
        event.query().expect_err("as above"),
        event.synchronize().expect_err("as above"),
        open(&device, &handle).expect_err("as above"),
    ];
    for failure in failures {
        assert_eq!(failure.kind(), Kind::Failed, "{failure}");
        assert!(failure.message().contains("has ended"), "{failure}");
    }
    assert!(stream.failure().is_some());
    let late = device.stream()?;
    late.wait_event(&event)?;
    assert_eq!(
        late.statistics().driver_calls,
        0,
        "no driver is asked for a stream that comes late"
    );
    assert_eq!(failure_of(&late.record()?).kind(), Kind::Failed);
    Ok(())
}

#[test]
fn an_exporter_that_is_killed_before_its_first_record_is_an_error() -> Result<()> {
    let (device, other) = (device()?, Other::begin("exports and sleeps"));
    let event = open(&device, &other.hear())?;
    assert!(matches!(event.state(), EventState::NeverRecorded));
    let stream = device.stream()?;
    stream.wait_event(&event)?;
    settle(&stream.record()?);
    other.kill();
    until("its death", || matches!(event.state(), EventState::Failed(_)));
    stream.wait_event(&event)?;
    assert_eq!(failure_of(&stream.record()?).kind(), Kind::Failed);
    Ok(())
}

#[test]
fn an_exporter_that_is_killed_after_its_record_harms_nobody() -> Result<()> {
    let (device, (other, handle)) = (device()?, recorded());
    let event = open(&device, &handle)?;
    other.next();
    other.hear::<String>();
    until("the end of the record", || event.query_recorded().is_ok_and(|complete| complete));
    other.kill();
    let (_stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 0, "an event of a dead process is not touched");
    settle(&end);
    event.synchronize()
}

/// Both streams stand before a latch.
fn records_on_another_stream_meanwhile() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let (event, second, later) = (shared(&device)?, device.stream()?, Gate::new());
    expose(&second)?;
    second.wait(&later.point())?;
    say(&event.export()?);
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    event.record(&second)?;
    say(&"recorded again");
    go_on();
    gate.open()?;
    go_on();
    later.open()?;
    go_on();
    Ok(())
}

/// Alone in its process, because the driver is kept from its call.
fn waits_while_another_stream_records() -> Result<()> {
    let fake = Fake::used();
    let other = Other::begin("records on another stream meanwhile");
    let device = device()?;
    let event = open(&device, &other.hear())?;
    other.hear::<String>();
    let stream = device.stream()?;
    let calls = fake.count("cuStreamWaitEvent");
    fake.script("block cuStreamWaitEvent 1");
    let end = thread::scope(|scope| {
        let waits = scope.spawn(|| stream.wait_event(&event).and_then(|()| stream.record()));
        until("the wait", || fake.count("cuStreamWaitEvent") > calls);
        other.next();
        other.hear::<String>();
        // More than once: it may be counted and not blocked yet.
        until("its end", || {
            fake.script("release");
            waits.is_finished()
        });
        waits.join().expect("no panic")
    })?;
    assert_eq!(stream.statistics().driver_calls, 2, "the wait and the record");
    assert_held(&end);
    // The first record is complete, and the second stands.
    other.next();
    settle(&end);
    let (_late, late_end, waits) = waiting(&device, &event)?;
    assert_eq!(
        waits, 0,
        "the driver's event was left as it was, and the host waits for the second"
    );
    assert_held(&late_end);
    other.next();
    settle(&late_end);
    other.end();
    Ok(())
}

#[test]
fn a_wait_is_for_its_record_although_another_stream_records_as_it_is_given() {
    Fake::alone(
        "a_wait_is_for_its_record_although_another_stream_records_as_it_is_given",
        |_fake| waits_while_another_stream_records(),
    );
}

fn exports_and_sleeps() -> Result<()> {
    let device = device()?;
    let event = shared(&device)?;
    say(&event.export()?);
    go_on();
    event.record(&device.stream()?)
}

/// A child has every descriptor of the exporter, and outlives it.
fn has_a_child() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let event = shared(&device)?;
    let handle = event.export()?;
    event.record(&stream)?;
    let child = child::start(|| {
        child::outlive_parent();
        thread::park_timeout(PATIENCE);
        0
    });
    say(&handle);
    go_on();
    drop((child, gate));
    Ok(())
}

/// The listener looks every 50 ms, and users were promised a tenth of a second. The median, because a busy machine lets
/// this thread run late now and then.
#[test]
fn an_exporter_that_is_killed_with_a_child_alive_is_dead_at_once() -> Result<()> {
    let device = device()?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let other = Other::begin("has a child");
        let event = open(&device, &other.hear())?;
        let (_stream, end, waits) = waiting(&device, &event)?;
        assert_eq!(waits, 1);
        other.kill();
        let killed = Instant::now();
        assert_eq!(failure_of(&end).kind(), Kind::Failed);
        times.push(killed.elapsed());
    }
    times.sort();
    assert!(times[2] < Duration::from_millis(100), "found out after {times:?}");
    Ok(())
}

fn drops_its_event() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let event = shared(&device)?;
    say(&event.export()?);
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    let is_kept = Fake::used().count("cuEventDestroy_v2");
    drop((event, gate.open()));
    settle(&stream.record()?);
    say(&"dropped");
    go_on();
    assert_eq!(Fake::used().count("cuEventDestroy_v2"), is_kept, "an importer has it open");
    say(&"kept");
    go_on();
    drop((stream, device));
    until("the end of everything", || Fake::used().alive("all") == 0);
    Ok(())
}

#[test]
fn the_drivers_event_lives_until_every_importer_has_closed_it() -> Result<()> {
    let (device, other) = (device()?, Other::begin("drops its event"));
    let handle: IpcHandle = other.hear();
    let event = open(&device, &handle)?;
    other.hear::<String>();
    let (_stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 1);
    other.next();
    other.hear::<String>();
    settle(&end);
    assert!(event.query_recorded()?, "what became of the last record is known");
    until("the end of its page", || open(&device, &handle).is_err());
    let gone = refused(open(&device, &handle), Kind::Failed);
    assert!(gone.message().contains("dropped it"), "{gone}");
    other.next();
    other.hear::<String>();
    drop(event);
    other.end();
    assert_eq!(syncpoint::cuda::unheard(), 0, "it was there to be closed");
    Ok(())
}

/// Alone in its process, because what lives is counted.
fn exports_thousands() -> Result<()> {
    const EVENTS: usize = 2_000;
    let device = device()?;
    let stream = device.stream()?;
    let export = |count: usize| -> Result<()> {
        let events = (0..count).map(|_| shared(&device)).collect::<Result<Vec<_>>>()?;
        for event in &events {
            event.export()?;
            event.record(&stream)?;
        }
        settle(&stream.record()?);
        assert!(Fake::used().alive("events") >= count as u64);
        Ok(())
    };
    export(1)?;
    let pages = || {
        let own = format!("-{:x}-", std::process::id());
        let files = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_string_lossy().contains(&own)).count()
    };
    until("the end of the first", || pages() == 0);
    export(EVENTS)?;
    until("the end of all pages", || pages() == 0);
    // The marks of the stream stay in the pool of the context.
    drop((stream, device));
    until("the end of all events", || Fake::used().alive("events") == 0);
    assert_eq!(syncpoint::cuda::unheard(), 0);
    go_on();
    Ok(())
}

#[test]
fn thousands_of_exported_events_leave_nothing() {
    Other::begin("exports thousands").end();
}
