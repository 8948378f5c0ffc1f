//! The watch: brings workers where work blocks in a way that nobody can see.
//!
//! At each look it counts the workers that move: those that have begun something since the last look, and those that
//! compute, which Linux tells by the state of their threads; another thread would only take their cores away. Where
//! fewer move than the base it brings what is missing, and eight times as many at each look that finds this no better:
//! what was brought blocks too.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use syncpoint_base::spawn;

use super::Serve;
use super::pool::{Crew, Pool};
use super::seat::Seat;
use crate::sync::{self, AtomicBool, Condvar, Mutex, Ordering, lock};

/// How often an armed watch looks. A worker that shows no movement in two looks is stuck, and four looks bring hundreds:
/// with the making of the threads, neighbours of blocking work are then served soon enough, but for those of crowds
/// (docs/costs.md has the times and the goal).
const LOOK: Duration = Duration::from_millis(1);

/// Each further look in a row that finds workers missing brings so many times more.
const GROWTH: usize = 8;

/// So many of the stuck workers, the newest, the system is asked about; or one for each of the base, if that is more.
/// Who was brought last shows best whether bringing helps, and asking about one costs some microseconds.
const ASKED: usize = 16;

/// A worker with no more ticks than this is in the first thing that it was given: it ticks for its first stream, and for
/// the first function.
const BEGUN: u64 = 2;

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
        // Without the thread blocking work delays its neighbours, and nothing else is lost.
        *started = spawn("syncpoint-watch", move || run(&pool)).is_ok();
        if !*started {
            // Whoever comes next tries again.
            self.disarm();
        }
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
    let mut seen = Seen::default();
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

/// What the watch knows from its last look.
#[derive(Default)]
struct Seen {
    /// The ticks of each seat, by the seat's address.
    ticks: HashMap<usize, u64>,
    /// How many looks in a row have found workers missing.
    missed: u32,
}

/// Brings workers in place of stuck ones. Says whether there is nothing to watch any more.
fn look<S: Serve + ?Sized>(pool: &Arc<Pool<S>>, seen: &mut Seen) -> bool {
    let crew = pool.crew();
    if !is_needed(&crew) {
        *seen = Seen::default();
        return true;
    }
    let stuck = seen.stuck(&crew);
    let (workers, blocked, waiting) = (crew.workers, crew.blocked, crew.waiting());
    drop(crew);
    let asked = stuck.iter().rev().take(ASKED.max(pool.base()));
    let computing = asked.filter(|seat| seat.computes()).count();
    let moving = workers.saturating_sub(blocked.max(stuck.len() - computing));
    let brought = seen.brought_for(pool.base().saturating_sub(moving));
    for _ in 0..brought.min(waiting) {
        pool.bring(pool.crew());
    }
    false
}

fn is_needed<S: Serve + ?Sized>(crew: &Crew<S>) -> bool {
    crew.waiting() > 0 && crew.idle == 0 && !crew.closing
}

impl Seen {
    /// The seats of the workers that have not moved since the last look, the newest last.
    fn stuck<S: Serve + ?Sized>(&mut self, crew: &Crew<S>) -> Vec<Arc<Seat<S>>> {
        let key = |seat: &Arc<Seat<S>>| Arc::as_ptr(seat).addr();
        let now: HashMap<_, _> = crew.seats.iter().map(|seat| (key(seat), seat.ticks())).collect();
        let is_first_look = self.ticks.is_empty();
        let is_stuck = |seat: &&Arc<Seat<S>>| match (self.ticks.get(&key(seat)), seat.ticks()) {
            // It is on its way to its first stream.
            (_, 0) => false,
            (Some(before), ticks) => *before == ticks,
            (None, ticks) => !is_first_look && ticks <= BEGUN,
        };
        let stuck = crew.seats.iter().filter(is_stuck).cloned().collect();
        self.ticks = now;
        stuck
    }

    /// How many workers to bring where so many are missing.
    fn brought_for(&mut self, missing: usize) -> usize {
        if missing == 0 {
            self.missed = 0;
            return 0;
        }
        let brought = missing.saturating_mul(GROWTH.saturating_pow(self.missed));
        self.missed += 1;
        brought
    }
}

#[cfg(syncpoint_loom)]
impl Watch {
    /// A watch that is armed already and makes no thread.
    pub(super) fn armed() -> Self {
        Self { armed: AtomicBool::new(true), ..Self::default() }
    }

    /// A watch that a thread of the model stands in for: it is there, and sleeps.
    pub(super) fn asleep() -> Self {
        Self { started: Mutex::new(true), ..Self::default() }
    }

    /// Sleeps until it is armed.
    #[cfg(test)]
    pub(super) fn wait_until_armed(&self) {
        let mut started = lock(&self.started);
        // Acquire: as in `is_armed_in_time`.
        while !self.armed.load(Ordering::Acquire) {
            started = sync::wait(&self.arming, started);
        }
    }
}
