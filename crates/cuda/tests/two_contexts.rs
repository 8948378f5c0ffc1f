//! Two contexts, of which one breaks: alone in their process, because a context that breaks is broken for all.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;

use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use syncpoint::{Kind, Result};
use syncpoint_conformance::patience::{heard, refused, settle};

use fake::Fake;

/// So long that a busy machine asks before it is over.
const LONG: Duration = Duration::from_millis(300);

/// Says that it is woken, and keeps the thread that woke it until it is told to go on.
struct Keeps(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Wake for Keeps {
    fn wake(self: Arc<Self>) {
        let Some((woken, go_on)) = self.0.lock().expect("nobody panics").take() else { return };
        woken.send(()).expect("the test listens");
        go_on.recv().expect("the test tells");
    }
}

#[test]
fn a_wait_for_a_context_that_breaks_is_refused_and_the_stream_goes_on() -> Result<()> {
    let fake = Fake::used();
    fake.script("devices=2");
    let (device, other) = (syncpoint::cuda::open(0)?, syncpoint::cuda::open(1)?);
    let (stream, theirs, broken) = (device.stream()?, other.stream()?, other.stream()?);
    let (woken, is_woken) = channel();
    let (go_on, goes_on) = channel();
    let waker = Waker::from(Arc::new(Keeps(Mutex::new(Some((woken, goes_on))))));
    // The context in which calls of this thread break.
    fake.make_current(1);
    // The poller that would tell of the break is kept.
    theirs.delay(LONG)?;
    let mut end = pin!(theirs.record()?.into_future());
    assert!(end.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    heard(&is_woken, "the waker's call");
    broken.delay(Duration::from_secs(300))?;
    let pending = broken.record()?;
    fake.script("break cuEventRecord 1 719");
    refused(
        broken.delay(Duration::from_micros(1)).and_then(|()| broken.record()),
        Kind::DeviceLost,
    );
    refused(stream.wait(&pending), Kind::DeviceLost);
    go_on.send(()).expect("the poller listens");
    settle(&stream.record()?);
    stream.delay(Duration::from_micros(1))?;
    settle(&stream.record()?);
    Ok(())
}
