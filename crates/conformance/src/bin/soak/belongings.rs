//! What an actor has: a bounded number of each kind of thing, so that whatever grows is the library's.

use std::sync::Arc;

use syncpoint::{
    Buffer, Completion, Event, Gate, Loan, Notification, Point, Retirement, Stream, TimedPoint,
    Watch,
};
use syncpoint_conformance::draw::Draw;

/// A stream of the actor's own, or one that a pool lends.
pub(crate) enum Held {
    Own(Stream),
    Lent(Loan<Stream>),
}

impl Held {
    pub(crate) fn stream(&self) -> &Stream {
        match self {
            Self::Own(stream) => stream,
            Self::Lent(loan) => loan,
        }
    }
}

#[derive(Default)]
pub(crate) struct Belongings {
    pub(crate) streams: Few<Arc<Held>, 24>,
    pub(crate) points: Few<Point, 48>,
    pub(crate) timed: Few<TimedPoint, 16>,
    pub(crate) gates: Few<Gate, 8>,
    pub(crate) events: Few<Event, 16>,
    pub(crate) lent_events: Few<Loan<Event>, 8>,
    pub(crate) buffers: Few<Buffer, 6>,
    pub(crate) notifications: Few<Notification, 8>,
    pub(crate) futures: Few<Completion, 8>,
    pub(crate) retirements: Few<Retirement, 8>,
    pub(crate) watches: Few<Watch, 2>,
}

/// At most so many things; a new one takes the place of a random other.
pub(crate) struct Few<T, const MOST: usize>(Vec<T>);

impl<T, const MOST: usize> Default for Few<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MOST: usize> Few<T, MOST> {
    /// Keeps a thing, and gives the one that had to go.
    pub(crate) fn keep(&mut self, thing: T, draw: &mut Draw) -> Option<T> {
        let gone = if self.0.len() < MOST { None } else { self.take(draw) };
        self.0.push(thing);
        gone
    }

    /// One of them.
    pub(crate) fn any(&self, draw: &mut Draw) -> Option<&T> {
        draw.one_of(&self.0)
    }

    /// Takes one of them.
    pub(crate) fn take(&mut self, draw: &mut Draw) -> Option<T> {
        if self.0.is_empty() { None } else { Some(self.0.swap_remove(draw.below(self.0.len()))) }
    }

    pub(crate) fn all(&self) -> &[T] {
        &self.0
    }
}
