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
use std::time::{Duration, Instant};

use syncpoint_core::contract::{Copy, Edge, Fill, Item, Stamp, Submit, Task, Waits};
use syncpoint_core::{Error, Opening, Place, Point, Woken, Work};

use crate::batch::{Batch, Passed};

/// What the order lock guards. Under it a value is taken and its item enqueued, and nothing of the user's runs.
#[derive(Debug)]
pub(crate) struct Order {
    /// All items not passed but the waits; while an owner runs the stream, only those that came since it looked last.
    queue: VecDeque<Entry>,
    /// The first value that no owner holds.
    front: u64,
    /// The latest value.
    latest: u64,
    /// A value up to which everything is known complete or abandoned, or is passed and the owner about to complete it with
    /// the next: what counts against the bound lies above it.
    settled: u64,
    /// The waits not passed, by their values: one lies here alone, and not in the queue as well.
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

/// What an item does. Four words: a large graph is memory that every item is fetched from.
#[derive(Debug)]
pub(crate) enum Step {
    /// Run a function.
    Work(Work),
    /// Anything else; smaller, so that it lies where the function would.
    Other(Other),
}

/// What an item does besides running a function.
#[derive(Debug)]
pub(crate) enum Other {
    /// Call a function that submits.
    Submit(Submit),
    /// Fill part of a buffer.
    Fill(Box<Fill>),
    /// Copy part of a buffer.
    Copy(Box<Copy>),
    /// Open a gate.
    Open(Opening),
    /// Write the time.
    Stamp(Arc<Stamp>),
    /// Let time pass.
    Delay(Duration),
    /// Wait for an instant: what a delay becomes when the stream comes to it.
    Until(Instant),
    /// Fail: the host has no task of this name.
    Unknown(&'static str),
}

impl Entry {
    /// An item of the contract.
    #[inline]
    pub(crate) fn new(item: Item) -> Self {
        let step = match item.task {
            Task::Host(work) => Step::Work(work),
            task => Step::Other(Other::new(task)),
        };
        Self { step, place: item.place }
    }
}

impl Other {
    /// A task that is no function. Apart, so that a function is moved into its place and looked at no more.
    #[inline(never)]
    fn new(task: Task) -> Self {
        match task {
            Task::Submit(submit) => Self::Submit(submit),
            Task::Fill(fill) => Self::Fill(fill),
            Task::Copy(copy) => Self::Copy(copy),
            Task::Delay(duration) => Self::Delay(duration),
            Task::Open(opening) => Self::Open(opening),
            task => Self::Unknown(task.name()),
        }
    }

    /// Whether it is a function of the user's, a fill or a copy: of these only such can take long.
    pub(crate) fn takes_long(&self) -> bool {
        matches!(self, Self::Submit(_) | Self::Fill(_) | Self::Copy(_))
    }
}

impl Step {
    /// Whether the owner can run it without looking at anything else.
    pub(crate) fn is_ready(&self) -> bool {
        !matches!(self, Self::Other(Other::Delay(_) | Other::Until(_)))
    }

    /// An item that will never run fails its gate with the cause, if it was to open one. Who waits is told by the caller.
    pub(crate) fn begin_failure(&mut self, cause: &Error) -> Option<Woken> {
        match self {
            Self::Other(Other::Open(opening)) => Some(opening.begin_failure(cause.clone())),
            Self::Work(_) | Self::Other(_) => None,
        }
    }
}

/// What a stream waits for before it does anything else: a point, and those right behind it, up to the next of the same
/// timeline: where streams wait for one another in turn, that one depends on this stream.
pub(crate) type Points = (Point, Vec<Point>);

/// So many of them are told at most.
const MOST_POINTS: usize = 4096;

/// So many waits are passed in one go at most, as many as a stream runs items before it gives way: whoever enqueues
/// meanwhile waits for the lock.
const MOST_PASSED: u64 = 64;

/// A queue buffer larger than this is given back when the queue is empty: a hundred thousand streams keep at most this
/// many entries of memory each.
const KEPT: usize = 4;

impl Default for Order {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            front: 1,
            latest: 0,
            settled: 0,
            waits: Waits::default(),
            state: Turn::Idle,
            listed: false,
            cancelled: false,
            failure: None,
        }
    }
}

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
        self.latest += 1;
        self.waits.push(Edge::new(self.latest, point, place));
        self.latest
    }

    /// Gives the owner, whose batch is empty, what has come since. Says whether there was anything.
    pub(crate) fn refill(&mut self, batch: &mut Batch) -> bool {
        // Swapped, so that the emptied buffer is filled next and nothing is allocated.
        std::mem::swap(&mut self.queue, &mut batch.items);
        batch.at = self.front;
        self.front = self.latest + 1;
        batch.end = self.front;
        self.show_next_wait(batch);
        !batch.is_empty()
    }

    /// Shows the owner which of its values is a wait next.
    fn show_next_wait(&self, batch: &mut Batch) {
        batch.wait = self.waits.front().map_or(u64::MAX, |edge| edge.own);
    }

    /// Takes back what the owner leaves, before what has come since.
    pub(crate) fn put_back(&mut self, batch: &mut Batch) {
        std::mem::swap(&mut self.queue, &mut batch.items);
        if !batch.items.is_empty() {
            self.queue.append(&mut batch.items);
        }
        // Of a batch that was never filled nothing is taken back.
        if !batch.is_empty() {
            self.front = batch.at;
            batch.end = batch.at;
        }
    }

    /// The outstanding waits.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// The oldest wait, at which the owner is, is over, and so are those right behind it that are known complete: a
    /// stream that brings many together passes them in a few goes.
    pub(crate) fn pass_waits(&mut self, batch: &mut Batch) -> Option<Passed> {
        let mut passed = Passed::new(self.waits.pop()?);
        while passed.count() < MOST_PASSED && self.is_over(batch.at + passed.count(), batch.end) {
            passed.add(self.waits.pop()?);
        }
        self.show_next_wait(batch);
        self.settled = self.settled.max(batch.at + passed.count() - 2);
        Some(passed)
    }

    /// Whether a value below the end is that of the oldest wait, and its point is known complete.
    fn is_over(&self, value: u64, end: u64) -> bool {
        let next = self.waits.front().filter(|edge| edge.own == value && value < end);
        next.is_some_and(|edge| edge.point.timeline().is_known_complete(edge.point.value()))
    }

    /// Takes everything not passed: it will never run. To be dropped outside the lock.
    pub(crate) fn abandon(&mut self, batch: &mut Batch) -> (VecDeque<Entry>, Waits) {
        self.put_back(batch);
        self.settled = self.latest;
        self.front = self.latest + 1;
        (std::mem::take(&mut self.queue), self.waits.take())
    }

    /// Takes a value without an item, after everything was abandoned.
    pub(crate) fn skip(&mut self) -> u64 {
        self.latest += 1;
        self.settled = self.latest;
        self.front = self.latest + 1;
        self.latest
    }

    /// The first value that its owner cannot have begun, where this much is complete: it runs one item at a time, and
    /// completes the waits that it has passed before it begins the next.
    pub(crate) fn not_begun(&self, completed: u64) -> u64 {
        self.front_value().min(self.settled.max(completed) + 2)
    }

    /// The first value that no owner holds: that of the item at the front, or of the next to come.
    pub(crate) fn front_value(&self) -> u64 {
        self.front
    }

    /// Whether a listed stream still needs its entry. If not, the entry is to be dropped, and the bit is cleared.
    pub(crate) fn is_still_runnable(&mut self) -> bool {
        self.listed = self.state == Turn::Runnable;
        self.listed
    }

    /// What a parked stream waits for before it comes to `upto`; `None` where it waits for an instant.
    pub(crate) fn parked_on(&self, upto: u64) -> Option<Points> {
        let in_row = self.waits.iter().zip(self.front..=upto).take(MOST_POINTS);
        let in_row = in_row.take_while(|(edge, value)| edge.own == *value);
        let mut points = in_row.map(|(edge, _)| &edge.point);
        let first = points.next()?.clone();
        let comes_back = |point: &&Point| point.timeline() == first.timeline();
        let more = points.take_while(|point| !comes_back(point)).cloned().collect();
        Some((first, more))
    }

    fn parked_on_wait(&self) -> bool {
        self.waits.front().is_some_and(|edge| edge.own == self.front)
    }

    /// The instant that a parked stream waits for; `None` where it waits for a point.
    pub(crate) fn parked_until(&self) -> Option<Instant> {
        if self.state != Turn::Parked || self.parked_on_wait() {
            return None;
        }
        match self.queue.front()?.step {
            Step::Other(Other::Until(instant)) => Some(instant),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_waits_are_passed_in_one_go_at_most() {
        let (mut order, mut batch) = (Order::default(), Batch::default());
        let gates = [(); 100].map(|()| syncpoint_core::Gate::new());
        for gate in &gates {
            order.push_wait(gate.point(), Place::caller());
        }
        for gate in gates {
            gate.open().unwrap();
        }
        assert!(order.refill(&mut batch));
        for count in [64, 36] {
            assert!(batch.is_at_wait());
            assert_eq!(order.pass_waits(&mut batch).unwrap().count(), count);
            batch.at += count;
        }
        assert!(batch.is_empty() && order.waits().front().is_none());
    }

    #[test]
    fn an_item_is_five_words_and_a_wait_no_item_at_all() {
        let word = size_of::<usize>();
        assert_eq!([size_of::<Step>(), size_of::<Entry>()], [4 * word, 5 * word]);
        let mut order = Order::default();
        let stamp =
            || Entry { step: Step::Other(Other::Stamp(Arc::default())), place: Place::caller() };
        let point = syncpoint_core::Gate::new().point();
        assert_eq!(order.push_wait(point.clone(), Place::caller()), 1);
        assert_eq!([order.push(stamp()), order.push_wait(point, Place::caller())], [2, 3]);
        assert_eq!((order.queue.len(), order.front_value()), (1, 1));
        let mut batch = Batch::default();
        assert!(order.refill(&mut batch) && batch.is_at_wait() && batch.item().is_none());
        batch.at += order.pass_waits(&mut batch).unwrap().count();
        assert!(!batch.is_at_wait() && batch.item().is_some());
        assert_eq!((order.push(stamp()), order.front_value()), (4, 4), "what came since");
        order.put_back(&mut batch);
        assert_eq!((order.queue.len(), order.front_value()), (2, 2));
    }
}
