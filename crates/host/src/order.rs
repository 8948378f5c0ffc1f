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
//! *Listed* is a bit of its own: a helper takes a runnable stream and leaves its entry in the run queue behind. That
//! stale entry must neither run the stream twice nor hide its next turn, so it serves the next turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use syncpoint_core::contract::{Edge, Stamp, Task, Waits};
use syncpoint_core::{Error, Place};

/// What the order lock guards. Under it a value is taken and its item enqueued, and nothing of the user's runs.
#[derive(Debug, Default)]
pub(crate) struct Order {
    queue: VecDeque<Entry>,
    /// The value before that of the front of the queue.
    passed: u64,
    waits: Waits,
    pub(crate) state: Turn,
    /// Whether the run queue holds an entry of this stream.
    pub(crate) listed: bool,
    /// The failure of the era that fails now: the queue is empty, and nothing is let in.
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
    /// Of one owner, a worker or a helper, which alone takes items off the queue.
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
    /// Wait for the point at the front of the waits.
    Wait,
    /// Write the time.
    Stamp(Arc<Stamp>),
    /// Wait for an instant: what a delay becomes when the stream comes to it.
    Until(Instant),
}

/// A queue buffer larger than this is given back when the queue is empty: a hundred thousand streams keep at most this
/// many entries of memory each.
const KEPT: usize = 4;

impl Order {
    /// The latest value.
    pub(crate) fn enqueued(&self) -> u64 {
        self.passed + self.queue.len() as u64
    }

    /// How many items are not passed.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Puts an item at the end and gives its value.
    pub(crate) fn push(&mut self, entry: Entry) -> u64 {
        self.queue.push_back(entry);
        self.enqueued()
    }

    /// Puts a wait at the end and gives its value.
    pub(crate) fn push_wait(&mut self, point: syncpoint_core::Point, place: Place) -> u64 {
        let value = self.push(Entry { step: Step::Wait, place });
        self.waits.push(Edge::new(value, point, place));
        value
    }

    /// The value of the item at the front, which the owner is at.
    pub(crate) fn at(&self) -> u64 {
        self.passed + 1
    }

    /// The item at the front.
    pub(crate) fn front(&mut self) -> Option<&mut Entry> {
        self.queue.front_mut()
    }

    /// Takes the item at the front: the owner has begun it.
    pub(crate) fn pass(&mut self) -> Option<Entry> {
        let entry = self.queue.pop_front();
        self.passed += u64::from(entry.is_some());
        entry
    }

    /// Takes the wait at the front: it is over.
    pub(crate) fn pass_wait(&mut self) -> Option<Edge> {
        self.pass();
        self.waits.pop()
    }

    /// Takes everything: it will never run. To be dropped outside the lock.
    pub(crate) fn abandon(&mut self) -> (VecDeque<Entry>, Waits) {
        self.passed = self.enqueued();
        (std::mem::take(&mut self.queue), self.waits.take())
    }

    /// The outstanding waits.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Whether a listed stream still needs its entry. If not, the entry is to be dropped, and the bit is cleared.
    pub(crate) fn is_still_runnable(&mut self) -> bool {
        self.listed = self.state == Turn::Runnable;
        self.listed
    }

    /// The point that a parked stream waits for; `None` where it waits for an instant.
    pub(crate) fn parked_on(&self) -> Option<syncpoint_core::Point> {
        let waits = matches!(self.queue.front()?.step, Step::Wait);
        waits.then(|| self.waits.front().map(|edge| edge.point.clone())).flatten()
    }

    /// The stream has nothing to do: gives back what a burst left behind.
    pub(crate) fn rest(&mut self) {
        self.state = Turn::Idle;
        if self.queue.capacity() > KEPT {
            self.queue = VecDeque::new();
        }
        self.waits.shrink();
    }
}
