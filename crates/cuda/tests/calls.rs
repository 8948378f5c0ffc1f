//! Calls: how often the driver is called for what users do all the time.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::time::Duration;

use syncpoint::{Device, EventOptions, Gate, Point, Result, Stream, TimedPoint};
use syncpoint_conformance::patience::{settle, until};

use fake::Fake;

/// A device whose context is current on this thread, and of which nobody else in the process makes calls.
fn device() -> Result<Device> {
    Fake::used();
    let device = syncpoint::cuda::open(0)?;
    Fake::used().make_current(0);
    Ok(device)
}

/// The calls of some code, of this thread and of every other.
fn calls<T>(code: impl FnOnce() -> Result<T>) -> Result<(u64, T)> {
    let before = Fake::used().count("*");
    let value = code()?;
    Ok((Fake::used().count("*") - before, value))
}

/// A stream with work that is not over.
fn busy(device: &Device) -> Result<Stream> {
    let stream = device.stream()?;
    stream.delay(LONG)?;
    Ok(stream)
}

/// So long that what is asked meanwhile is pending.
const LONG: Duration = Duration::from_millis(200);

/// Waits until the poller has left its context, which is its last call, and nobody else calls for a while.
fn rest() {
    let fake = Fake::used();
    let is_home = || fake.count("cuCtxPushCurrent_v2") == fake.count("cuCtxPopCurrent_v2");
    until("the poller's rest", || {
        let before = fake.count("*");
        std::thread::park_timeout(Duration::from_millis(10));
        is_home() && fake.count("*") == before
    });
}

/// One test, because it counts the calls of the whole process.
#[test]
fn what_is_done_all_the_time_is_one_call_or_none() -> Result<()> {
    let device = device()?;
    // What is made once is made.
    let (stream, other, third) = (busy(&device)?, device.stream()?, device.stream()?);
    let buffer = device.buffer(8)?;
    settle(&stream.record()?);
    rest();
    stream.delay(LONG)?;
    let (record, point) = calls(|| stream.record())?;
    assert_eq!(record, 1, "a record is one event");
    assert_eq!(calls(|| stream.record())?.0, 0, "without work in between it is the same");
    assert_eq!(calls(|| point.query())?, (1, false), "a pending point is asked once");
    assert_eq!(calls(|| other.wait(&point))?.0, 1, "a wait is one call");
    assert_eq!(calls(|| other.wait(&point))?.0, 0, "again it is none");
    assert_eq!(calls(|| stream.wait(&point))?.0, 0, "nor is one's own point waited for");
    settle(&point);
    assert_eq!(calls(|| point.query())?, (0, true), "what is known is not asked");
    assert_eq!(calls(|| third.wait(&point))?.0, 0, "nor waited for");

    rest();
    let fill = || stream.fill(&buffer, 0..8, 1);
    assert_eq!(calls(fill)?.0, 2, "a fill, and the look at what is current");
    let gate = Gate::new();
    stream.wait(&gate.point())?;
    let held = calls(|| {
        stream.fill(&buffer, 0..8, 2)?;
        stream.enqueue(|| ())?;
        stream.record()
    })?;
    assert_eq!(held.0, 0, "what is held calls nobody");
    gate.open()?;
    settle(&held.1);
    beside_a_capture(&device, (&third, &other), &point)
}

/// Drops, clones and waits that are left out make no call: one could break the capture. What is dropped is ended by a thread
/// of ours, which breaks none.
fn beside_a_capture(
    device: &Device,
    (captured, other): (&Stream, &Stream),
    point: &Point,
) -> Result<()> {
    const GLOBAL: usize = 0;
    let (fake, mut graph) = (Fake::used(), 0_usize);
    let timed: Vec<TimedPoint> = (0..100).map(|_| other.record_timed()).collect::<Result<_>>()?;
    for timed in &timed {
        settle(timed);
    }
    let event = device.event_with(EventOptions::builder().native_handle().build()?)?;
    event.record(other)?;
    syncpoint::cuda::event_handle(&event)?;
    event.synchronize()?;
    let ended = (device.stream()?, device.buffer(8)?, event);
    let raw = syncpoint::cuda::expose(captured)?.as_ptr().addr();
    rest();
    assert_eq!(fake.call("cuStreamBeginCapture_v2", raw, GLOBAL), 0);
    let points: Vec<Point> = (0..100_000).map(|_| point.clone()).collect();
    let dropped = calls(move || {
        drop((points, timed));
        other.wait(point)
    });
    assert_eq!(dropped?.0, 0);
    let before = fake.alive("all");
    drop(ended);
    until("their ends", || fake.alive("all") <= before - 3);
    let room = (&raw mut graph).expose_provenance();
    assert_eq!(fake.call("cuStreamEndCapture", raw, room), 0, "the capture is whole");
    assert_eq!(fake.call("cuGraphDestroy", graph, 0), 0);
    Ok(())
}
