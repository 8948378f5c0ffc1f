//! Lines: each is a queue of a device, with the thread that notices what comes of it; streams get them in turn.

use std::sync::Arc;

use syncpoint_core::errands::Errands;

use crate::queue::Queue;
use crate::sync::{AtomicUsize, Ordering};
use crate::sys;
use crate::waiter::{self, Watch};

/// One queue, and its waiter. A thread sleeps for one semaphore at a time and a queue ends in its own order, so each has a
/// thread of its own.
#[derive(Debug)]
pub(crate) struct Line {
    queue: Queue,
    waiter: Arc<Errands<Watch>>,
}

/// The lines of a device, at least one.
#[derive(Debug)]
pub(crate) struct Lines {
    lines: Vec<Arc<Line>>,
    /// How many streams have one.
    given: AtomicUsize,
}

impl Line {
    fn new(queue: sys::Queue) -> Arc<Self> {
        let (queue, waiter) = (Queue::new(queue), Errands::new("syncpoint-vulkan"));
        Arc::new(Self { queue, waiter })
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) fn waiter(&self) -> &Arc<Errands<Watch>> {
        &self.waiter
    }

    /// Makes the waiter's thread for a call for which none could be made. One load where there is nothing of that.
    pub(crate) fn retry(&self) {
        self.waiter.retry(waiter::serve);
    }
}

impl Lines {
    pub(crate) fn over(queues: Vec<sys::Queue>) -> Self {
        assert!(!queues.is_empty(), "a family has a queue");
        Self { lines: queues.into_iter().map(Line::new).collect(), given: AtomicUsize::new(0) }
    }

    /// The line of what is of no stream: its queue is told where one queue is asked for.
    pub(crate) fn first(&self) -> &Arc<Line> {
        &self.lines[0]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Line>> {
        self.lines.iter()
    }

    /// The line of the next stream.
    pub(crate) fn next(&self) -> &Arc<Line> {
        // Relaxed: a count, ordered with nothing.
        let given = self.given.fetch_add(1, Ordering::Relaxed);
        &self.lines[given % self.lines.len()]
    }
}
