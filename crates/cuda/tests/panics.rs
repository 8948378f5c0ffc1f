//! Drops of the user's that panic on the poller's thread.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fake;

use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

use syncpoint::{Device, Error, Gate, Point, Result, Stream};
use syncpoint_conformance::patience::{failure_of, heard, say, until};

use fake::Fake;

/// An error of the user's whose drop panics.
#[derive(Debug)]
struct Bomb;

/// The thread on which it was dropped.
static DROPPED: Mutex<Option<String>> = Mutex::new(None);

impl fmt::Display for Bomb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        let name = thread::current().name().unwrap_or("").to_owned();
        *DROPPED.lock().expect("nothing panics under it") = Some(name);
        panic!("a bomb was dropped");
    }
}

/// A stream at whose end the device comes once the sender is gone.
fn standing(device: &Device) -> Result<(Stream, Point, Sender<()>)> {
    let (stream, (goes, waits)) = (device.stream()?, channel::<()>());
    Fake::used().launch(&stream, move || waits.recv().unwrap_or(()));
    let end = stream.record()?;
    Ok((stream, end, goes))
}

/// Has the poller ask for a point, for nobody who would have a name of it.
fn ask_for(point: &Point) {
    let mut context = Context::from_waker(Waker::noop());
    let awaited = pin!(point.clone().into_future());
    assert!(matches!(Future::poll(awaited, &mut context), Poll::Pending));
}

#[test]
fn an_error_whose_drop_panics_on_the_poller_keeps_nobody_else_asleep() {
    Fake::alone("an_error_whose_drop_panics_on_the_poller_keeps_nobody_else_asleep", |fake| {
        let device = syncpoint::cuda::open(0)?;
        let (first, end, first_goes) = standing(&device)?;
        let (_second, second_end, second_goes) = standing(&device)?;
        let (sender, receiver) = channel();
        let _told = second_end.notify(move |end| say(&sender, end))?;
        ask_for(&end);
        let before = fake.count("cuEventQuery");
        // By then it has both on its list.
        until("some rounds", || fake.count("cuEventQuery") > before + 4);
        let gate = Gate::new();
        // First, so that the stream fails on this thread: a worker would have the error for a moment longer.
        gate.fail(Error::failed("on purpose").caused_by(Bomb))?;
        first.wait(&gate.point())?;
        failure_of(&first.record()?);
        // From here on the poller alone has it.
        drop((first, end, gate));
        drop(first_goes);
        let dropped_on = || DROPPED.lock().expect("nothing panics under it").clone();
        until("the drop", || dropped_on().is_some());
        assert_eq!(dropped_on().as_deref(), Some("syncpoint-cuda"));
        drop(second_goes);
        heard(&receiver, "the end of the other stream")
    });
}
