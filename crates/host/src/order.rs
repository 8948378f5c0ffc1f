//! The order of a stream: its queue, its waits and its state, behind one lock.
//!
//! ```text
//!            put                 taken by a worker or helper          the queue is empty
//!   Idle ----------> Runnable --------------------------> Running ------------------------> Idle
//!                       ^                                    |  comes to a pending point
//!                       |        woken by the point          v
//!                       +-------------------------------- Parked
//! ```
//!
//! The owner takes the whole queue with it, so that it locks nothing between two items; what is enqueued meanwhile
//! gathers here, and what the owner leaves when it stops is put back before it.
//!
//! *Listed* is a bit of its own: a helper takes a runnable stream and leaves its entry in the run queue behind. That
//! stale entry must neither run the stream twice nor hide its next turn, so it serves the next turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use syncpoint_core::contract::{Edge, Stamp, Task, Waits};
use syncpoint_core::{Error, Place, Point};

/// What the order lock guards. Under it a value is taken and its item enqueued, and nothing of the user's runs.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// All items not passed; while an owner runs the stream, only those that came since it looked last.
    queue: VecDeque<Entry>,
    /// The latest value.
    latest: u64,
    /// A value up to which everything is known complete or abandoned: what counts against the bound lies above it.
    settled: u64,
    waits: Waits,
    pub(crate) state: Turn,
    /// Whether the run queue holds an entry of this stream.
    pub(crate) listed: bool,
    /// Whether the device was shut down: no era begins any more.
    pub(crate) cancelled: bool,
    /// The failure of the era that fails now: nothing is let in.
    pub(crate) failure: Option<Error>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nobody's: the queue is empty.
    #[default]
    Idle,
    /// Anybody's who comes.
    Runnable,
    /// Of one owner, a worker or a helper, which holds the queue.
    Running,
    /// Nobody's until a waker comes: the item at the front waits for a point or an instant.
    Parked,
}

/// One item and where it was asked for.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) step: Step,
    pub(crate) place: Place,
}

/// What an item does.
#[derive(Debug)]
pub(crate) enum Step {
    /// A task of the contract.
    Task(Task),
    /// Wait for the point of the oldest outstanding wait.
    Wait,
    /// Write the time.
    Stamp(Arc<Stamp>),
    /// Wait for an instant: what a delay becomes when the stream comes to it.
    Until(Instant),
}

impl Step {
    /// Whether the owner can run it without looking at anything else.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Task(task) => !matches!(task, Task::Delay(_)),
            Self::Stamp(_) => true,
            Self::Wait | Self::Until(_) => false,
        }
    }
}

/// What the owner of a stream holds: items taken off the order, the first of which has this value.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) items: VecDeque<Entry>,
    pub(crate) at: u64,
}

/// What a stream waits for before it does anything else: a point, and those right behind it, up to the next of the same
/// timeline: where streams wait for one another in turn, that one depends on this stream.
pub(crate) type Points = (Point, Vec<Point>);

/// So many of them are told at most.
const MOST_POINTS: usize = 4096;

/// A queue buffer larger than this is given back when the queue is empty: a hundred thousand streams keep at most this
/// many entries of memory each.
const KEPT: usize = 4;

impl Order {
    /// The latest value.
    pub(crate) fn enqueued(&self) -> u64 {
        self.latest
    }

    /// Whether there is room for another item. Asks how far the stream is only where what is known does not tell: that
    /// number lies on a cache line of the owner's.
    #[inline]
    pub(crate) fn has_room(&mut self, bound: u64, completed: impl FnOnce() -> u64) -> bool {
        self.latest - self.settled < bound || self.has_room_now(bound, completed())
    }

    #[cold]
    fn has_room_now(&mut self, bound: u64, completed: u64) -> bool {
        self.settled = self.settled.max(completed.min(self.latest));
        self.latest - self.settled < bound
    }

    /// Puts an item at the end and gives its value.
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) -> u64 {
        self.queue.push_back(entry);
        self.latest += 1;
        self.latest
    }

    /// Puts a wait at the end and gives its value.
    pub(crate) fn push_wait(&mut self, point: Point, place: Place) -> u64 {
        let value = self.push(Entry { step: Step::Wait, place });
        self.waits.push(Edge::new(value, point, place));
        value
    }

    /// Gives the owner, whose batch is empty, what has come since. Says whether there was anything.
    pub(crate) fn refill(&mut self, batch: &mut Batch) -> bool {
        // Swapped, so that the emptied buffer is filled next and nothing is allocated.
        std::mem::swap(&mut self.queue, &mut batch.items);
        batch.at = self.latest + 1 - batch.items.len() as u64;
        !batch.items.is_empty()
    }

    /// Takes back what the owner leaves, before what has come since.
    pub(crate) fn put_back(&mut self, batch: &mut Batch) {
        std::mem::swap(&mut self.queue, &mut batch.items);
        if !batch.items.is_empty() {
            self.queue.append(&mut batch.items);
        }
    }

    /// The outstanding waits.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// The oldest wait is over.
    pub(crate) fn pass_wait(&mut self) {
        self.waits.pop();
    }

    /// Takes everything not passed: it will never run. To be dropped outside the lock.
    pub(crate) fn abandon(&mut self, batch: &mut Batch) -> (VecDeque<Entry>, Waits) {
        self.put_back(batch);
        self.settled = self.latest;
        (std::mem::take(&mut self.queue), self.waits.take())
    }

    /// Takes a value without an item, after everything was abandoned.
    pub(crate) fn skip(&mut self) -> u64 {
        self.latest += 1;
        self.settled = self.latest;
        self.latest
    }

    /// The first value that its owner cannot have begun, where this much is complete: it runs one item at a time.
    pub(crate) fn not_begun(&self, completed: u64) -> u64 {
        self.front_value().min(self.settled.max(completed) + 2)
    }

    /// The value of the item at the front of the queue, or of the next to come.
    pub(crate) fn front_value(&self) -> u64 {
        self.latest + 1 - self.queue.len() as u64
    }

    /// Whether a listed stream still needs its entry. If not, the entry is to be dropped, and the bit is cleared.
    pub(crate) fn is_still_runnable(&mut self) -> bool {
        self.listed = self.state == Turn::Runnable;
        self.listed
    }

    /// What a parked stream waits for; `None` where it waits for an instant.
    pub(crate) fn parked_on(&self) -> Option<Points> {
        let is_wait = |entry: &Entry| matches!(entry.step, Step::Wait);
        let waits = self.queue.iter().zip(self.waits.iter()).take(MOST_POINTS);
        let mut points = waits.take_while(|(entry, _)| is_wait(entry)).map(|(_, edge)| &edge.point);
        let first = points.next()?.clone();
        let comes_back = |point: &&Point| point.timeline() == first.timeline();
        let more = points.take_while(|point| !comes_back(point)).cloned().collect();
        Some((first, more))
    }

    /// The instant that a parked stream waits for; `None` where it waits for a point.
    pub(crate) fn parked_until(&self) -> Option<Instant> {
        match self.queue.front()?.step {
            Step::Until(instant) if self.state == Turn::Parked => Some(instant),
            _ => None,
        }
    }

    /// The stream has nothing to do: keeps the buffer for the next item, but not what a burst left behind.
    pub(crate) fn rest(&mut self, batch: &mut Batch) {
        self.state = Turn::Idle;
        if self.queue.capacity() < batch.items.capacity() {
            std::mem::swap(&mut self.queue, &mut batch.items);
        }
        if self.queue.capacity() > KEPT {
            self.queue = VecDeque::new();
        }
        self.waits.shrink();
    }
}
