//! The marks of a stream: which event lies behind which value, how far the device has come, and what is awaited.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::sys::{Event, Timing};

/// The events that lie on a stream, in the order of their values.
///
/// Complete means: no event at or beyond the value is left, although there was one. So a look-up that finds none has
/// found out that nothing need be asked of the driver.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    row: VecDeque<Mark>,
    /// Events that the device has passed, for records to come.
    spare: Vec<Arc<Event>>,
    /// How far the device has come.
    reached: u64,
    /// What of that the stream was told.
    told: u64,
    /// The largest value that somebody waits for.
    expected: u64,
    /// How many marks were made since it was found out which are needed no more.
    unreaped: u32,
    /// Whether the poller has the stream on its list.
    is_watched: bool,
}

/// An event that lies behind a value.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) value: u64,
    pub(crate) event: Arc<Event>,
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

/// So many events a stream keeps for itself: as many as a program that never asks has on their way between two looks at
/// them, twice.
const SPARE: usize = 32;

/// At every so many marks it is found out which events are needed no more: a program that never asks holds few.
const REAPED: u32 = 16;

impl Marks {
    /// An event for the next record, if there is one.
    #[inline]
    pub(crate) fn take_spare(&mut self) -> Option<Arc<Event>> {
        self.spare.pop()
    }

    /// An event was recorded behind a value, the latest. Says whether it is to be found out which are needed no more.
    #[inline]
    pub(crate) fn push(&mut self, mark: Mark) -> bool {
        self.row.push_back(mark);
        self.unreaped += 1;
        let is_due = self.unreaped >= REAPED;
        if is_due {
            self.unreaped = 0;
        }
        is_due
    }

    /// The first event at or beyond `value`; none where the device has come so far.
    pub(crate) fn beyond(&self, value: u64) -> Option<(u64, Arc<Event>)> {
        let last = self.row.back().filter(|mark| mark.value >= value)?;
        // Mostly it is the latest that somebody asks about.
        if last.value == value {
            return Some((value, Arc::clone(&last.event)));
        }
        self.nth(self.row.partition_point(|mark| mark.value < value))
    }

    /// The event in this place, the oldest first.
    pub(crate) fn nth(&self, index: usize) -> Option<(u64, Arc<Event>)> {
        self.row.get(index).map(|mark| (mark.value, Arc::clone(&mark.event)))
    }

    /// The event in the middle: where the device has come to it, half are needed no more.
    pub(crate) fn middle(&self) -> Option<(u64, Arc<Event>)> {
        self.nth(self.row.len() / 2)
    }

    /// The device has come to `value`. Gives an event that the stream does not keep; to be called again while it does.
    pub(crate) fn reach(&mut self, value: u64) -> Option<Arc<Event>> {
        self.reached = self.reached.max(value);
        while self.row.front().is_some_and(|mark| mark.value <= self.reached) {
            let Mark { mut event, .. } = self.row.pop_front()?;
            let is_alone = Arc::get_mut(&mut event).is_some();
            if event.timing() == Timing::Timed || !is_alone || self.spare.len() >= SPARE {
                return Some(event);
            }
            self.spare.push(event);
        }
        None
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

    /// Somebody waits for `value`. Says whether the stream has to be put on the poller's list.
    pub(crate) fn expect(&mut self, value: u64) -> bool {
        self.expected = self.expected.max(value);
        !std::mem::replace(&mut self.is_watched, true)
    }

    /// What the poller, who has the stream on its list, does next with it.
    pub(crate) fn next(&mut self) -> Next {
        if let Some(reached) = self.take_news() {
            return Next::Tell(reached);
        }
        match self.row.front() {
            Some(mark) if mark.value <= self.expected => {
                Next::Ask(mark.value, Arc::clone(&mark.event))
            }
            _ => self.leave(),
        }
    }

    /// The stream goes off the poller's list.
    pub(crate) fn leave(&mut self) -> Next {
        self.is_watched = false;
        Next::Leave
    }

    /// Every event that is left, as the stream goes.
    pub(crate) fn into_events(self) -> impl Iterator<Item = Arc<Event>> {
        self.row.into_iter().map(|mark| mark.event).chain(self.spare)
    }
}
