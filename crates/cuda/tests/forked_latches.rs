//! Wakers that fork as a latch is to be opened: the word that its device waits for is the parent's.

#![cfg(unix)]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use syncpoint::cuda::expose;
use syncpoint::{Error, Gate, Result, Stream};
use syncpoint_conformance::child::split;
use syncpoint_conformance::patience::{PATIENCE, heard, say, settle};

use fake::Fake;

/// Forks as it is woken, and tells with which status the child ended.
struct Forking(Sender<i32>);

impl Wake for Forking {
    fn wake(self: Arc<Self>) {
        if let Some(status) = split() {
            say(&self.0, status);
        }
    }
}

/// A stream of a device with gates, before whose end a waker forks. `put` has it fail: by what it puts, or with the gate
/// that it gives.
#[track_caller]
fn is_left_to_the_parent(
    longest: Duration,
    put: impl FnOnce(&Stream) -> Result<Option<Gate>>,
) -> Result<()> {
    Fake::used();
    let device = syncpoint::cuda::builder().device_gates(longest).open(0)?;
    let (stream, before) = (device.stream()?, Gate::new());
    expose(&stream)?;
    // No function runs, and no deadline does, before the waker is there.
    stream.wait(&before.point())?;
    let failing = put(&stream)?;
    let end = stream.record()?;
    let (ended, ends) = channel();
    let waker = Waker::from(Arc::new(Forking(ended)));
    let mut future = Box::pin((&end).into_future());
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    before.open()?;
    if let Some(gate) = failing {
        gate.fail(Error::failed("on purpose"))?;
    }
    assert_eq!(heard(&ends, "the end of the child"), 0, "its status");
    stream.recover()?;
    settle(&stream.record()?);
    Ok(())
}

#[test]
fn a_waker_that_forks_as_a_wait_fails_leaves_the_latch_to_the_parent() -> Result<()> {
    is_left_to_the_parent(6 * PATIENCE, |stream| {
        let gate = Gate::new();
        stream.wait(&gate.point())?;
        Ok(Some(gate))
    })
}

#[test]
fn a_waker_that_forks_as_a_function_fails_leaves_the_latch_to_the_parent() -> Result<()> {
    is_left_to_the_parent(6 * PATIENCE, |stream| {
        stream.enqueue(|| Err::<(), _>("on purpose"))?;
        Ok(None)
    })
}

#[test]
fn a_waker_that_forks_at_the_deadline_of_a_latch_leaves_it_to_the_parent() -> Result<()> {
    let gate = Gate::new();
    is_left_to_the_parent(Duration::from_secs(3), |stream| {
        stream.wait(&gate.point())?;
        Ok(None)
    })
}
