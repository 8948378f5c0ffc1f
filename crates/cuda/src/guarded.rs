//! Guards: what a thread of ours looks at when its time comes.
//!
//! The keeper at the deadlines of latches; the poller, beside what somebody waits for, at lanes that nobody waits in any more, and
//! exported events that nobody here has any more.

use std::fmt;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{Ours, contain};
use syncpoint_core::errands::Sleep;

/// Something to be looked at.
pub(crate) trait Guard: fmt::Debug + Send {
    /// When.
    fn at(&self) -> Instant;

    /// Whether it is to be looked at still.
    fn is_pending(&self) -> bool;

    /// The time has come. Says whether it has to be looked at again.
    fn pass(&mut self) -> bool;
}

/// When to look at what nobody waits for: at once, and then after pauses that double.
#[derive(Debug)]
pub(crate) struct Looks {
    at: Instant,
    pause: Duration,
    longest: Duration,
}

impl Looks {
    pub(crate) fn begin(shortest: Duration, longest: Duration) -> Self {
        Self { at: Instant::now(), pause: shortest, longest }
    }

    /// When to look next.
    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    /// One look has found nothing.
    pub(crate) fn pause(&mut self) {
        self.at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(self.longest);
    }
}

/// All of that.
#[derive(Default)]
pub(crate) struct Guarded(Vec<Box<dyn Guard>>);

/// So many that are over already are kept at least before they are looked through.
const SHORT: usize = 64;

impl Guarded {
    pub(crate) fn add(&mut self, guard: Box<dyn Guard>) {
        if self.0.len() >= SHORT && self.0.len().is_power_of_two() {
            self.0.retain(|guard| guard.is_pending());
        }
        self.0.push(guard);
    }

    /// Until the next is to be looked at, where there is one.
    pub(crate) fn sleep(&mut self) -> Sleep {
        self.0.retain(|guard| guard.is_pending());
        Sleep::until(self.0.iter().map(|guard| guard.at()).min())
    }

    /// Looks at those whose time has come.
    pub(crate) fn pass(&mut self, ours: Ours) {
        let now = Instant::now();
        self.0.retain_mut(|guard| {
            let stays = guard.at() > now || contain(|| guard.pass()).unwrap_or(false);
            ours.go_on();
            stays
        });
    }
}
