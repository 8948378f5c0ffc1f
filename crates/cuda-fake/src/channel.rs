//! Channels: the queues of a device that the streams of a context share, where a script has them share any.

use std::sync::{Arc, Mutex};

use syncpoint_core::{Point, Stream};

use crate::code::Result;
use crate::sync::lock;

/// One queue: what is given to it behind a wait for a value comes after that, on whichever of its streams.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    /// The ends of the waits for values; nothing is called under the lock but a look whether one has come.
    standing: Mutex<Vec<Point>>,
}

impl Channel {
    /// Puts a stream behind every wait that the queue has been given.
    pub(crate) fn follow(&self, queue: &Stream) -> Result {
        let mut standing = lock(&self.standing);
        standing.retain(|end| !end.query().unwrap_or(true));
        let pending = standing.clone();
        drop(standing);
        pending.iter().try_for_each(|end| Ok(queue.wait(end)?))
    }

    /// A stream of the queue has been given a wait, which ends there.
    pub(crate) fn stand(&self, end: Point) {
        lock(&self.standing).push(end);
    }
}

/// Those of a context.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    all: Vec<Arc<Channel>>,
    /// How many streams have got one.
    given: usize,
}

impl Channels {
    /// The one of the next stream, of so many.
    pub(crate) fn next(&mut self, count: usize) -> Arc<Channel> {
        let index = self.given % count;
        self.given += 1;
        let many = self.all.len().max(count);
        self.all.resize_with(many, Arc::default);
        Arc::clone(&self.all[index])
    }
}
