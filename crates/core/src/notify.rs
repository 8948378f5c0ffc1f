//! The notifier: one thread of ours that calls users' functions once, outside every lock.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Wake, Waker};

use syncpoint_base::{Process, spawn};

use crate::error::{Error, Kind, Result};
use crate::exit::rest_if_exiting;
use crate::graph;
use crate::once::Once;
use crate::ours::Ours;
use crate::panic;
use crate::point::Point;
use crate::sync::process::{AtomicU64, Ordering};
use crate::sync::{self, Condvar, Mutex, lock};
use crate::timeline::Ticket;

#[cfg(all(test, syncpoint_loom))]
mod model;

/// A registered notification. Dropping it changes nothing: the function is called all the same.
#[derive(Debug)]
pub struct Notification {
    pending: Arc<Pending>,
    ticket: Option<Ticket>,
}

impl Notification {
    /// Takes the function back, if its call has not been handed to the notifier yet. Says whether it was taken back;
    /// then it is dropped uncalled.
    pub fn cancel(self) -> bool {
        if self.pending.process.is_current() { self.take_back() } else { false }
    }

    fn take_back(self) -> bool {
        let function = self.pending.function.take();
        if let (Some(ticket), Some(point)) = (self.ticket, &self.pending.point) {
            point.timeline().unregister(ticket);
        }
        function.is_some()
    }
}

/// How many notified functions panicked in this process.
pub fn notify_panics() -> u64 {
    // Relaxed: a count, ordered with nothing.
    PANICS.load(Ordering::Relaxed)
}

/// Calls `function` with the outcome of `point` on the notifier; what has no point is complete.
pub(crate) fn when_settled<F>(point: Option<Point>, function: F) -> Result<Notification>
where
    F: FnOnce(Result<()>) + Send + 'static,
{
    if point.as_ref().is_some_and(|point| point.timeline().captured().is_some()) {
        return Err(Error::captured());
    }
    NOTIFIER.start()?;
    Ok(NOTIFIER.when_settled(point, Box::new(function)))
}

/// Makes the notifier's thread, unless it is there.
pub(crate) fn start() -> Result<()> {
    NOTIFIER.start()
}

/// Runs `job` on the notifier, after what was posted before. A job that cannot run, because the thread cannot be made,
/// is dropped here.
pub(crate) fn post(job: impl FnOnce() + Send + 'static) {
    if NOTIFIER.start().is_ok() {
        NOTIFIER.push(Box::new(job));
    }
}

type Function = Box<dyn FnOnce(Result<()>) + Send>;

/// A function that waits for its point. Whoever takes the function calls it: that makes it once.
struct Pending {
    notifier: &'static Notifier,
    point: Option<Point>,
    function: Once<Function>,
    /// The process that asked for it: in a child nobody calls the function, and nobody takes it back.
    process: Process,
}

impl Pending {
    /// Lists this to be woken when the point settles; `None`: it has settled.
    fn list(self: &Arc<Self>) -> Option<Ticket> {
        let point = self.point.as_ref().filter(|point| point.outcome().is_none())?;
        let ticket = point.timeline().register(point.value(), Waker::from(Arc::clone(self)))?;
        graph::expect(point);
        Some(ticket)
    }

    fn outcome(&self) -> Result<()> {
        let outcome = self.point.as_ref().map(Point::outcome);
        // A waker is woken only once its point has settled.
        outcome.flatten().unwrap_or(Ok(()))
    }
}

impl Wake for Pending {
    fn wake(self: Arc<Self>) {
        let Some(function) = self.function.take() else { return };
        self.notifier.push(Box::new(move || {
            let outcome = self.outcome();
            if let (Some(point), Ok(())) = (&self.point, &outcome) {
                point.tell_complete();
            }
            function(outcome);
        }));
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pending({:?})", self.point)
    }
}

type Job = Box<dyn FnOnce() + Send>;

static PANICS: AtomicU64 = AtomicU64::new(0);

sync::table! {
    static NOTIFIER: Notifier = Notifier {
        queue: Mutex::new(Queue { jobs: VecDeque::new(), started: false }),
        filled: Condvar::new(),
    };
}

/// The queue of the notifier's thread, which is made at the first need and then sleeps while the queue is empty.
struct Notifier {
    /// Guards the queue; never held while a job runs.
    queue: Mutex<Queue>,
    filled: Condvar,
}

struct Queue {
    jobs: VecDeque<Job>,
    started: bool,
}

impl Notifier {
    fn start(&'static self) -> Result<()> {
        let mut queue = lock(&self.queue);
        if queue.started {
            return Ok(());
        }
        // The thread lives as long as the process.
        spawn("syncpoint-notify", || self.run()).map_err(|error| {
            let message =
                "the notifier's thread cannot be made; free threads or memory and try again";
            Error::new(Kind::Exhausted, message).caused_by(error)
        })?;
        queue.started = true;
        Ok(())
    }

    fn when_settled(&'static self, point: Option<Point>, function: Function) -> Notification {
        let pending = Arc::new(Pending {
            notifier: self,
            point,
            function: Once::new(function),
            process: Process::current(),
        });
        let ticket = pending.list();
        if ticket.is_none() {
            Arc::clone(&pending).wake();
        }
        Notification { pending, ticket }
    }

    fn push(&self, job: Job) {
        lock(&self.queue).jobs.push_back(job);
        self.filled.notify_one();
    }

    fn run(&self) {
        let ours = Ours::begin();
        loop {
            let job = self.next();
            rest_if_exiting();
            if panic::contain(job).is_err() {
                // Relaxed: a count, ordered with nothing.
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            ours.go_on();
        }
    }

    fn next(&self) -> Job {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return job;
            }
            // Unbounded on purpose: nothing wakes while nothing is pending.
            queue = sync::wait(&self.filled, queue);
        }
    }
}
