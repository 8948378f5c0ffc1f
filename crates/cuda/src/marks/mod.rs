//! The marks of a stream: which event lies behind which value, how far the device has come, and what is awaited.

mod ring;

use std::collections::VecDeque;
use std::sync::Arc;

use syncpoint_core::errands::{Standing, Want};

use crate::sys::{Event, Timing};
use ring::Ring;

/// The events that lie on a stream, in the order of their values.
///
/// Those that the device has passed stay where they are, the oldest of the ring, until the stream records them anew: so a
/// record needs no pool, and that the device has come further is one word.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    ring: Ring<Event>,
    /// The values of those that note their time: others have these events too, so they leave the ring as they are passed.
    timed: VecDeque<u64>,
    /// How far the device has come.
    reached: u64,
    /// What of that the stream was told.
    told: u64,
    /// The largest value that somebody waits for.
    expected: u64,
    /// How many marks were made since the device was last asked for want of an event.
    unasked: usize,
    /// Whether the poller has the stream on its list.
    standing: Standing,
}

/// What the poller does next with a stream.
#[derive(Debug)]
pub(crate) enum Next {
    /// Tells it how far the device has come.
    Tell(u64),
    /// Asks the oldest event, which lies behind this value.
    Ask(u64, Arc<Event>),
    /// Nothing: nobody waits for it, and it is off the list.
    Leave,
}

impl Marks {
    /// An event for the next record, if the device has passed one and nobody has it in a call.
    #[inline]
    pub(crate) fn take_passed(&mut self) -> Option<Arc<Event>> {
        self.ring.take_oldest(self.reached)
    }

    /// An event was recorded behind a value, the latest. Gives the one whose place it took, if that was there still.
    #[inline]
    pub(crate) fn push(&mut self, value: u64, event: Arc<Event>) -> Option<Arc<Event>> {
        self.unasked += 1;
        self.ring.push(value, event, self.reached)
    }

    /// The same, with an event for the record after this one, as [`take_passed`](Self::take_passed).
    #[inline]
    pub(crate) fn push_and_take(
        &mut self,
        value: u64,
        event: Arc<Event>,
    ) -> [Option<Arc<Event>>; 2] {
        self.unasked += 1;
        self.ring.push_and_take(value, event, self.reached)
    }

    /// The same of one that notes its time.
    pub(crate) fn push_timed(&mut self, value: u64, event: Arc<Event>) -> Option<Arc<Event>> {
        self.timed.push_back(value);
        self.push(value, event)
    }

    /// Where none of the events was passed: the one to ask about, because half of them may be. `None` where the device was
    /// asked not long ago: the longer it has passed nothing, the more seldom it is asked.
    pub(crate) fn worth_asking(&mut self) -> Option<(u64, Arc<Event>)> {
        let middle = self.ring.middle(self.reached).map(owned)?;
        if self.unasked < self.ring.len() / 2 {
            return None;
        }
        self.unasked = 0;
        Some(middle)
    }

    /// The first event at or beyond `value`; none where the device has come so far.
    #[expect(
        clippy::inline_always,
        reason = "a frame of its own is 14 instructions of the 200 of a wait"
    )]
    #[inline(always)]
    pub(crate) fn beyond(&self, value: u64) -> Option<(u64, Arc<Event>)> {
        // Mostly it is the latest that somebody asks about.
        match self.ring.latest() {
            Some(latest) if latest.0 == value && value > self.reached => Some(owned(latest)),
            latest => self.search(value, latest?.0),
        }
    }

    #[inline(never)]
    fn search(&self, value: u64, latest: u64) -> Option<(u64, Arc<Event>)> {
        if latest < value || value <= self.reached {
            return None;
        }
        self.ring.nth(self.ring.below(value)).map(owned)
    }

    /// The event in this place of those that the device is not known to have passed, the oldest first.
    pub(crate) fn nth(&self, index: usize) -> Option<(u64, Arc<Event>)> {
        self.ring.nth(self.passed() + index).map(owned)
    }

    /// How many events the device has passed.
    fn passed(&self) -> usize {
        self.ring.below(self.reached + 1)
    }

    /// The device has come to `value`. Gives the events that the stream does not keep.
    #[inline]
    #[must_use = "they belong to a pool"]
    pub(crate) fn reach(&mut self, value: u64) -> Vec<Arc<Event>> {
        self.reached = self.reached.max(value);
        if self.timed.is_empty() && !self.ring.is_long() {
            return Vec::new();
        }
        self.take_surplus()
    }

    #[cold]
    fn take_surplus(&mut self) -> Vec<Arc<Event>> {
        let mut surplus = Vec::new();
        // Before the places go: an event is looked for in the place of its value.
        while self.timed.front().is_some_and(|value| *value <= self.reached) {
            let is_timed = |event: &Event| event.timing() == Timing::Timed;
            let timed = self.timed.pop_front().and_then(|value| self.ring.take(value, is_timed));
            surplus.extend(timed);
        }
        surplus.extend(self.ring.shorten(self.reached));
        surplus
    }

    /// How far the device has come, where the stream was not told; it is told once.
    #[inline]
    pub(crate) fn take_news(&mut self) -> Option<u64> {
        if self.told >= self.reached {
            return None;
        }
        self.told = self.reached;
        Some(self.reached)
    }

    /// How far the device has come.
    pub(crate) fn reached(&self) -> u64 {
        self.reached
    }

    /// Somebody waits for `value`, and may have to give the stream to the poller.
    pub(crate) fn expect(&mut self, value: u64) -> Option<Want> {
        self.expected = self.expected.max(value);
        self.standing.want()
    }

    /// The stream was given, and lies there until a poller can be made.
    #[cold]
    pub(crate) fn leave_given(&mut self, want: Want) {
        self.standing.leave_given(want);
    }

    /// The poller was given the stream. Says whether it goes on its list.
    pub(crate) fn watch(&mut self) -> bool {
        self.standing.take()
    }

    /// What the poller, who has the stream on its list, does next with it.
    pub(crate) fn next(&mut self) -> Next {
        if let Some(reached) = self.take_news() {
            return Next::Tell(reached);
        }
        match self.nth(0) {
            Some((value, event)) if value <= self.expected => Next::Ask(value, event),
            _ => self.leave(),
        }
    }

    /// The stream goes off the poller's list.
    pub(crate) fn leave(&mut self) -> Next {
        self.standing.leave();
        Next::Leave
    }

    /// Every event that is left, as the stream goes.
    pub(crate) fn into_events(self) -> impl Iterator<Item = Arc<Event>> {
        self.ring.into_events()
    }
}

fn owned((value, event): (u64, &Arc<Event>)) -> (u64, Arc<Event>) {
    (value, Arc::clone(event))
}
