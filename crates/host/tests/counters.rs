//! Counters of others where no thread can be made, or a waker forks: who waits wakes all the same, and a child makes nothing.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use std::{fs, process, thread};

use syncpoint_base::end_child;
use syncpoint_conformance::child::split;
use syncpoint_conformance::patience;
use syncpoint_conformance::secluded::refuse_new_threads;
use syncpoint_core::contract::ForeignCounter;
use syncpoint_core::{Completion, Result, Timeline};

/// A counter that the test raises, and of which a driver tells late.
#[derive(Debug, Default)]
struct Raised(AtomicU64);

impl ForeignCounter for Raised {
    fn look(&self) -> Result<u64> {
        // Relaxed: the test looks at nothing else.
        Ok(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, value: u64, slice: Duration) -> Result<bool> {
        thread::park_timeout(slice);
        self.look().map(|come| come >= value)
    }
}

/// Tells of each wake.
struct Told(mpsc::Sender<()>);

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        patience::say(&self.0, ());
    }
}

/// Polls a future on a thread that makes no other.
fn poll_secluded(future: &mut Completion, waker: &Waker) -> Poll<Result<()>> {
    thread::scope(|scope| {
        let secluded = scope.spawn(|| {
            refuse_new_threads();
            Pin::new(future).poll(&mut Context::from_waker(waker))
        });
        secluded.join().expect("it does not panic")
    })
}

#[test]
fn a_future_that_no_thread_could_be_made_for_wakes_once_somebody_asks() {
    let counter = Arc::new(Raised::default());
    let given: Arc<dyn ForeignCounter> = Arc::<Raised>::clone(&counter);
    let point = Timeline::of_counter(given, Some("theirs")).point(1);
    let (sender, told) = mpsc::channel();
    let waker = Waker::from(Arc::new(Told(sender)));
    let mut future = point.clone().into_future();
    let first = poll_secluded(&mut future, &waker);
    assert!(first.is_pending());
    assert!(!point.query().expect("nobody has raised it"), "it was raised by nobody");
    // Relaxed: as above.
    counter.0.store(1, Ordering::Relaxed);
    patience::heard(&told, "the wake of the future");
    let last = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
    assert!(matches!(last, Poll::Ready(Ok(()))), "{last:?}");
}

/// Forks as it is woken, and tells how the child ended.
struct Forking(mpsc::Sender<i32>);

impl Wake for Forking {
    fn wake(self: Arc<Self>) {
        if let Some(status) = split() {
            patience::say(&self.0, status);
        }
    }
}

/// Ends a child: well, if it has one thread.
fn end_with_one_thread() -> ! {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    if !matches!(threads, Ok(1)) {
        process::abort();
    }
    end_child()
}

#[test]
fn a_query_whose_waker_forks_makes_no_thread_in_the_child() {
    let counter = Arc::new(Raised::default());
    let given: Arc<dyn ForeignCounter> = Arc::<Raised>::clone(&counter);
    let timeline = Timeline::of_counter(given, Some("theirs"));
    let (sender, ends) = mpsc::channel();
    let (forking, other) = (Waker::from(Arc::new(Forking(sender))), Waker::noop());
    let (first, second) = (timeline.point(1), timeline.point(2));
    let (mut woken, mut left) = (first.clone().into_future(), second.into_future());
    assert!(poll_secluded(&mut left, other).is_pending());
    assert!(poll_secluded(&mut woken, &forking).is_pending());
    let parent = process::id();
    // Relaxed: as above.
    counter.0.store(1, Ordering::Relaxed);
    let come = first.query();
    if process::id() != parent {
        end_with_one_thread();
    }
    assert!(come.expect("nothing fails"), "it was raised");
    assert_eq!(patience::heard(&ends, "the end of the child"), 0, "its status");
}

/// A counter that tells on which thread it ends.
#[derive(Debug)]
struct Ending(mpsc::Sender<Option<String>>);

impl ForeignCounter for Ending {
    fn look(&self) -> Result<u64> {
        Ok(0)
    }

    fn sleep(&self, _value: u64, slice: Duration) -> Result<bool> {
        thread::park_timeout(slice);
        Ok(false)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        patience::say(&self.0, thread::current().name().map(str::to_owned));
    }
}

#[test]
fn a_counter_that_is_dropped_where_no_thread_can_be_made_ends_on_a_thread_of_ours_later() {
    let (sender, told) = mpsc::channel();
    let timeline = || Timeline::of_counter(Arc::new(Ending(sender.clone())), None);
    let (first, second) = (timeline(), timeline());
    let secluded = thread::spawn(|| {
        refuse_new_threads();
        drop(first);
    });
    secluded.join().expect("it does not panic");
    drop(second);
    for which in ["one", "the other"] {
        let end = patience::heard(&told, which);
        assert_eq!(end.as_deref(), Some("syncpoint-reap"), "the end of {which}");
    }
}
