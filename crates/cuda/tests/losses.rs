//! A device that is lost while the poller asks for its streams, alone in its process: what is scripted meets all of it.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use syncpoint::{Device, Error, EventOptions, Gate, Kind, Point, Result, Stream};
use syncpoint_conformance::patience::{PATIENCE, failure_of, heard, refused, say, until};

use fake::Fake;

/// A stream with a delay that no test awaits, and the point behind it.
fn pending(device: &Device) -> Result<(Stream, Point)> {
    let stream = device.stream()?;
    stream.delay(6 * PATIENCE)?;
    let point = stream.record()?;
    Ok((stream, point))
}

/// Has the poller stand inside a question.
fn block_the_poller(fake: &Fake) {
    let before = fake.count("cuEventQuery");
    fake.script("block cuEventQuery *");
    until("the poller's question", || fake.count("cuEventQuery") > before);
}

#[test]
fn points_of_dropped_streams_fail_although_the_poller_asks_for_them_as_the_device_is_lost() {
    let name =
        "points_of_dropped_streams_fail_although_the_poller_asks_for_them_as_the_device_is_lost";
    Fake::alone(name, |fake| {
        let device = syncpoint::cuda::open(0)?;
        let points: Vec<Point> = (0..8).map(|_| Ok(pending(&device)?.1)).collect::<Result<_>>()?;
        block_the_poller(fake);
        fake.script("fail cuMemAllocAsync 1 719");
        refused(device.buffer(8), Kind::DeviceLost);
        fake.script("release");
        for point in &points {
            assert_eq!(failure_of(point).kind(), Kind::DeviceLost);
        }
        Ok(())
    });
}

#[test]
fn a_point_of_a_dropped_stream_fails_where_the_poller_is_the_first_to_hear_of_the_loss() {
    let name =
        "a_point_of_a_dropped_stream_fails_where_the_poller_is_the_first_to_hear_of_the_loss";
    Fake::alone(name, |fake| lose_what_the_poller_has(fake, |_stream| Ok(())));
}

#[test]
fn a_point_before_an_earlier_failure_fails_with_the_loss_although_its_stream_is_dropped() {
    let name =
        "a_point_before_an_earlier_failure_fails_with_the_loss_although_its_stream_is_dropped";
    Fake::alone(name, |fake| {
        lose_what_the_poller_has(fake, |stream| {
            let gate = Gate::new();
            stream.wait(&gate.point())?;
            gate.fail(Error::unsupported("on purpose"))?;
            failure_of(&stream.record()?);
            Ok(())
        })
    });
}

/// Somebody waits from before the loss: who begins to wait later would have the stream watched anew. Behind the point the
/// stream is given what `behind` gives.
fn lose_what_the_poller_has(fake: &Fake, behind: impl FnOnce(&Stream) -> Result<()>) -> Result<()> {
    let device = syncpoint::cuda::open(0)?;
    let (stream, point) = pending(&device)?;
    let (sender, receiver) = channel();
    let _told = point.notify(move |end| say(&sender, end))?;
    behind(&stream)?;
    block_the_poller(fake);
    // From here on the poller alone has it.
    drop(stream);
    fake.make_current(0);
    fake.script("break cuCtxSynchronize 1 719");
    assert_eq!(fake.call("cuCtxSynchronize", 0, 0), 719, "others break the context");
    fake.script("release");
    refused(heard(&receiver, "the failure"), Kind::DeviceLost);
    Ok(())
}

#[test]
fn a_broken_context_of_which_an_exported_event_has_a_name_is_given_back_once() {
    Fake::alone(
        "a_broken_context_of_which_an_exported_event_has_a_name_is_given_back_once",
        |fake| {
            fake.keep(0);
            let device = syncpoint::cuda::builder().device_gates(PATIENCE).open(0)?;
            let event = device.event_with(EventOptions::builder().interprocess().build()?)?;
            event.export()?;
            let stream = device.stream()?;
            event.record(&stream)?;
            event.synchronize_timeout(PATIENCE)?;
            fake.script("fail cuMemAllocAsync 1 719");
            refused(device.buffer(8), Kind::DeviceLost);
            let before = fake.count("cuDevicePrimaryCtxRelease_v2");
            drop((event, stream));
            drop(device);
            until("the release", || fake.count("cuDevicePrimaryCtxRelease_v2") > before);
            let once_more = || fake.count("cuDevicePrimaryCtxRelease_v2") > before + 1;
            assert!(!comes_within(A_WHILE, once_more), "it was retained once");
            assert_eq!(fake.call("cuDevicePrimaryCtxRelease_v2", 0, 0), 0, "and once by the test");
            Ok(())
        },
    );
}

/// Far longer than the reaper takes.
const A_WHILE: Duration = Duration::from_millis(200);

fn comes_within(time: Duration, has_come: impl Fn() -> bool) -> bool {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if has_come() {
            return true;
        }
        std::thread::yield_now();
    }
    has_come()
}
