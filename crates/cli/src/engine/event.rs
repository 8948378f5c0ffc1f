//! What the parts of a run tell the thread that leads it, and what that thread tells whoever watches.

use std::{collections::BTreeSet, time::Duration};

use crate::report::Output;

/// Something that happened in a run. Events of one step come in this order.
#[derive(Debug)]
pub(super) enum Event {
    /// The step has begun.
    Began(usize),
    /// The step's command is over: what it said, and how it failed if it did.
    #[cfg_attr(not(unix), expect(dead_code, reason = "no command runs there"))]
    Said(usize, Output, Option<String>),
    /// The step has ended, failed, or will never run.
    Ended(usize),
    /// Somebody wants the run to end.
    Stop,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many steps there are.
    pub total: usize,
    /// How many have ended, failed, or will not run.
    pub ended: usize,
    /// Those that run at this moment: their places among the steps.
    pub running: BTreeSet<usize>,
    /// How long the run has taken so far, by the host's clock.
    pub elapsed: Duration,
}
