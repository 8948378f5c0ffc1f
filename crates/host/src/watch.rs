//! The watch: brings workers where work blocks in a way that nobody can see.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crate::scheduler::{Crew, Scheduler};
use crate::sync::{self, AtomicBool, Condvar, Mutex, Ordering, lock};

/// How often an armed watch looks. A worker that shows no movement in two looks is stuck, so a neighbour of blocking
/// work is served after 4 ms or so; the goal is 10 (docs/costs.md).
const LOOK: Duration = Duration::from_millis(2);

/// One thread, made when streams are ready and nobody is free. It sleeps while that is not so.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Whether the thread looks: what a busy enqueue reads.
    armed: AtomicBool,
    /// Guards whether the thread was made, and its sleep.
    started: Mutex<bool>,
    arming: Condvar,
}

impl Watch {
    /// Streams are ready and nobody is free.
    pub(crate) fn arm(&self, scheduler: &Arc<Scheduler>) {
        // The first look leaves the line to its readers: a busy scheduler comes here with every stream it takes.
        // Acquire and release: pair among callers, so that one of them wakes the thread.
        if self.armed.load(Ordering::Acquire) || self.armed.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut started = lock(&self.started);
        if *started {
            self.arming.notify_one();
            return;
        }
        let scheduler = Arc::downgrade(scheduler);
        let builder = thread::Builder::new().name("syncpoint-watch".to_owned());
        // Without the thread blocking work delays its neighbours, and nothing else is lost.
        *started = builder.spawn(move || run(&scheduler)).is_ok();
    }

    /// Sleeps until it is armed.
    fn wait_until_armed(&self) {
        let mut started = lock(&self.started);
        // Acquire: pairs with the swap in `arm`.
        while !self.armed.load(Ordering::Acquire) {
            started = sync::wait(&self.arming, started);
        }
    }

    /// Sleeps for one look.
    fn pause(&self) {
        drop(sync::wait_at_most(&self.arming, lock(&self.started), LOOK));
    }

    fn disarm(&self) {
        self.armed.store(false, Ordering::Release);
    }
}

/// Looks while it is armed, until the device is gone.
fn run(scheduler: &Weak<Scheduler>) {
    let mut seen = HashMap::new();
    while let Some(scheduler) = scheduler.upgrade() {
        let watch = scheduler.watch();
        watch.wait_until_armed();
        watch.pause();
        if look(&scheduler, &mut seen) {
            watch.disarm();
            // What became ready between the look and the disarming found the watch armed.
            if is_needed(&scheduler.crew()) {
                watch.arm(&scheduler);
            }
        }
    }
}

/// The ticks of each seat at the last look, by the seat's address.
type Seen = HashMap<usize, u64>;

/// Brings workers in place of stuck ones. Says whether there is nothing to watch any more.
fn look(scheduler: &Arc<Scheduler>, seen: &mut Seen) -> bool {
    let crew = scheduler.crew();
    let stuck = count_stuck(&crew, seen);
    if !is_needed(&crew) {
        seen.clear();
        return true;
    }
    let moving = crew.workers.saturating_sub(stuck.max(crew.blocked));
    let missing = scheduler.base().saturating_sub(moving).min(crew.ready.len());
    drop(crew);
    for _ in 0..missing {
        scheduler.bring(scheduler.crew());
    }
    false
}

fn is_needed(crew: &Crew) -> bool {
    crew.ready.len() > 0 && crew.idle == 0 && !crew.closing
}

/// Counts the workers that have not moved since the last look.
fn count_stuck(crew: &Crew, seen: &mut Seen) -> usize {
    let now: Seen =
        crew.seats.iter().map(|seat| (Arc::as_ptr(seat).addr(), seat.ticks())).collect();
    let stuck = now.iter().filter(|(seat, ticks)| seen.get(seat) == Some(ticks)).count();
    *seen = now;
    stuck
}

#[cfg(all(test, syncpoint_loom))]
impl Watch {
    /// A watch that is armed already and makes no thread.
    pub(crate) fn armed() -> Self {
        Self { armed: AtomicBool::new(true), ..Self::default() }
    }
}
