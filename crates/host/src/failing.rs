//! What fails with a host stream: all of it has failed before anybody is told, and ours are told before the user's.
//!
//! A waker of the user's may wait for whatever fails with what it was woken for: for a gate that was to open behind it, or for
//! a stream that waits for it. Told one by one, it would sleep for what only its own thread ends.

use std::collections::VecDeque;
use std::iter::once;
use std::mem::{ManuallyDrop, take};

use syncpoint_core::contract::{Hand, Untold, Waits, discard, tell_all};
use syncpoint_core::{Error, Timeline, Woken};

use crate::order::Entry;
use crate::stream::HostStream;

/// A failure that has begun.
#[derive(Debug)]
#[must_use = "whoever waits sleeps until the failure is told"]
pub(crate) struct Failing {
    timeline: Timeline,
    /// Who waits for the values, and for the gates that were to open at them.
    woken: Vec<Woken>,
    /// What is over with it.
    waits: Waits,
    abandoned: VecDeque<Entry>,
}

impl Failing {
    /// A stream has failed; now the gates do that it was to open. Under no lock.
    pub(crate) fn new(
        stream: &HostStream,
        of_stream: Woken,
        (mut abandoned, waits): (VecDeque<Entry>, Waits),
        cause: &Error,
    ) -> Self {
        let gates = abandoned.iter_mut().filter_map(|entry| entry.step.begin_failure(cause));
        let woken = once(of_stream).chain(gates).collect();
        Self { timeline: stream.timeline.clone(), woken, waits, abandoned }
    }

    /// Tells whoever waits. Under no lock.
    pub(crate) fn tell(self) {
        let alone: Box<dyn Untold> = Box::new(self);
        tell_all([alone]);
    }
}

impl Untold for Failing {
    /// The streams among ours are published: a waker of the user's may wait for one.
    fn tell_ours(&mut self) {
        self.woken.iter_mut().for_each(Woken::wake_ours);
        Hand::<HostStream>::publish();
    }

    /// A capture's drop is the user's: what was set free before it is published, or would wait as long.
    fn tell_users(mut self: Box<Self>) {
        Woken::wake_each(take(&mut self.woken));
        while !self.timeline.is_inherited() {
            Hand::<HostStream>::publish();
            if let Some(edge) = self.waits.pop() {
                discard(edge);
            } else if let Some(entry) = self.abandoned.pop_front() {
                discard(entry);
            } else {
                return;
            }
        }
        // A waker, an observer or a drop forked, and this is the child: the rest is the parent's.
        let _left_alone = ManuallyDrop::new(self);
    }
}
