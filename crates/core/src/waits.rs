//! The outstanding waits of a stream: one list for elision, failure, reports and the cycle search.

use crate::contract::Placed;
use crate::place::Place;
use crate::point::{Point, State};
use crate::queue::Queue;

/// One outstanding wait: an edge of the graph of who waits for whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Edge {
    /// The value that the wait has on the stream that waits.
    pub own: u64,
    /// What it waits for.
    pub point: Point,
    /// Where the wait was asked for.
    pub place: Place,
}

impl Edge {
    /// A wait.
    pub fn new(own: u64, point: Point, place: Place) -> Self {
        Self { own, point, place }
    }
}

/// What a wait was to the stream that was asked to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third; outside the semver promise")]
// A word, so that it comes back in a register, and beside an error in two.
#[repr(usize)]
pub enum Waited {
    /// Nothing: the stream waits for the point, or beyond it, already.
    Already,
    /// A wait that it had not.
    Anew,
}

impl Waited {
    /// What a wait was that was placed so, or not at all.
    #[inline]
    pub(crate) fn of(placed: Option<Placed>) -> Self {
        if placed.is_some() { Self::Anew } else { Self::Already }
    }
}

/// The outstanding waits of one stream in the order of their own values. Lives under the stream's order lock, or under
/// a leaf lock of its own.
#[derive(Debug, Default)]
pub struct Waits(Queue<Edge>);

/// How many of the latest waits an elision looks through: the cost of a wait stays bounded on a stream that waits for
/// a hundred thousand others, at the price of an elision missed there (`docs/decisions.md`).
const LOOKED_THROUGH: usize = 8;

/// A burst of more waits than this leaves no memory behind.
const KEPT: usize = 4;

impl Waits {
    /// Whether the stream waits for this point, or beyond it, already.
    #[inline]
    pub fn cover(&self, point: &Point) -> bool {
        self.cover_by(point, u64::MAX)
    }

    /// The same by waits with own values up to `enqueued`: one beyond may be refused still.
    #[inline]
    pub fn cover_by(&self, point: &Point, enqueued: u64) -> bool {
        // Mostly the latest wait is for the same timeline, and tells.
        let Some(latest) = self.0.back() else { return false };
        if latest.own <= enqueued
            && latest.point.timeline() == point.timeline()
            && point.timeline().never_failed(point.timeline())
        {
            return latest.point.value() >= point.value();
        }
        self.cover_further(point, enqueued)
    }

    fn cover_further(&self, point: &Point, enqueued: u64) -> bool {
        let timeline = point.timeline();
        for Edge { own, point: latest, .. } in self.0.iter().rev().take(LOOKED_THROUGH) {
            if *own > enqueued || latest.timeline() != timeline {
                continue;
            }
            if latest.value() >= point.value() {
                // A wait for what a recovered stream does now covers no point of the era that failed.
                return timeline.never_failed(timeline)
                    || !matches!(point.known(), State::Failed(_));
            }
            // The latest wait for a timeline names the largest value, unless one was for what had failed in an era before.
            if timeline.never_failed(timeline) {
                return false;
            }
        }
        false
    }

    /// Adds the latest wait.
    #[expect(
        clippy::inline_always,
        reason = "called, it costs twice as much: the edge is moved twice"
    )]
    #[inline(always)]
    pub fn push(&mut self, edge: Edge) {
        self.0.push(edge);
    }

    /// The oldest wait.
    #[inline]
    pub fn front(&self) -> Option<&Edge> {
        self.0.front()
    }

    /// All waits, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Edge> {
        self.0.iter()
    }

    /// Takes the oldest wait: the stream has gone past it.
    #[inline]
    pub fn pop(&mut self) -> Option<Edge> {
        self.0.pop()
    }

    /// Adds a wait unless it, or one after it, is there.
    pub fn note(&mut self, edge: Edge) {
        if self.0.back().is_none_or(|last| last.own < edge.own) {
            self.0.push(edge);
        }
    }

    /// Takes the latest wait back, if it is that of `own`: it was refused.
    #[must_use = "it is to be dropped outside the lock"]
    pub fn take_back(&mut self, own: u64) -> Option<Edge> {
        if self.0.back().is_some_and(|last| last.own == own) { self.0.pop_latest() } else { None }
    }

    /// The latest wait, that of `own`, has the next value: another thing came before it.
    pub(crate) fn move_back(&mut self, own: u64) {
        if let Some(last) = self.0.back_mut().filter(|last| last.own == own) {
            last.own += 1;
        }
    }

    /// Takes the waits with own values from `own` on.
    #[must_use = "they are to be dropped outside the lock"]
    pub fn take_from(&mut self, own: u64) -> Self {
        Self(self.0.split_off(self.0.count_while(|edge| edge.own < own)))
    }

    /// Takes all waits, to be dropped outside the lock.
    #[must_use = "they are to be dropped outside the lock"]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// The waits with own values above `after` and up to `upto`, oldest first.
    pub fn between(&self, after: u64, upto: u64) -> Vec<Edge> {
        let first = self.0.count_while(|edge| edge.own <= after);
        self.0.from(first).take_while(|edge| edge.own <= upto).cloned().collect()
    }

    /// Gives back memory that a burst left behind.
    pub fn shrink(&mut self) {
        self.0.shrink(KEPT);
    }
}
