//! Silence: what is asked of a driver was refused for a second on end, and nothing will be heard any more.

use std::time::{Duration, Instant};

/// The refusals on end of what asks one thing of a driver again and again.
#[derive(Debug, Default)]
pub struct Silence(Option<Row>);

/// Those that count.
#[derive(Debug)]
struct Row {
    first: Instant,
    last: Instant,
    times: u32,
}

/// After a second of refusals nothing will be heard any more. In that second whoever waits looks so often, once in a slice.
const LONG: Duration = Duration::from_secs(1);
const TIMES: u32 = 20;

/// Of a burst one counts. Half of what lies between the looks of who waits, which come a little early now and then.
const APART: Duration = Duration::from_millis(25);

impl Silence {
    /// Notes an answer of now, where it is a refusal that `counts`: what the machine lacks at the moment says nothing of the
    /// driver. Says whether refusals have gone on for so long, this one included, that nothing will be heard any more.
    #[must_use = "whoever waits is to be told"]
    pub fn hear<T, E>(&mut self, said: &Result<T, E>, counts: impl FnOnce(&E) -> bool) -> bool {
        if said.as_ref().err().is_some_and(counts) {
            return self.go_on(Instant::now());
        }
        self.0 = None;
        false
    }

    fn go_on(&mut self, now: Instant) -> bool {
        let row = self.0.get_or_insert_with(|| Row::begin(now));
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

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;
    use crate::wait::SLICE;

    #[test]
    fn a_refusal_in_each_slice_for_a_second_is_silence() {
        let (mut silence, begin) = (Silence::default(), Instant::now());
        let slices = |count: u32| begin + SLICE * count;
        assert!((0..20).all(|slice| !silence.go_on(slices(slice))));
        assert!(silence.go_on(slices(20)));
    }

    #[test]
    fn an_answer_in_between_or_a_refusal_that_does_not_count_ends_it() {
        for (said, counts) in [(Ok(()), true), (Err(()), false)] {
            let (mut silence, begin) = (Silence::default(), Instant::now());
            let slices = |count: u32| begin + SLICE * count;
            assert!((0..20).all(|slice| !silence.go_on(slices(slice))));
            assert!(!silence.hear(&said, |()| counts));
            assert!(!silence.go_on(slices(20)), "{said:?}");
        }
    }

    #[test]
    fn a_burst_and_one_more_are_no_silence_whenever_that_comes() {
        for later in [LONG * 9 / 10, LONG, LONG * 2, LONG * 3600] {
            let (mut silence, begin) = (Silence::default(), Instant::now());
            assert!((0..25).all(|_| !silence.go_on(begin)));
            assert!(!silence.go_on(begin + later), "{later:?}");
        }
    }

    #[test]
    fn one_now_and_then_is_no_silence_however_often_it_comes() {
        let (mut silence, begin) = (Silence::default(), Instant::now());
        assert!((0..1000).all(|time| !silence.go_on(begin + LONG * 2 * time)));
    }
}
