//! Cases of callbacks and futures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::task::{Wake, Waker};
use std::thread;

use syncpoint::{Error, Gate, Kind, Point, Result, Stream, notify_panics};

use crate::bed::TestBed;
use crate::patience::{PATIENCE, assert_held, heard, refused, say, settle};
use crate::run::Verdict;
use crate::waiters;

/// Catches a callback called twice or never, before its point, on the caller's thread, or under a lock that what it
/// calls needs; and one that a shutdown forgets.
pub fn a_callback_runs_once_and_outside_every_lock(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let (stream, count) = (Arc::new(stream), Arc::new(AtomicUsize::new(0)));
    let (point, (sender, receiver)) = (stream.record()?, channel());
    for _ in 0..20 {
        let (count, sender, stream) = (Arc::clone(&count), sender.clone(), Arc::clone(&stream));
        point.notify(move |outcome| {
            count.fetch_add(1, Ordering::Relaxed);
            let used = outcome.and_then(|()| uses_everything(&stream));
            say(&sender, (used, thread::current().id()));
        })?;
    }
    assert_held(&point);
    assert_eq!(count.load(Ordering::Relaxed), 0, "the point is pending");
    gate.open()?;
    for _ in 0..20 {
        let (used, thread) = heard(&receiver, "every callback");
        used?;
        assert_ne!(thread, thread::current().id());
    }
    settle(&stream.record()?);
    comes_for_a_settled_point_and_not_when_taken_back(&point)?;
    assert_eq!(count.load(Ordering::Relaxed), 20, "once each");
    comes_with_failure_and_shutdown(bed)
}

/// What a callback may do: anything.
fn uses_everything(stream: &Arc<Stream>) -> Result<()> {
    let gate = Gate::new();
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    let point = stream.record()?;
    point.query()?;
    point.notify(drop)?;
    gate.open()?;
    point.synchronize_timeout(PATIENCE)?;
    drop(Arc::clone(stream));
    Ok(())
}

fn comes_for_a_settled_point_and_not_when_taken_back(settled: &Point) -> Result<()> {
    let (sender, receiver) = channel();
    let late = sender.clone();
    settled.notify(move |outcome| say(&late, outcome))?;
    heard(&receiver, "the callback of a complete point")?;
    let gate = Gate::new();
    let notification = gate.point().notify(move |outcome| say(&sender, outcome))?;
    assert!(notification.cancel(), "it was not called yet");
    gate.open()?;
    let dropped = receiver.recv_timeout(PATIENCE);
    assert!(matches!(dropped, Err(RecvTimeoutError::Disconnected)), "it is dropped, uncalled");
    Ok(())
}

fn comes_with_failure_and_shutdown(bed: &TestBed) -> Verdict {
    let (sender, receiver) = channel();
    let listen = |point: &Point| {
        let sender = sender.clone();
        point.notify(move |outcome| say(&sender, outcome))
    };
    let failing = bed.stream()?;
    bed.fails(&failing)?;
    listen(&failing.record()?)?;
    refused(heard(&receiver, "the callback of a failure"), Kind::Failed);

    let (held, gate) = bed.held_stream()?;
    bed.work(&held)?;
    listen(&held.record()?)?;
    bed.device().shutdown(PATIENCE)?;
    refused(heard(&receiver, "the callback of a point that a shutdown fails"), Kind::Failed);
    gate.open()?;
    assert!(receiver.try_recv().is_err(), "each came once");
    Ok(())
}

/// Catches a panic that ends the notifier or the worker that wakes, or that is not counted.
pub fn a_panicking_callback_hurts_nobody(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let (point, before) = (stream.record()?, notify_panics());
    let (sender, receiver) = channel();
    let listener = |sender: &Sender<Result<(), Error>>| {
        let sender = sender.clone();
        move |outcome| say(&sender, outcome)
    };
    point.notify(listener(&sender))?;
    point.notify(|_| std::panic::resume_unwind(Box::new("on purpose")))?;
    let _future = waiters::polled(&point, &Waker::from(Arc::new(Panics)));
    point.notify(listener(&sender))?;
    bed.work(&stream)?;
    let behind = stream.record()?;
    gate.open()?;
    heard(&receiver, "the callback before the one that panics")?;
    heard(&receiver, "the callback after the one that panics")?;
    settle(&behind);
    point.notify(listener(&sender))?;
    heard(&receiver, "a later callback")?;
    assert!(notify_panics() > before, "the panic is counted");
    assert!(stream.failure().is_none(), "the operation goes on");
    Ok(())
}

/// A waker that panics.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

/// Catches a drop that takes the work, or another's wake, with it.
pub fn a_dropped_future_cancels_nothing(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let (sender, receiver) = channel();
    let ran = sender.clone();
    stream.enqueue(move || say(&ran, "ran"))?;
    let point = stream.record()?;
    let woken = |what| Waker::from(Arc::new(Tells(what, sender.clone())));
    let first = waiters::polled(&point, &woken("woken first"));
    let second = waiters::polled(&point, &woken("woken second"));
    let third = waiters::polled(&point, &woken("woken third"));
    drop((first, third));
    drop(point.into_future());
    gate.open()?;
    assert_eq!(heard(&receiver, "the work"), "ran");
    assert_eq!(heard(&receiver, "the wake of the future that is left"), "woken second");
    drop((second, stream));
    assert!(receiver.try_recv().is_err(), "nobody wakes a future that is gone");
    Ok(())
}

/// A waker that tells.
struct Tells(&'static str, Sender<&'static str>);

impl Wake for Tells {
    fn wake(self: Arc<Self>) {
        say(&self.1, self.0);
    }
}
