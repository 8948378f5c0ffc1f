//! The row of a stream: its command buffers on their way, and what has become of each, in the order of their values.
//!
//! Handlers of Metal's say from any thread how a command buffer has ended, in any order; the row gives that on in the
//! order of the values, to one thread of ours. A killed command buffer signals nothing, and each waits for the value
//! before its own: so nothing behind a failure is signalled before the host has told the failure and signals for the
//! device ([`mend`](Row::mend)).

use std::collections::VecDeque;
use std::mem;

use crate::calls::Killed;
use crate::room::{Patience, Room};
use crate::sync::{Mutex, lock};

/// What is on its way on one stream.
#[derive(Debug)]
pub(crate) struct Row {
    /// A leaf: nothing is called under it.
    state: Mutex<State>,
    room: Room,
}

#[derive(Debug, Default)]
struct State {
    flying: VecDeque<Flying>,
    /// The last value that the device, or the host in its place, signals.
    promised: u64,
    /// What it was before the last was put.
    before: u64,
    /// The last value that was told.
    told: u64,
    /// The value off the row whose failure is being told.
    failing: Option<u64>,
    /// Whether others may have committed something behind the last that was put.
    has_others: bool,
}

/// A value on its way.
#[derive(Debug)]
struct Flying {
    value: u64,
    /// How many command buffers of the value have not ended.
    parts: usize,
    killed: Option<Killed>,
    /// Whether others may have committed something right before it, of whose end nobody hears.
    is_behind_others: bool,
}

/// What has become of values, in their order.
#[derive(Debug)]
pub(crate) enum News {
    /// Everything up to this value is over.
    Came(u64),
    /// A command buffer of this value was killed.
    Killed(u64, Killed),
}

impl Row {
    /// A row with this room for command buffers that have not ended.
    pub(crate) fn new(room: Room) -> Self {
        Self { state: Mutex::new(State::default()), room }
    }

    /// The room of what is on its way.
    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    /// Takes a place for so many command buffers of `value`, the largest so far, and waits for room.
    /// Gives the value that they have to wait for, 0 where there is none. `None`: there is no room. By one thread at a
    /// time.
    pub(crate) fn put(&self, value: u64, parts: usize, patience: Patience<'_>) -> Option<u64> {
        if !self.room.take(parts, patience) {
            return None;
        }
        let mut state = lock(&self.state);
        state.before = mem::replace(&mut state.promised, value);
        let is_behind_others = mem::take(&mut state.has_others);
        state.flying.push_back(Flying { value, parts, killed: None, is_behind_others });
        Some(state.earlier(state.before))
    }

    /// None of the command buffers that were put last came to be.
    pub(crate) fn take_back(&self) {
        let mut state = lock(&self.state);
        if let Some(last) = state.flying.pop_back() {
            state.promised = state.before;
            state.has_others |= last.is_behind_others;
            drop(state);
            self.room.give_back(last.parts);
        }
    }

    /// Others may commit something now, behind the last that was put. By one thread at a time, which puts the next.
    pub(crate) fn note_others(&self) {
        lock(&self.state).has_others = true;
    }

    /// Whether a device that waits for `value` stands there for one command buffer of ours at most: everything before it has
    /// ended, and no failure has to be told first.
    pub(crate) fn comes_next(&self, value: u64) -> bool {
        let state = lock(&self.state);
        if state.failing.is_some_and(|failing| failing <= value) {
            return false;
        }
        let is_there = |flying: &&Flying| flying.parts > 0 || flying.killed.is_some();
        state.flying.iter().find(is_there).is_none_or(|first| {
            let is_ours = first.killed.is_none() && !first.is_behind_others;
            value < first.value || (value == first.value && is_ours)
        })
    }

    /// A command buffer of `value` has ended. Called by handlers of Metal's, once for each.
    pub(crate) fn end(&self, value: u64, killed: Option<Killed>) {
        let mut state = lock(&self.state);
        let index = state.flying.partition_point(|flying| flying.value < value);
        let found = state.flying.get_mut(index).filter(|flying| flying.value == value);
        let Some(flying) = found.filter(|flying| flying.parts > 0) else { return };
        flying.parts -= 1;
        flying.killed = flying.killed.take().or(killed);
        drop(state);
        self.room.end();
    }

    /// Takes off the row what has ended with everything before it, up to the first that was killed: what comes behind that
    /// is to be had once the failure was told. By one thread at a time, which tells it.
    pub(crate) fn take(&self) -> Vec<News> {
        let (mut state, mut news) = (lock(&self.state), Vec::new());
        while state.failing.is_none()
            && let Some(Flying { value, killed, .. }) = state.take_ended()
        {
            match (killed, news.last_mut()) {
                (Some(killed), _) => {
                    state.failing = Some(value);
                    news.push(News::Killed(value, killed));
                }
                (None, Some(News::Came(latest))) => *latest = value,
                (None, _) => news.push(News::Came(value)),
            }
        }
        news
    }

    /// Notes that everything up to `value` was told and is signalled, by `raise` where the device has not: it may have
    /// killed what was to signal. The value has failed before: this lets through whoever waits on the device.
    pub(crate) fn mend(&self, value: u64, seen: impl Fn() -> u64, raise: impl FnOnce(u64)) {
        if seen() < value {
            raise(value);
        }
        self.note_told(value);
    }

    /// Notes that everything up to `value` was told, and is signalled.
    pub(crate) fn note_told(&self, value: u64) {
        let mut state = lock(&self.state);
        // Of a lost device everything was told at once.
        state.told = state.told.max(value);
        state.failing = state.failing.filter(|failing| *failing > value);
    }

    /// How far the stream is where its shared event is at `seen`: not past the first command buffer of which no handler has
    /// come, whatever it has signalled, since it may bring a failure or a time; nor past a failure that is not told yet.
    /// `Err`, with the last value that may come: somebody else has signalled the event.
    pub(crate) fn reached(&self, seen: u64) -> Result<u64, u64> {
        let state = lock(&self.state);
        if seen > state.promised {
            return Err(state.promised);
        }
        let is_untold = |flying: &&Flying| flying.parts > 0 || flying.killed.is_some();
        let untold = state.flying.iter().find(is_untold).map(|flying| flying.value);
        Ok(state.failing.or(untold).map_or(seen, |untold| seen.min(untold - 1)))
    }

    /// The last value that was promised.
    pub(crate) fn promised(&self) -> u64 {
        lock(&self.state).promised
    }
}

impl State {
    /// Takes the front off the row, where it has ended.
    fn take_ended(&mut self) -> Option<Flying> {
        let has_ended = self.flying.front().is_some_and(|flying| flying.parts == 0);
        if has_ended { self.flying.pop_front() } else { None }
    }

    /// The value that a command buffer behind this one has to wait for.
    fn earlier(&self, value: u64) -> u64 {
        if value > self.told { value } else { 0 }
    }
}

#[cfg(all(test, syncpoint_loom))]
mod model;

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Patience<'static> =
        Patience { longest: Duration::ZERO, deadline: None, is_over: &|| false };

    fn killed() -> Killed {
        Killed { code: 1, words: "by the test".to_owned() }
    }

    #[test]
    fn a_value_of_two_command_buffers_ends_with_both() {
        let row = Row::new(Room::new(2));
        assert!(row.put(1, 2, NOW).is_some() && row.put(2, 1, NOW).is_none());
        row.end(1, Some(killed()));
        assert_eq!(told(&row), []);
        row.end(1, None);
        assert_eq!(told(&row), [(1, false)], "one that was killed fails it");
    }

    fn row_of(values: &[u64]) -> Row {
        let row = Row::new(Room::new(8));
        assert!(values.iter().all(|value| row.put(*value, 1, NOW).is_some()));
        row
    }

    fn told(row: &Row) -> Vec<(u64, bool)> {
        let tell = |news| match news {
            News::Came(value) => (value, true),
            News::Killed(value, _) => (value, false),
        };
        row.take().into_iter().map(tell).collect()
    }

    #[test]
    fn ends_are_told_in_the_order_of_their_values() {
        let row = row_of(&[1, 2, 4, 7]);
        row.end(4, None);
        row.end(2, Some(killed()));
        assert_eq!(told(&row), [], "the first has not ended");
        row.end(1, None);
        assert_eq!(told(&row), [(1, true), (2, false)]);
        row.end(7, None);
        assert_eq!(told(&row), [], "the failure of 2 comes first");
        row.mend(2, || 2, drop);
        assert_eq!(told(&row), [(7, true)]);
    }

    #[test]
    fn what_has_ended_takes_no_room_told_or_not_and_neither_does_what_never_was() {
        let row = Row::new(Room::new(2));
        assert!(row.put(1, 1, NOW).is_some() && row.put(2, 1, NOW).is_some());
        assert!(row.put(3, 1, NOW).is_none());
        row.end(2, None);
        assert!(row.put(3, 1, NOW).is_some());
        row.take_back();
        assert!(row.put(4, 1, NOW).is_some());
    }

    #[test]
    fn what_the_event_says_counts_up_to_the_first_whose_handler_has_not_come() {
        let row = row_of(&[1, 2, 3]);
        assert!(row.put(5, 2, NOW).is_some());
        assert_eq!(row.reached(5), Ok(0), "each may bring a failure still");
        row.end(1, None);
        row.end(3, None);
        assert_eq!(row.reached(5), Ok(1));
        row.end(2, None);
        assert_eq!(row.reached(5), Ok(4));
        row.end(5, None);
        assert_eq!(row.reached(5), Ok(4), "nor does one of two command buffers bring it");
        assert_eq!(row.reached(3), Ok(3));
        row.end(5, None);
        assert_eq!(row.reached(5), Ok(5));
        assert_eq!(row.reached(6), Err(5), "nobody here signals that");
    }

    #[test]
    fn what_was_killed_is_not_reached_before_its_failure_was_told() {
        let row = row_of(&[1, 2, 3]);
        for (value, killed) in [(1, None), (2, Some(killed())), (3, Some(killed()))] {
            row.end(value, killed);
        }
        assert_eq!(row.reached(3), Ok(1));
        assert_eq!(told(&row), [(1, true), (2, false)]);
        assert_eq!(row.reached(3), Ok(1), "it is off the row, and nobody was told");
        row.mend(2, || 3, drop);
        assert_eq!(row.reached(3), Ok(2));
        assert_eq!(told(&row), [(3, false)]);
        assert_eq!(row.reached(3), Ok(2));
        row.mend(3, || 3, drop);
        assert_eq!(row.reached(3), Ok(3));
    }

    #[test]
    fn a_device_waits_for_what_comes_next_and_for_nothing_behind_it() {
        let row = row_of(&[1, 2]);
        row.note_others();
        assert!(row.put(4, 1, NOW).is_some());
        row.take_back();
        assert!(row.put(5, 1, NOW).is_some() && row.put(6, 1, NOW).is_some());
        let next = || [1, 2, 5, 6].map(|value| row.comes_next(value));
        assert_eq!(next(), [true, false, false, false]);
        row.end(2, None);
        assert_eq!(next(), [true, false, false, false], "what is before it has not ended");
        row.end(1, None);
        assert_eq!(next(), [true, true, false, false], "nobody knows what others do before 5");
        row.end(5, None);
        assert_eq!(next(), [true; 4]);
        row.end(6, Some(killed()));
        assert_eq!(next(), [true, true, true, false], "the host is to signal it");
        assert_eq!(told(&row), [(5, true), (6, false)]);
        assert_eq!(next(), [true, true, true, false], "it is off the row, and nobody was told");
        row.mend(6, || 5, drop);
        assert_eq!(next(), [true; 4]);
    }

    #[test]
    fn what_a_lost_device_has_told_at_once_stays_told() {
        let row = row_of(&[1, 2]);
        row.mend(2, || 2, drop);
        row.end(1, None);
        assert_eq!(told(&row), [(1, true)]);
        row.note_told(1);
        assert_eq!(row.put(3, 1, NOW), Some(0), "2 was let through");
    }

    #[test]
    fn each_waits_for_the_one_before_until_that_was_told() {
        let row = Row::new(Room::new(8));
        assert_eq!(row.put(1, 1, NOW), Some(0), "the first waits for nothing");
        assert_eq!(row.put(3, 1, NOW), Some(1));
        row.take_back();
        assert_eq!(row.put(3, 1, NOW), Some(1), "what never was is waited for by nobody");
        row.end(1, None);
        assert_eq!(row.put(4, 1, NOW), Some(3));
        row.end(3, Some(killed()));
        row.end(4, None);
        assert_eq!(told(&row).len(), 2);
        row.mend(3, || 1, |value| assert_eq!(value, 3));
        assert_eq!(told(&row).len(), 1);
        row.note_told(4);
        assert_eq!(row.put(5, 1, NOW), Some(0));
    }
}
