//! Device gates: a device that cannot have them is found out, and the deadline comes whatever keeps the driver.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use syncpoint::{Device, Gate, Kind, Result};
use syncpoint_conformance::patience::{PATIENCE, heard, refused, say, settle, until};

use fake::Fake;

fn open() -> Result<Device> {
    syncpoint::cuda::builder().device_gates(PATIENCE).open(0)
}

#[test]
fn a_device_whose_streams_pass_words_is_opened_without_gates_alone() {
    let name = "a_device_whose_streams_pass_words_is_opened_without_gates_alone";
    Fake::alone(name, passes_words);
}

fn passes_words(fake: &'static Fake) -> Result<()> {
    drop(open()?);
    // Slow to say that it has come to an event, so that a single look finds it pending.
    fake.script("fail cuStreamWaitValue64_v2 1..2 0; not_ready cuEventQuery 1");
    let none = refused(open(), Kind::Unsupported);
    assert!(none.message().contains("without device_gates"), "{none}");
    // One that stands before the first word, and takes it for the second as well.
    fake.script("fail cuStreamWaitValue64_v2 2 0");
    refused(open(), Kind::Unsupported);
    fake.script("attribute 122 0");
    refused(open(), Kind::Unsupported);
    drop(syncpoint::cuda::open(0)?);
    Ok(())
}

/// The trial takes half a minute to believe that.
#[test]
fn a_device_whose_streams_stand_for_ever_is_opened_without_gates_alone() {
    let name = "a_device_whose_streams_stand_for_ever_is_opened_without_gates_alone";
    Fake::alone(name, |fake| {
        let kept = syncpoint::cuda::open(0)?;
        // A device has a stream of its own. The next is that of the trial: whoever raises the word that it stands before
        // changes nothing.
        fake.script("stall 2");
        let none = refused(open(), Kind::Unsupported);
        assert!(none.message().contains("without device_gates"), "{none}");
        let stream = syncpoint::cuda::open(0)?.stream()?;
        stream.delay(Duration::from_micros(1))?;
        settle(&stream.record()?);
        // Of two devices one each, the one above, and what stands, which is left as it is.
        until("the end of the rest", || fake.alive("streams") == 4);
        // Let go, it does nobody any harm.
        fake.script("release");
        kept.stream()?.record()?.synchronize_timeout(PATIENCE)
    });
}

/// How long a stream may stand, and what takes a little before it does.
const LONGEST: Duration = Duration::from_secs(1);

/// Puts a stream before a gate behind some work, has the poller stand inside the driver, and hears of the deadline.
fn comes_to_the_deadline(fake: &'static Fake, work: Duration) -> Result<()> {
    let device = syncpoint::cuda::builder().device_gates(LONGEST).open(0)?;
    let (stream, gate, (says, told)) = (device.stream()?, Gate::new(), channel());
    let raw = syncpoint::cuda::expose(&stream)?.as_ptr().addr();
    stream.delay(work)?;
    stream.wait(&gate.point())?;
    let told_of = stream.record()?.notify(move |outcome| says.send(outcome).unwrap_or(()))?;
    let before = fake.count("cuEventQuery");
    fake.script("block cuEventQuery *");
    until("the poller's question", || fake.count("cuEventQuery") > before);
    let failed = refused(heard(&told, "the deadline"), Kind::Failed);
    assert!(failed.message().contains("device_gates"), "{failed}");
    fake.settle_stream(raw);
    fake.script("release");
    drop(told_of);
    gate.open()
}

#[test]
fn a_deadline_comes_while_the_poller_stands_inside_the_driver() {
    let name = "a_deadline_comes_while_the_poller_stands_inside_the_driver";
    Fake::alone(name, |fake| comes_to_the_deadline(fake, Duration::from_micros(1)));
}

/// Nobody hears then that the device has come to the gate.
#[test]
fn a_deadline_comes_although_nobody_hears_of_what_is_before_it() {
    let name = "a_deadline_comes_although_nobody_hears_of_what_is_before_it";
    Fake::alone(name, |fake| comes_to_the_deadline(fake, LONGEST / 2));
}

/// Waits for the device to be through with a stream, and says so.
struct Settles(&'static Fake, usize, Sender<()>);

impl Wake for Settles {
    fn wake(self: Arc<Self>) {
        self.0.settle_stream(self.1);
        say(&self.2, ());
    }
}

#[test]
fn whoever_hears_of_a_deadline_may_wait_for_another_stream_that_stands() {
    let name = "whoever_hears_of_a_deadline_may_wait_for_another_stream_that_stands";
    Fake::alone(name, each_waits_for_the_other);
}

fn each_waits_for_the_other(fake: &'static Fake) -> Result<()> {
    let device = syncpoint::cuda::builder().device_gates(2 * LONGEST).open(0)?;
    let (streams, gate, (says, told)) =
        ([device.stream()?, device.stream()?], Gate::new(), channel());
    let mut ends = Vec::new();
    for (stream, other) in streams.iter().zip(streams.iter().rev()) {
        let raw = syncpoint::cuda::expose(other)?.as_ptr().addr();
        syncpoint::cuda::expose(stream)?;
        stream.wait(&gate.point())?;
        let waker = Waker::from(Arc::new(Settles(fake, raw, says.clone())));
        let mut end = Box::pin(stream.record()?.into_future());
        assert!(end.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        ends.push(end);
    }
    for _ in streams {
        heard(&told, "the end of the stream that the other waits for");
    }
    gate.open()
}
