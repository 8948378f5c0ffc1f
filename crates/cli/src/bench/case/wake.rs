//! What it costs to wake who sleeps: a host thread, a worker, the notifier, a thread that awaits.

use std::{
    pin::pin,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use syncpoint::{Device, Gate, Point, Result, Stream, Wait};

use super::super::sample::{Measured, Prepared, Trouble, each, time_each};

/// How many rounds of waking each other a sample has.
pub(in super::super) const ROUNDS: u32 = 100;

/// After a rest of this length a worker of the host sleeps until it is woken, also one that napped because helpers took
/// what was submitted.
const REST: Duration = Duration::from_millis(40);

/// The host sleeps while a worker runs the work, the worker while the host enqueues.
pub(super) fn synchronize(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || {
        let round = || {
            stream.enqueue(|| ())?;
            stream.record()?.synchronize_with(Wait::Block, None)
        };
        Ok(time_each(ROUNDS, round)?)
    }))
}

/// From the opening of a gate to the first moment of the work behind it.
pub(super) fn gate(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || {
        let (gate, (awake, heard)) = (Gate::new(), channel());
        stream.wait(&gate.point())?;
        stream.enqueue(move || awake.send(Instant::now()))?;
        woken(&heard, || Ok(gate.open()?))
    }))
}

/// From the end of work to the first moment of the function that is notified of it.
pub(super) fn notify(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || {
        let (work, (awake, heard)) = (HeldWork::on(&stream)?, channel());
        work.done.notify(move |_| awake.send(Instant::now()).unwrap_or_default())?;
        work.end_to(&heard)
    }))
}

/// From the end of work to the first moment of what awaits it on another thread.
pub(super) fn awaiting(device: &Device) -> Prepared {
    let stream = device.stream()?;
    let (points, received) = channel();
    let (awake, heard) = channel();
    thread::Builder::new().spawn(move || await_all(&received, &awake))?;
    Ok(Box::new(move || {
        let work = HeldWork::on(&stream)?;
        points.send(work.done.clone())?;
        work.end_to(&heard)
    }))
}

/// Work that a gate holds back and that notes when it ends.
struct HeldWork {
    gate: Gate,
    ended: Receiver<Instant>,
    done: Point,
}

impl HeldWork {
    fn on(stream: &Stream) -> Result<Self> {
        let (gate, (end, ended)) = (Gate::new(), channel());
        stream.wait(&gate.point())?;
        stream.enqueue(move || end.send(Instant::now()))?;
        Ok(Self { gate, ended, done: stream.record()? })
    }

    /// Has it done, and tells how long after its end somebody says to have woken, who had time to fall asleep.
    fn end_to(&self, heard: &Receiver<Instant>) -> Measured {
        rest();
        self.gate.open()?;
        let awake = heard.recv()?;
        Ok(each(awake.saturating_duration_since(self.ended.recv()?), 1))
    }
}

/// Ends when nobody sends points any more.
fn await_all(points: &Receiver<Point>, awake: &Sender<Instant>) {
    for point in points {
        // The work does not fail, and who asks for it listens.
        block_on(point).ok();
        awake.send(Instant::now()).ok();
    }
}

/// The least that runs a future: a thread that sleeps until it is woken.
fn block_on<F: IntoFuture>(future: F) -> F::Output {
    struct Sleeper(Thread);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut future = pin!(future.into_future());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// How long after `wake` somebody says to have woken, who had time to fall asleep.
pub(in super::super) fn woken(
    heard: &Receiver<Instant>,
    wake: impl FnOnce() -> Result<(), Trouble>,
) -> Measured {
    rest();
    let begin = Instant::now();
    wake()?;
    Ok(each(heard.recv()?.saturating_duration_since(begin), 1))
}

/// Leaves the cores to whoever is about to fall asleep.
#[expect(clippy::disallowed_methods, reason = "no order is proved by it: it is what is measured")]
fn rest() {
    thread::sleep(REST);
}
