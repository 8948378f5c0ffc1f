//! What is told of ends, and when: nobody finds a killed command buffer complete, however late its failure is told.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod double;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use syncpoint::{Kind, Point, Result};
use syncpoint_conformance::patience::until;

use double::{Double, Fault, Queue, block};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// A page fault.
const FAULT: i64 = 3;

/// The device is gone.
const REMOVED: i64 = 11;

/// A waker that says that it was woken, and keeps its thread until it is told to go on.
struct Blocking(Mutex<(Sender<()>, Receiver<()>)>);

impl Wake for Blocking {
    fn wake(self: Arc<Self>) {
        let both = self.0.lock().expect("it is woken once");
        both.0.send(()).unwrap_or(());
        both.1.recv_timeout(LONG).unwrap_or(());
    }
}

/// A waker of that kind, what it says, and what lets it go on.
fn blocking() -> (Waker, Receiver<()>, Sender<()>) {
    let ((says, said), (go_on, goes_on)) = (channel(), channel());
    (Waker::from(Arc::new(Blocking(Mutex::new((says, goes_on))))), said, go_on)
}

/// Has a waker woken once the point has come.
fn wake_at(point: &Point, waker: &Waker) -> impl Sized + use<> {
    let mut future = Box::pin(point.clone().into_future());
    assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    future
}

/// Waits until the handlers of all that was committed have come.
fn wait_for_handlers(queue: &Queue) {
    let (sender, over) = channel();
    queue.run(move || sender.send(()).unwrap_or(()));
    over.recv_timeout(LONG).expect("the queue runs");
}

/// The one thread that tells of ends stands in a waker, and then in another, each time with more to tell.
#[test]
fn a_killed_timed_record_is_not_found_complete_while_wakers_of_what_came_before_run() -> Result<()>
{
    let double = Double::default();
    let device = double.device();
    let (other, stream) = (device.stream()?, device.stream()?);
    let queue = Queue::of(&stream)?;
    let (waker, woken, go_on) = blocking();
    let end = block(&other)?;
    let _busy = wake_at(&other.record()?, &waker);
    drop(end);
    woken.recv_timeout(LONG).expect("the thread stands in the waker");

    let (waker, woken, go_on_again) = blocking();
    let end = block(&stream)?;
    let came = stream.record()?;
    let _busy_again = wake_at(&came, &waker);
    // What the time is of, and not what signals.
    double.kill(0, FAULT);
    let killed = stream.record_timed()?;
    drop(end);
    wait_for_handlers(&queue);
    drop(go_on);
    woken.recv_timeout(LONG).expect("the thread stands in the second waker");

    assert!(!killed.query()?, "its failure was not told yet");
    drop(go_on_again);
    let error = killed.synchronize_timeout(LONG).expect_err("it was killed");
    assert_eq!(error.code().map(|(code, _)| code), Some(FAULT));
    came.synchronize_timeout(LONG)
}

#[test]
fn who_asks_for_a_killed_timed_record_over_and_over_is_told_its_failure() -> Result<()> {
    let double = Double::default();
    let stream = double.device().stream()?;
    for _ in 0..100 {
        double.kill(0, FAULT);
        let killed = stream.record_timed()?;
        let outcome = loop {
            match killed.query() {
                Ok(false) => std::thread::yield_now(),
                told => break told,
            }
        };
        assert!(outcome.is_err(), "it was killed");
        assert!(stream.recover()?.is_some());
    }
    Ok(())
}

/// Of a lost device as well: others' may wait for it.
#[test]
fn who_waits_on_the_device_for_what_was_killed_does_not_wait_for_wakers_of_the_user() -> Result<()>
{
    for code in [FAULT, REMOVED] {
        let double = Double::default();
        let device = double.device();
        let (first, second) = (device.stream()?, device.stream()?);
        let (buffer, other) = (device.buffer(8)?, device.buffer(8)?);
        let queue = Queue::of(&second)?;
        let (waker, woken, go_on) = blocking();
        let end = block(&first)?;
        double.kill(0, code);
        first.fill(&buffer, 0..8, 1)?;
        let killed = first.record()?;
        let _busy = wake_at(&killed, &waker);
        second.wait(&killed)?;
        second.fill(&other, 0..8, 1)?;
        let behind = second.record()?;
        drop(end);
        woken.recv_timeout(LONG).expect("the thread stands in the waker");
        // While it does.
        wait_for_handlers(&queue);
        drop(go_on);
        behind.synchronize_timeout(LONG).expect_err("it depends on what was killed");
    }
    Ok(())
}

/// Metal kills what is committed behind a killed command buffer too, and tells of each.
#[test]
fn what_was_killed_along_with_a_failure_fails_nothing_that_came_behind_the_recovery() -> Result<()>
{
    let double = Double::default();
    double.take_along();
    let stream = double.device().stream()?;
    let buffer = stream.device().buffer(8)?;
    let (waker, woken, go_on) = blocking();
    let end = block(&stream)?;
    double.kill(0, FAULT);
    stream.fill(&buffer, 0..8, 1)?;
    let killed = stream.record()?;
    let _busy = wake_at(&killed, &waker);
    for _ in 0..3 {
        stream.fill(&buffer, 0..8, 2)?;
    }
    let along = stream.record()?;
    drop(end);
    woken.recv_timeout(LONG).expect("the thread stands in the waker");
    // Those behind are killed too, and nobody was told yet.
    let first = stream.recover()?.expect("it has failed");
    stream.fill(&buffer, 0..8, 3)?;
    let anew = stream.record()?;
    drop(go_on);
    anew.synchronize_timeout(LONG)?;
    assert!(stream.failure().is_none(), "a late word of what has failed is no failure");
    assert_eq!(stream.statistics().later_failures, 3);
    let error = along.synchronize_timeout(LONG).expect_err("it is behind the failure");
    assert!(error.is_same(&first), "one first cause: {error}");
    assert_eq!(buffer.to_vec(0..8)?, [3; 8]);
    Ok(())
}

/// The shared event of a stream is nobody else's to signal: who asks is told so, with both values.
#[test]
fn a_shared_event_that_somebody_else_has_signalled_is_told_as_such_and_fails_its_stream()
-> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, other, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
    let complete = stream.record()?;
    double.hold_handlers();
    double.fault(0, Fault::Strays(10));
    stream.fill(&buffer, 0..8, 1)?;
    let astray = stream.record()?;
    until("somebody who asks and is told", || astray.query().is_err());
    let error = astray.synchronize_timeout(LONG).expect_err("it has failed");
    assert_eq!(error.kind(), Kind::Driver);
    assert!(error.message().contains("is at 11, and nothing beyond 1 was committed"), "{error}");
    assert!(complete.query()? && stream.failure().is_some_and(|failure| failure.is_same(&error)));
    double.call_handlers();
    assert!(astray.query().is_err(), "what the device says later changes nothing");
    other.fill(&buffer, 0..8, 2)?;
    other.record()?.synchronize_timeout(LONG)
}

#[cfg(unix)]
mod forks {
    use syncpoint_conformance::child::split;

    use super::*;

    /// A waker that forks, and says in the parent how the child has ended.
    struct Forking(Mutex<Sender<i32>>);

    impl Wake for Forking {
        fn wake(self: Arc<Self>) {
            if let Some(status) = split() {
                self.0.lock().expect("it is woken once").send(status).unwrap_or(());
            }
        }
    }

    /// In the child the double ends the process where it is called.
    #[test]
    fn a_waker_of_a_killed_point_that_forks_leaves_metal_to_the_parent() -> Result<()> {
        let double = Double::default();
        let device = double.device();
        let buffer = device.buffer(8)?;
        for code in [FAULT, REMOVED] {
            let (sender, ended) = channel();
            let waker = Waker::from(Arc::new(Forking(Mutex::new(sender))));
            let stream = device.stream()?;
            let end = block(&stream)?;
            double.kill(0, code);
            stream.fill(&buffer, 0..8, 1)?;
            let killed = stream.record()?;
            let _waits = wake_at(&killed, &waker);
            drop(end);
            assert_eq!(ended.recv_timeout(LONG), Ok(0), "the child ends at once, with success");
            killed.synchronize_timeout(LONG).expect_err("it was killed");
        }
        Ok(())
    }
}
