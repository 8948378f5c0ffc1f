//! The watch: a thread of a counter's own, which sleeps for it in the driver while somebody waits.

use std::thread;
use std::time::{Duration, Instant};

use syncpoint_base::Inside;

use super::Foreign;
use super::heard::silent;
use crate::errands::Errands;
use crate::error::{Error, Kind, Result};
use crate::exit;
use crate::ours::Ours;
use crate::timeline::Timeline;
use crate::wait::SLICE;

/// After so many rounds, of a slice each, in which sleeps and looks contradicted each other, and between which looks were
/// refused at most, nothing will be heard any more: a second, where none were.
const PATIENCE: u32 = 20;

/// The first pause behind a sleep that ended early or was refused, and the longest: looks as often as this take one or two
/// parts of a hundred of a core, as those of the poller of CUDA do.
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// One sleep and the look behind it.
struct Round {
    begin: Instant,
    /// What was slept for.
    next: u64,
    slept: Result<bool>,
    looked: Result<u64>,
}

/// Sleeps for the counter while somebody waits for it.
pub(super) fn serve(errands: &Errands<Timeline>) {
    errands.serve_each(|timeline, ours| watch(&timeline, ours));
}

fn watch(timeline: &Timeline, ours: Ours) {
    let Some(foreign) = timeline.foreign() else { return };
    let (mut contradictions, mut pause) = (0, FIRST_PAUSE);
    while foreign.stays(timeline) {
        let Some(round) = Round::of(foreign) else { return exit::rest() };
        let (begin, next) = (round.begin, round.next);
        let (contradiction, is_unheard) = (round.contradiction(timeline), round.looked.is_err());
        round.tell(foreign, timeline, ours);
        if foreign.seen.next() > next {
            (contradictions, pause) = (0, FIRST_PAUSE);
            continue;
        }
        // A driver that does not sleep keeps no core busy.
        let length = if is_unheard || contradiction.is_some() { SLICE } else { pause };
        pause = LONGEST_PAUSE.min(pause * 2);
        contradictions = match contradiction {
            Some(_) => contradictions + 1,
            // A lost device may refuse and contradict by turns.
            None if is_unheard => contradictions,
            None => 0,
        };
        match contradiction {
            Some(error) if contradictions >= PATIENCE => {
                foreign.lose(timeline, silent(timeline, error));
                ours.go_on();
            }
            _ => thread::park_timeout(length.saturating_sub(begin.elapsed())),
        }
    }
}

impl Round {
    /// `None`: the process exits.
    fn of(foreign: &Foreign) -> Option<Self> {
        let _inside = Inside::enter()?;
        let (begin, next) = (Instant::now(), foreign.seen.next());
        let slept = foreign.counter().sleep(next, SLICE);
        let looked = foreign.counter().look();
        Some(Self { begin, next, slept, looked })
    }

    /// What says that the driver knows no more of the counter, should it go on: the sleep was over because the counter had
    /// come, and the look finds that it had not. A lost device may say both.
    fn contradiction(&self, timeline: &Timeline) -> Option<Error> {
        let (Ok(true), Ok(value)) = (&self.slept, &self.looked) else { return None };
        if *value >= self.next {
            return None;
        }
        let message = format!(
            "the counter of {timeline} is said to have come to {}, and said to be at {value}",
            self.next
        );
        Some(Error::new(Kind::Driver, message))
    }

    /// In this order: what it had come to before a loss is complete.
    fn tell(self, foreign: &Foreign, timeline: &Timeline, ours: Ours) {
        foreign.hear(timeline, self.looked);
        ours.go_on();
        if let Err(error) = self.slept
            && error.kind() == Kind::DeviceLost
        {
            foreign.lose(timeline, error);
            ours.go_on();
        }
    }
}
