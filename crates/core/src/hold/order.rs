//! The order of a held stream: what is held, and whose turn it is to submit.
//!
//! ```text
//!          put something that cannot go yet                 roused
//!   Free ------------------------------------> Parked --------------------> Taken
//!    ^ ^                                        ^  ^  comes to what cannot  |  |  |
//!    | |            ended, more is held         |  +------- go yet ---------+  |  |
//!    | +---- Away ------------------------------+                              |  |
//!    |        ^ comes to a function of the user's                              |  |
//!    |        +----------------------------------------------------------------+  |
//!    +---------------------------- nothing is held any more ----------------------+
//! ```

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::row::Row;
use super::{Driver, HeldStream, OwnWait};
use crate::contract::{Task, discard};
use crate::error::{Error, Origin};
use crate::gate::Opening;
use crate::place::Place;
use crate::point::Point;
use crate::sync::Locked;
use crate::timeline::{Ticket, Timeline};

/// What the order lock guards.
#[derive(Debug)]
pub(super) struct Order<D: Driver> {
    pub(super) row: Row<Entry<D>>,
    pub(super) turn: Turn,
    /// Where the stream is listed while it is parked.
    pub(super) parked: Option<Parked<D>>,
    /// Whether all work of the stream comes through here. Never comes back.
    pub(super) is_plain: bool,
    /// The wait that was enqueued last, where it was quick.
    pub(super) latest: Latest,
    pub(super) driver: D::Ordered,
}

/// The order lock, held. What its holder has taken of the driver's room and not used is left as it is released.
#[derive(Debug)]
pub(super) struct OrderLocked<'a, D: Driver> {
    guard: Locked<'a, Order<D>>,
    /// Whose room it is.
    room: &'a D,
}

/// What a stream waited for: a value of the timeline of this id, which is 0 for none.
#[derive(Debug, Default)]
pub(super) struct Latest {
    pub(super) timeline: u64,
    pub(super) value: u64,
}

/// Whose turn it is to submit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// Anybody's: nothing is held, and what is put goes to the driver at once.
    #[default]
    Free,
    /// Nobody's until the stream is roused: what is at the front cannot go yet.
    Parked,
    /// Of whoever pumps.
    Taken,
    /// Of a function of the user's that is at work.
    Away,
}

/// One item and where it was asked for.
#[derive(Debug)]
pub(super) struct Entry<D: Driver> {
    pub(super) step: Step<D>,
    pub(super) place: Place,
}

/// What an item does.
#[derive(Debug)]
pub(super) enum Step<D: Driver> {
    /// A task of the contract.
    Task(Task),
    /// Wait for a point.
    Wait(Awaited<D>),
    /// Open a gate that is held with what is on its way.
    Open,
    /// Note the time.
    Stamp(D::Timer),
    /// Be a point of a stream that others launch on too: what they launched has no value of its own.
    Mark,
    /// Nothing any more: it lies in the row, or with what is on its way.
    Moved,
}

/// What a stream waits for.
#[derive(Debug)]
pub(super) struct Awaited<D: Driver> {
    pub(super) point: Point,
    pub(super) way: Way<D>,
}

/// How the driver can wait for a point.
#[derive(Debug)]
pub(super) enum Way<D: Driver> {
    /// It cannot.
    Host,
    /// By a value of another stream of the domain.
    Peer(Arc<HeldStream<D>>),
    /// By something of the backend's own.
    Own(Arc<dyn OwnWait<D>>),
}

/// Where a parked stream is listed.
#[derive(Debug)]
pub(super) enum Parked<D: Driver> {
    /// With the waiters of a point.
    Settled(Timeline, Ticket),
    /// With those who wait for a signal of another stream.
    Signal(Arc<HeldStream<D>>, Ticket),
}

impl<'a, D: Driver> OrderLocked<'a, D> {
    #[inline]
    pub(super) fn new(guard: Locked<'a, Order<D>>, room: &'a D) -> Self {
        Self { guard, room }
    }
}

impl<D: Driver> Deref for OrderLocked<'_, D> {
    type Target = Order<D>;

    #[inline]
    fn deref(&self) -> &Order<D> {
        &self.guard
    }
}

impl<D: Driver> DerefMut for OrderLocked<'_, D> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Order<D> {
        &mut self.guard
    }
}

impl<D: Driver> Drop for OrderLocked<'_, D> {
    /// Under the lock still: what the next one takes is its own.
    #[inline]
    fn drop(&mut self) {
        self.room.leave_room();
    }
}

impl<D: Driver> Awaited<D> {
    /// Whether another stream of the domain has signalled it: a native wait may name it.
    #[inline]
    pub(super) fn is_signalled(&self) -> bool {
        match &self.way {
            Way::Peer(stream) => stream.has_signalled(&self.point),
            Way::Host | Way::Own(_) => false,
        }
    }
}

impl<D: Driver> Entry<D> {
    /// The driver refused the item, which says where the error began.
    #[cold]
    pub(super) fn began(&self, error: &Error, timeline: &Timeline) {
        let name = match &self.step {
            Step::Task(task) => task.name(),
            Step::Wait(_) => "wait",
            Step::Stamp(_) => "record_timed",
            Step::Open => "open",
            // Whoever records knows the place, and an item that was given away was taken.
            Step::Mark | Step::Moved => return,
        };
        error.began_at(|| Origin::new(name, timeline.to_string()).placed(self.place));
    }

    /// Takes the item elsewhere.
    #[inline]
    pub(super) fn take(&mut self) -> Self {
        Self { step: std::mem::replace(&mut self.step, Step::Moved), place: self.place }
    }

    /// Takes a task whose resources the driver works on.
    #[inline]
    pub(super) fn take_resources(&mut self) -> Option<Task> {
        let Step::Task(Task::Fill(_) | Task::Copy(_)) = self.step else { return None };
        match std::mem::replace(&mut self.step, Step::Moved) {
            Step::Task(task) => Some(task),
            _ => None,
        }
    }

    /// Takes the gate of an opening; the item opens it where it lies then.
    #[inline]
    pub(super) fn take_opening(&mut self) -> Option<Opening> {
        let Step::Task(Task::Open(_)) = self.step else { return None };
        match std::mem::replace(&mut self.step, Step::Open) {
            Step::Task(Task::Open(opening)) => Some(opening),
            _ => None,
        }
    }

    /// Ends an item that will never run. Outside every lock.
    pub(super) fn discard(self, cause: &Error) {
        match self.step {
            Step::Task(task) => task.discard(cause),
            step => discard(step),
        }
    }
}

impl<D: Driver> Parked<D> {
    /// Takes the stream off the list, if it still is on it. Outside every lock.
    pub(super) fn unlist(self) {
        match self {
            Self::Settled(timeline, ticket) => timeline.unregister(ticket),
            Self::Signal(stream, ticket) => stream.signals.unregister(ticket),
        }
    }
}

impl<D: Driver> Order<D> {
    /// Of a new stream: nothing is held.
    pub(super) fn new(is_plain: bool, driver: D::Ordered) -> Self {
        let (row, latest) = (Row::default(), Latest::default());
        Self { row, turn: Turn::Free, parked: None, is_plain, latest, driver }
    }

    /// Whether what is put goes to the driver at once, and nothing need be asked first but whether the stream has failed.
    #[inline]
    pub(super) fn is_usual(&self) -> bool {
        self.turn == Turn::Free && self.is_plain
    }

    /// Gives the turn back: to anybody where nothing is held. Says whether something is.
    pub(super) fn give_back_turn(&mut self) -> bool {
        let held = !self.row.is_empty();
        self.turn = if held { Turn::Parked } else { Turn::Free };
        self.row.shrink();
        held
    }
}
