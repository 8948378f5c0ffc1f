//! Waiters of every kind for one point: threads, streams, futures and callbacks.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use syncpoint::{Completion, Event, Point, Result, Stream, Wait};

use crate::bed::TestBed;
use crate::patience::{PATIENCE, heard, say};

/// Several of each kind, each of which tells its outcome once.
#[derive(Debug)]
pub(crate) struct Waiters {
    told: Receiver<(String, Result<()>)>,
    count: usize,
    /// Kept, so that nothing goes on only because its stream was dropped.
    _streams: Vec<Stream>,
}

/// How many there are of each kind.
const OF_EACH: usize = 3;

impl Waiters {
    /// Everybody begins to wait for the point.
    pub(crate) fn of(point: &Point, bed: &TestBed) -> Result<Self> {
        let (teller, told) = channel();
        let (mut count, mut streams) = (0, Vec::new());
        for number in 0..OF_EACH {
            for wait in [Wait::Adaptive, Wait::Block, Wait::NoHelp, Wait::Yield] {
                count += 1;
                on_a_thread(&teller, format!("thread {number} ({wait:?})"), point, move |point| {
                    point.synchronize_with(wait, None)
                });
            }
            on_a_thread(&teller, format!("future {number}"), point, |point| {
                block_on(point.into_future())
            });
            let name = format!("callback {number}");
            let callback = teller.clone();
            point.notify(move |outcome| tell(&callback, name, outcome))?;
            streams.push(on_a_stream(&teller, format!("stream {number}"), point, bed)?);
            count += 3;
        }
        Ok(Self { told, count, _streams: streams })
    }

    /// What each of them says, once all have said it.
    #[track_caller]
    pub(crate) fn outcomes(self) -> Vec<(String, Result<()>)> {
        (0..self.count).map(|_| heard(&self.told, "the outcome of every waiter")).collect()
    }
}

type Teller = Sender<(String, Result<()>)>;

fn tell(teller: &Teller, name: String, outcome: Result<()>) {
    // A test that has failed listens no more.
    let _heard = teller.send((name, outcome));
}

fn on_a_thread(
    teller: &Teller,
    name: String,
    point: &Point,
    wait: impl FnOnce(Point) -> Result<()> + Send + 'static,
) {
    let (teller, point) = (teller.clone(), point.clone());
    thread::spawn(move || tell(&teller, name, wait(point)));
}

/// A stream that waits, and a callback that tells when it has come past the wait.
fn on_a_stream(teller: &Teller, name: String, point: &Point, bed: &TestBed) -> Result<Stream> {
    let (stream, teller) = (bed.stream()?, teller.clone());
    stream.wait(point)?;
    // Two steps: the first is refused where the point is known failed already, and the outcome is the same.
    let _refused = stream.enqueue(|| ());
    let event = Event::new(syncpoint::EventOptions::new());
    event.record(&stream)?;
    event.notify(move |outcome| tell(&teller, name, outcome))?;
    Ok(stream)
}

/// Somebody who awaits a point, and whose waker waits for another on the spot.
pub(crate) struct Told {
    outcome: Receiver<Result<()>>,
    _awaits: Completion,
}

impl Told {
    /// Begins to wait for the first, which must be pending.
    #[track_caller]
    pub(crate) fn of(awaited: &Point, other: &Point) -> Self {
        let (teller, outcome) = channel();
        let waker = Waker::from(Arc::new(WaitsFor { other: other.clone(), teller }));
        Self { outcome, _awaits: polled(awaited, &waker) }
    }

    /// What its wait for the other came to.
    #[track_caller]
    pub(crate) fn outcome(&self) -> Result<()> {
        heard(&self.outcome, "the outcome of a wait in a waker")
    }
}

/// When woken, waits for a point.
struct WaitsFor {
    other: Point,
    teller: Sender<Result<()>>,
}

impl Wake for WaitsFor {
    fn wake(self: Arc<Self>) {
        // So that it is this wait that runs out, and not the one for its outcome.
        say(&self.teller, self.other.synchronize_timeout(PATIENCE / 2));
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor. Parks without a limit: whoever loses a wake is found by who waits for this thread.
pub(crate) fn block_on(future: Completion) -> Result<()> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => thread::park_timeout(Duration::MAX),
        }
    }
}

/// A future of the point that was polled once and found pending.
#[track_caller]
pub(crate) fn polled(point: &Point, waker: &Waker) -> Completion {
    let mut future = point.into_future();
    let poll = pin!(&mut future).poll(&mut Context::from_waker(waker));
    assert!(poll.is_pending(), "{point} must be pending");
    future
}
