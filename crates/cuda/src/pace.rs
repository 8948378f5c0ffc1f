//! The pace of the poller: how long it pauses between two looks.
//!
//! Not at all for 50 µs, then for 20 µs, and twice as long each time, up to 800 µs: so a wait of which nothing is known is
//! late by a millisecond at most. Of a core it is the pauses that cost, a timer and two switches of threads each, and
//! not the looks. So what took long each of the last times is not expected sooner now: until then the pauses grow to
//! a fortieth of that, and around that time they are shorter than they would be else. What comes early all the same
//! is late by a fortieth of what it used to take, 2.5 ms at most.

use std::time::{Duration, Instant};

use syncpoint_core::errands::Sleep;

use crate::sys::{FIRST_PAUSE, LONGEST_PAUSE, SPIN};

/// How long what was waited for took, the last times.
#[derive(Debug, Default)]
pub(crate) struct Rhythm {
    spans: [Duration; 4],
    /// The place of the oldest.
    oldest: usize,
}

impl Rhythm {
    /// What a pace was for has come.
    pub(crate) fn note(&mut self, pace: &Pace) {
        self.keep(pace.begun.elapsed());
    }

    fn keep(&mut self, span: Duration) {
        // What came before the first pause says nothing of when the rest will: the marks of a stream that has just begun.
        if span < SPIN {
            return;
        }
        self.spans[self.oldest] = span;
        self.oldest = (self.oldest + 1) % self.spans.len();
    }

    /// The pace for what begins now.
    pub(crate) fn begin(&self) -> Pace {
        let shortest = self.spans.iter().min().copied().unwrap_or_default();
        Pace { expected: shortest, ..Pace::new() }
    }
}

/// The pauses for what is waited for.
#[derive(Debug)]
pub(crate) struct Pace {
    begun: Instant,
    pause: Duration,
    /// How long it takes at least, if it takes as long as the last times.
    expected: Duration,
}

/// The longest pause while nothing is expected yet: as a part of what is expected, and at most. A fortieth makes as many
/// looks at 100 ms of work as cost one part of a hundred of a core.
const EARLY: u32 = 40;
const LONGEST_EARLY: Duration = Duration::from_micros(2500);

/// By such a part sooner than expected it is taken to come, or later.
const AROUND: u32 = 16;

/// The longest pause around that time; of what takes less than some milliseconds all of it is one pause or two.
const PAUSE_AROUND: Duration = Duration::from_micros(500);

impl Pace {
    /// One for what may come at any time.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), pause: FIRST_PAUSE, expected: Duration::ZERO }
    }

    /// The next pause.
    pub(crate) fn sleep(&mut self) -> Sleep {
        self.sleep_at(self.begun.elapsed())
    }

    fn sleep_at(&mut self, age: Duration) -> Sleep {
        if age < SPIN {
            return Sleep::None;
        }
        let longest = self.longest_at(age);
        let pause = self.pause.min(longest);
        self.pause = (pause * 2).min(longest);
        Sleep::For(pause)
    }

    /// The longest pause, this long after the beginning.
    fn longest_at(&self, age: Duration) -> Duration {
        let around = self.expected / AROUND;
        let soonest = self.expected.saturating_sub(around);
        let latest = self.expected + around;
        if age < soonest {
            let early = (self.expected / EARLY).clamp(LONGEST_PAUSE, LONGEST_EARLY);
            early.min(soonest.saturating_sub(age).max(FIRST_PAUSE))
        } else if age < latest {
            (2 * around).clamp(FIRST_PAUSE, PAUSE_AROUND)
        } else {
            LONGEST_PAUSE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When it is looked, for so long.
    fn looks(mut pace: Pace, until: Duration) -> Vec<Duration> {
        let (mut age, mut looks) = (SPIN, Vec::new());
        while age < until {
            match pace.sleep_at(age) {
                Sleep::For(pause) => age += pause,
                Sleep::None | Sleep::UntilGiven => unreachable!("it has asked for long enough"),
            }
            looks.push(age);
        }
        looks
    }

    /// The pace of what took so long, time and again.
    fn used_to(span: Duration) -> Pace {
        let mut rhythm = Rhythm::default();
        for _ in 0..4 {
            rhythm.keep(span);
        }
        rhythm.begin()
    }

    fn latest(looks: &[Duration], comes: Duration) -> Duration {
        let heard = looks.iter().find_map(|look| look.checked_sub(comes));
        heard.unwrap_or(Duration::MAX)
    }

    #[test]
    fn nothing_is_paused_at_first() {
        let mut pace = Pace::new();
        assert_eq!(pace.sleep_at(SPIN / 2), Sleep::None);
        assert_ne!(pace.sleep_at(SPIN), Sleep::None);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut pace = Pace::new();
        let pauses = [(); 8].map(|()| pace.sleep_at(Duration::from_millis(1)));
        let micros = [20, 40, 80, 160, 320, 640, 800, 800];
        assert_eq!(pauses, micros.map(|micros| Sleep::For(Duration::from_micros(micros))));
    }

    #[test]
    fn what_takes_as_long_as_ever_is_looked_at_seldom_and_heard_of_soon() {
        let span = Duration::from_millis(100);
        let (seldom, often) = (looks(used_to(span), 2 * span), looks(Pace::new(), 2 * span));
        let until = |looks: &[Duration]| looks.iter().filter(|look| **look < span).count();
        assert!(until(&seldom) < 60 && until(&often) > 120, "{} {}", until(&seldom), until(&often));
        for percent in 94..106 {
            assert!(latest(&seldom, span * percent / 100) <= PAUSE_AROUND, "{percent}");
        }
    }

    #[test]
    fn what_is_as_short_as_ever_is_heard_of_sooner_for_a_look_or_two_more() {
        let span = Duration::from_millis(1);
        let (known, unknown) = (looks(used_to(span), span), looks(Pace::new(), span));
        assert!(known.len() <= unknown.len() + 2, "{known:?} {unknown:?}");
        for percent in 94..106 {
            let late = latest(&looks(used_to(span), 2 * span), span * percent / 100);
            assert!(late <= span / 8, "{percent}: {late:?}");
        }
    }

    #[test]
    fn what_comes_early_is_late_by_a_fortieth_of_what_it_used_to_take() {
        for millis in [1, 10, 33, 100, 1000, 10_000] {
            let span = Duration::from_millis(millis);
            let looks = looks(used_to(span), 2 * span);
            let longest = (span / EARLY).clamp(LONGEST_PAUSE, LONGEST_EARLY);
            for percent in 1..200 {
                let late = latest(&looks, span * percent / 100);
                assert!(late <= longest, "{percent} in 100 of {span:?}: {late:?}");
            }
        }
    }

    #[test]
    fn once_it_was_short_it_may_come_at_any_time() {
        let mut rhythm = Rhythm::default();
        for millis in [100, 100, 1, 100, 100] {
            rhythm.keep(Duration::ZERO);
            rhythm.keep(Duration::from_millis(millis));
        }
        assert_eq!(rhythm.begin().longest_at(Duration::from_millis(50)), LONGEST_PAUSE);
        rhythm.keep(Duration::from_millis(100));
        rhythm.keep(Duration::from_millis(100));
        assert!(rhythm.begin().longest_at(Duration::from_millis(50)) > LONGEST_PAUSE);
    }
}
