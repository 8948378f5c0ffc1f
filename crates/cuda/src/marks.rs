//! The marks of a stream: which event lies behind which value, how far the device has come, and what is awaited.

use std::collections::VecDeque;

use crate::pool::Lease;

/// The events that lie on a stream, in the order of their values.
///
/// Complete means: no event at or beyond the value is left, although there was one. So a look-up that finds none has
/// found out that nothing need be asked of the driver.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    row: VecDeque<Mark>,
    /// How far the device has come.
    reached: u64,
    /// What of that the stream was told.
    told: u64,
    /// The largest value that somebody waits for.
    expected: u64,
    /// Whether the poller has the stream on its list.
    is_watched: bool,
}

#[derive(Debug)]
struct Mark {
    value: u64,
    lease: Lease,
}

/// What the poller does next with a stream.
#[derive(Debug)]
pub(crate) enum Next {
    /// Tells it how far the device has come.
    Tell(u64),
    /// Asks the oldest events.
    Ask,
    /// Nothing: nobody waits for it, and it is off the list.
    Leave,
}

impl Marks {
    /// An event was recorded behind `value`, the latest.
    pub(crate) fn push(&mut self, value: u64, lease: Lease) {
        self.row.push_back(Mark { value, lease });
    }

    /// How many events lie on the stream.
    pub(crate) fn len(&self) -> usize {
        self.row.len()
    }

    /// The first event at or beyond `value`; none where the device has come so far.
    pub(crate) fn beyond(&self, value: u64) -> Option<(u64, Lease)> {
        let index = self.row.partition_point(|mark| mark.value < value);
        self.row.get(index).map(|mark| (mark.value, mark.lease.clone()))
    }

    /// The event in this place, the oldest first.
    pub(crate) fn nth(&self, index: usize) -> Option<(u64, Lease)> {
        self.row.get(index).map(|mark| (mark.value, mark.lease.clone()))
    }

    /// The device has come to `value`. Gives the leases that are needed no more, to be dropped outside the lock.
    pub(crate) fn reach(&mut self, value: u64) -> Vec<Lease> {
        self.reached = self.reached.max(value);
        let done = self.row.partition_point(|mark| mark.value <= self.reached);
        self.row.drain(..done).map(|mark| mark.lease).collect()
    }

    /// How far the device has come, where the stream was not told; it is told once.
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
            Some(mark) if mark.value <= self.expected => Next::Ask,
            _ => self.leave(),
        }
    }

    /// The stream goes off the poller's list.
    pub(crate) fn leave(&mut self) -> Next {
        self.is_watched = false;
        Next::Leave
    }
}
