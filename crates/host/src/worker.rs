//! Workers: threads that take ready streams and give each its turn.

use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::{Blocking, set_blocking};

use crate::local::Local;
use crate::order::Order;
use crate::scheduler::{Scheduler, Seat};
use crate::stream::HostStream;
use crate::sync::MutexGuard;
use crate::turn::{self, Limit};

/// How long a nap is: a host that enqueues and synchronizes in a loop does without workers, and an enqueue that nobody
/// synchronizes waits for at most one nap. Longer ones were felt (1 ms), shorter ones cost more than they save.
const NAP: Duration = Duration::from_micros(200);

/// After so many naps without work, about 28 ms with the timer's slack, a worker sleeps for good.
const NAPS: u32 = if cfg!(syncpoint_loom) { 1 } else { 100 };

/// A worker beyond the base leaves after this long without work.
const SURPLUS_STAYS: Duration = Duration::from_secs(10);

/// How many streams in a row a worker takes from its own hand while others are ready.
const HAND_FIRST: u32 = 64;

/// What a worker does all its life.
pub(crate) fn work(scheduler: &Arc<Scheduler>, seat: &Arc<Seat>) {
    let _local = Local::enter();
    set_blocking(Some(Arc::new(InWork(Arc::clone(scheduler)))));
    let mut from_hand = 0;
    while let Some((stream, own)) = next(scheduler, &mut from_hand) {
        seat.tick();
        if let Some(order) = claim(&stream) {
            if !own {
                scheduler.note_unhelped();
            }
            turn::run(&stream, order, Limit::Fair(seat));
        }
    }
    set_blocking(None);
    scheduler.leave(seat);
}

/// The next stream: one that this worker itself set free, unless others have waited long enough.
fn next(scheduler: &Arc<Scheduler>, from_hand: &mut u32) -> Option<(Arc<HostStream>, bool)> {
    if *from_hand >= HAND_FIRST && scheduler.has_waiting() {
        Local::publish();
    }
    *from_hand += 1;
    if let Some(stream) = Local::take() {
        return Some((stream, true));
    }
    *from_hand = 0;
    wait_for_work(scheduler).map(|stream| (stream, false))
}

/// Takes a listed stream, whose entry the caller holds, unless a helper was quicker.
fn claim(stream: &HostStream) -> Option<MutexGuard<'_, Order>> {
    let mut order = stream.order();
    order.listed = false;
    turn::claim(order)
}

/// Takes a stream off the run queue; naps, then sleeps, while there is none. `None`: the worker is to end.
pub(crate) fn wait_for_work(scheduler: &Arc<Scheduler>) -> Option<Arc<HostStream>> {
    let (mut naps, mut helped) = (0, scheduler.helped());
    let mut crew = scheduler.crew();
    loop {
        if crew.closing {
            return None;
        }
        if let Some(stream) = crew.ready.pick() {
            scheduler.hint(&crew);
            scheduler.pass_on(crew);
            return Some(stream);
        }
        let surplus = crew.workers - crew.blocked.min(crew.workers) > scheduler.base();
        let napping = naps < NAPS;
        let longest = if napping { Some(NAP) } else { surplus.then_some(SURPLUS_STAYS) };
        crew.idle += 1;
        crew.napping += usize::from(napping);
        crew = scheduler.sleep(crew, longest);
        crew.idle -= 1;
        crew.napping -= usize::from(napping);
        if !napping && surplus && !crew.waking && crew.ready.len() == 0 {
            return None;
        }
        crew.waking = false;
        naps += 1;
        if scheduler.helped() != helped {
            // Work that a helper did is activity too: without a nap the next enqueue would have to wake somebody.
            helped = scheduler.helped();
            naps = 0;
        }
    }
}

/// What core tells of a worker that waits inside work.
#[derive(Debug)]
struct InWork(Arc<Scheduler>);

impl Blocking for InWork {
    fn begin(&self) {
        Local::publish();
        let mut crew = self.0.crew();
        crew.blocked += 1;
        self.0.pass_on(crew);
    }

    fn end(&self) {
        self.0.crew().blocked -= 1;
    }
}
