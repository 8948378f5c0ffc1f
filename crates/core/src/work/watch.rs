//! The watch: brings workers where work blocks in a way that nobody can see.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::Serve;
use super::pool::{Crew, Pool};
use crate::sync::{self, AtomicBool, Condvar, Mutex, Ordering, lock};

/// How often an armed watch looks. A worker that shows no movement in two looks is stuck, so a neighbour of blocking
/// work is served after 4 ms or so; the goal is 10 (docs/costs.md).
const LOOK: Duration = Duration::from_millis(2);

/// A watch that nobody armed for this long ends.
const STAYS: Duration = Duration::from_secs(10);

/// One thread, made when streams are ready and nobody is free. It sleeps while that is not so, and ends when that
/// lasts.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Whether the thread looks: what a busy enqueue reads.
    armed: AtomicBool,
    /// Guards whether the thread was made, and its sleep.
    started: Mutex<bool>,
    arming: Condvar,
}

impl Watch {
    /// Streams are ready and nobody is free.
    pub(super) fn arm<S: Serve + ?Sized>(&self, pool: &Arc<Pool<S>>) {
        // The first look leaves the line to its readers: a busy pool comes here with every stream it takes.
        // Acquire and release: pair among callers, so that one of them wakes the thread.
        if self.armed.load(Ordering::Acquire) || self.armed.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut started = lock(&self.started);
        if *started {
            self.arming.notify_one();
            return;
        }
        let pool = Arc::downgrade(pool);
        let builder = thread::Builder::new().name("syncpoint-watch".to_owned());
        // Without the thread blocking work delays its neighbours, and nothing else is lost.
        *started = builder.spawn(move || run(&pool)).is_ok();
    }

    /// Sleeps until it is armed. `false`: it was not for long, and the thread is to end; whoever arms it next makes
    /// another.
    fn is_armed_in_time(&self) -> bool {
        let until = Instant::now() + STAYS;
        let mut started = lock(&self.started);
        // Acquire: pairs with the swap in `arm`. The lock orders the end of this thread and the making of the next.
        while !self.armed.load(Ordering::Acquire) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                *started = false;
                return false;
            }
            started = sync::wait_at_most(&self.arming, started, left);
        }
        true
    }

    /// Sleeps for one look.
    fn pause(&self) {
        drop(sync::wait_at_most(&self.arming, lock(&self.started), LOOK));
    }

    fn disarm(&self) {
        self.armed.store(false, Ordering::Release);
    }
}

/// Looks while it is armed, until the pool is gone.
fn run<S: Serve + ?Sized>(pool: &Weak<Pool<S>>) {
    let mut seen = HashMap::new();
    while let Some(pool) = pool.upgrade() {
        let watch = pool.watch();
        if !watch.is_armed_in_time() {
            return;
        }
        watch.pause();
        if look(&pool, &mut seen) {
            watch.disarm();
            // What became ready between the look and the disarming found the watch armed.
            if is_needed(&pool.crew()) {
                watch.arm(&pool);
            }
        }
    }
}

/// The ticks of each seat at the last look, by the seat's address.
type Seen = HashMap<usize, u64>;

/// Brings workers in place of stuck ones. Says whether there is nothing to watch any more.
fn look<S: Serve + ?Sized>(pool: &Arc<Pool<S>>, seen: &mut Seen) -> bool {
    let crew = pool.crew();
    let stuck = count_stuck(&crew, seen);
    if !is_needed(&crew) {
        seen.clear();
        return true;
    }
    let moving = crew.workers.saturating_sub(stuck.max(crew.blocked));
    let missing = pool.base().saturating_sub(moving).min(crew.ready.len());
    drop(crew);
    for _ in 0..missing {
        pool.bring(pool.crew());
    }
    false
}

fn is_needed<S: Serve + ?Sized>(crew: &Crew<S>) -> bool {
    crew.ready.len() > 0 && crew.idle == 0 && !crew.closing
}

/// Counts the workers that have not moved since the last look.
fn count_stuck<S: Serve + ?Sized>(crew: &Crew<S>, seen: &mut Seen) -> usize {
    let now: Seen =
        crew.seats.iter().map(|seat| (Arc::as_ptr(seat).addr(), seat.ticks())).collect();
    let stuck = now.iter().filter(|(seat, ticks)| seen.get(seat) == Some(ticks)).count();
    *seen = now;
    stuck
}

#[cfg(syncpoint_loom)]
impl Watch {
    /// A watch that is armed already and makes no thread.
    pub(super) fn armed() -> Self {
        Self { armed: AtomicBool::new(true), ..Self::default() }
    }
}
