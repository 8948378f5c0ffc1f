//! Events of virtual time: what will happen, and when.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use syncpoint_core::hold::HeldStream;

use crate::draw::Draw;
use crate::driver::SimStream;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// The operation at the front of a lane ends.
    End(u64),
    /// The host hears that a stream has come to this value.
    Tell(Arc<HeldStream<SimStream>>, u64),
    /// The device's time for a piece of host work is over.
    Ran(Arc<HeldStream<SimStream>>, u64),
}

/// The events to come, by time. Of several at one time a draw decides, so that no order is taken for granted.
#[derive(Debug, Default)]
pub(crate) struct Events {
    heap: BinaryHeap<Reverse<Event>>,
    number: u64,
    /// Whether nothing happens any more.
    over: bool,
}

#[derive(Debug)]
struct Event {
    key: (u64, u64, u64),
    happening: Happening,
}

impl Events {
    /// Something will happen at a time, unless nothing happens any more.
    pub(crate) fn add(&mut self, nanos: u64, draw: &mut Draw, happening: Happening) {
        if self.over {
            return;
        }
        self.number += 1;
        let key = (nanos, draw.next(), self.number);
        self.heap.push(Reverse(Event { key, happening }));
    }

    /// From now on nothing happens.
    pub(crate) fn end(&mut self) {
        self.over = true;
    }

    /// Whether nothing happens any more.
    pub(crate) fn are_over(&self) -> bool {
        self.over
    }

    /// Whether nothing will happen.
    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The next to happen, with its time.
    pub(crate) fn next(&mut self) -> Option<(u64, Happening)> {
        let Reverse(event) = self.heap.pop()?;
        Some((event.key.0, event.happening))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}
