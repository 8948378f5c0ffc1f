//! The line for room on a queue of others: who came first comes first, also where there is room for who came later.
//!
//! That is for as long as command buffers end there. Where none does, nobody is quicker for what it leaves, and who comes
//! later may be the one that moves the rest: by opening the gate that a latch stands for. So it passes until one ends while
//! somebody stands there, and again once the last has ended longer ago than a lull. A lull is doubled each time, so that work
//! of whatever length keeps nobody in line for good.

#[cfg(all(test, syncpoint_loom))]
mod model;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::SLICE;

use super::{Out, Quiet};
use crate::sync::{ThreadId, current, lock};

/// Who sleeps, or has slept, for room to begin, in the order in which they came.
#[derive(Debug)]
pub(super) struct Standings {
    standing: VecDeque<Standing>,
    /// How many have ever stood there.
    numbers: u64,
    /// When a command buffer ended last while somebody stood there, unless everything has come to a stand since.
    last_end: Option<Instant>,
    /// For how long none ends where everything has come to a stand, for who takes a place.
    pub(super) lull: Duration,
}

/// As often as a sleeper looks again.
impl Default for Standings {
    fn default() -> Self {
        Self { standing: VecDeque::new(), numbers: 0, last_end: None, lull: SLICE }
    }
}

#[derive(Debug)]
struct Standing {
    number: u64,
    /// The thread that asks again behind its sleep.
    thread: ThreadId,
    /// After which everything has come to a stand.
    lull: Duration,
}

impl Standings {
    /// Whether this thread may begin where it has room: nobody stands before it, or nothing ends.
    pub(super) fn may_pass(&mut self) -> bool {
        let Some(first) = self.standing.front_mut() else { return true };
        if first.thread == current().id() {
            return true;
        }
        if self.last_end.is_some_and(|end| end.elapsed() >= first.lull) {
            self.last_end = None;
            first.lull = first.lull.saturating_mul(2);
        }
        self.last_end.is_none()
    }

    /// A command buffer has ended: who stands first is to have what that leaves.
    pub(super) fn note_end(&mut self) {
        self.last_end = (!self.standing.is_empty()).then(Instant::now);
    }

    #[cfg(all(test, not(syncpoint_loom)))]
    pub(super) fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }
}

/// A place in the line, until it is dropped.
pub(super) struct Place {
    out: Arc<Out>,
    number: u64,
    /// Since when none ends, for who stands here, through all of its sleeps.
    pub(super) quiet: Option<Quiet>,
}

impl Place {
    /// The last place, for this thread.
    pub(super) fn take(out: &Arc<Out>) -> Self {
        let mut state = lock(&out.state);
        let line = &mut state.line;
        if line.standing.is_empty() {
            line.last_end = None;
        }
        line.numbers += 1;
        let number = line.numbers;
        let (thread, lull) = (current().id(), line.lull);
        line.standing.push_back(Standing { number, thread, lull });
        drop(state);
        Self { out: Arc::clone(out), number, quiet: None }
    }
}

/// Who comes next may go on.
impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.out.state);
        state.line.standing.retain(|standing| standing.number != self.number);
        self.out.ring(&state);
    }
}
