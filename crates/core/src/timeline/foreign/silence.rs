//! Silence: what was refused of a counter for a second on end, whoever asked, and when that counts as its loss.

use std::mem;
use std::time::{Duration, Instant};

use crate::error::{Error, Kind, Result};
use crate::sync::{Mutex, lock};
use crate::timeline::Timeline;

/// What the last looks were refused with.
#[derive(Debug, Default)]
pub(super) struct Silence(Mutex<Refusals>);

/// Those on end.
#[derive(Debug, Default)]
struct Refusals {
    last: Option<Error>,
    row: Option<Row>,
}

/// Those that count.
#[derive(Debug)]
struct Row {
    first: Instant,
    last: Instant,
    times: u32,
}

/// After a second of refusals nothing will be heard any more: as long as the waiter of a device of our own goes on
/// (`vulkan/waiter`). In that second whoever waits looks so often.
const LONG: Duration = Duration::from_secs(1);
const TIMES: u32 = 20;

/// Of a burst one counts. Half of what lies between the looks of who waits, which come a little early now and then.
const APART: Duration = Duration::from_millis(25);

impl Silence {
    /// Notes what a look said. Gives the refusal with which the counter counts as lost, where it is that.
    pub(super) fn hear(&self, said: &Result<u64>) -> Option<Error> {
        let mut refusals = lock(&self.0);
        let last = said.as_ref().err().cloned();
        let before = mem::replace(&mut refusals.last, last);
        let is_loss = refusals.count(Instant::now());
        let loss = refusals.last.clone().filter(|_| is_loss);
        drop(refusals);
        drop(before);
        loss
    }

    /// What the last look was refused with, where it was.
    pub(super) fn last(&self) -> Option<Error> {
        lock(&self.0).last.clone()
    }
}

impl Refusals {
    /// Whether they have gone on for long enough, the last included, which came now. What the machine lacks at the moment
    /// says nothing of the counter.
    fn count(&mut self, now: Instant) -> bool {
        let counts = self.last.as_ref().is_some_and(|error| error.kind() != Kind::Exhausted);
        if !counts {
            self.row = None;
            return false;
        }
        let row = self.row.get_or_insert_with(|| Row::begin(now));
        row.go_on(now);
        row.times >= TIMES && now.saturating_duration_since(row.first) >= LONG
    }
}

impl Row {
    fn begin(now: Instant) -> Self {
        Self { first: now, last: now, times: 1 }
    }

    /// A burst now and a refusal tomorrow are no silence: nobody has asked in between.
    fn go_on(&mut self, now: Instant) {
        let pause = now.saturating_duration_since(self.last);
        if pause > LONG {
            *self = Self::begin(now);
        } else if pause >= APART {
            (self.last, self.times) = (now, self.times + 1);
        }
    }
}

/// Why a counter that has been silent counts as lost.
#[cold]
pub(super) fn silent(timeline: &Timeline, last: Error) -> Error {
    let message = format!(
        "nothing was heard of the counter of {timeline} for a second ({last}): it counts as lost; take it in anew"
    );
    Error::new(Kind::DeviceLost, message).caused_by(last)
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn refused() -> Refusals {
        Refusals { last: Some(Error::new(Kind::Driver, "refused")), row: None }
    }

    #[test]
    fn a_refusal_in_each_slice_for_a_second_is_a_loss() {
        let (mut refusals, begin) = (refused(), Instant::now());
        let slices = |count: u32| begin + Duration::from_millis(50) * count;
        assert!((0..20).all(|slice| !refusals.count(slices(slice))));
        assert!(refusals.count(slices(20)));
    }

    #[test]
    fn a_burst_and_one_more_are_no_loss_whenever_that_comes() {
        for later in [SECOND * 9 / 10, SECOND, SECOND * 2, SECOND * 3600] {
            let (mut refusals, begin) = (refused(), Instant::now());
            assert!((0..25).all(|_| !refusals.count(begin)));
            assert!(!refusals.count(begin + later), "{later:?}");
        }
    }

    #[test]
    fn one_now_and_then_is_no_loss_however_often_it_comes() {
        let (mut refusals, begin) = (refused(), Instant::now());
        assert!((0..1000).all(|time| !refusals.count(begin + SECOND * 2 * time)));
    }
}
