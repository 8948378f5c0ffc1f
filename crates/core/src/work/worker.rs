//! Workers: threads that take ready streams and give each its turn.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Serve;
use super::hand::Hand;
use super::pool::{Crew, Pool};
use super::seat::Seat;
use crate::blocking::{Blocking, set_blocking};
use crate::ours::Ours;
use crate::panic::discard;
use crate::sync::MutexGuard;

/// How long a nap is: a host that enqueues and synchronizes in a loop does without workers, and an enqueue that nobody
/// synchronizes waits for at most one nap. Longer ones were felt (1 ms), shorter ones cost more than they save.
const NAP: Duration = Duration::from_micros(200);

/// After so many naps without work, about 28 ms with the timer's slack, a worker sleeps for good.
const NAPS: u32 = if cfg!(syncpoint_loom) { 1 } else { 100 };

/// A worker beyond the base leaves after this long without work.
const SURPLUS_STAYS: Duration = Duration::from_secs(10);

/// How many streams in a row a worker takes from its own tray while others are listed.
const OWN_FIRST: u32 = 64;

/// How many streams in a row all workers take off the run queue before one looks at the trays: as often as the run queue
/// gives the longest-waiting.
const LISTED_FIRST: u32 = 60;

/// What a worker does all its life.
pub(super) fn work<S: Serve + ?Sized>(pool: &Arc<Pool<S>>, seat: &Arc<Seat<S>>) {
    let (ours, _kept) = (Ours::begin(), Hand::<S>::keep_on_tray(seat, pool));
    seat.take();
    set_blocking(Some(Arc::new(InWork(Arc::clone(pool)))));
    let mut own_in_row = 0;
    while let Some((stream, own)) = next(pool, seat, &mut own_in_row) {
        seat.tick();
        let served = S::serve(&stream, seat);
        ours.go_on();
        // It may be the last name of a stream, and of errors of the user's.
        discard(stream);
        if served && !own {
            pool.note_unhelped();
        }
    }
    set_blocking(None);
    pool.leave(seat);
}

/// The next stream, and whether this worker itself set it free: that comes first, unless others have waited long enough
/// or are urgent.
fn next<S: Serve + ?Sized>(
    pool: &Arc<Pool<S>>,
    seat: &Arc<Seat<S>>,
    own_in_row: &mut u32,
) -> Option<(Arc<S>, bool)> {
    let is_others_turn = *own_in_row >= OWN_FIRST && pool.has_waiting();
    if !is_others_turn
        && !pool.has_urgent()
        && let Some(stream) = seat.tray.take()
    {
        *own_in_row += 1;
        return Some((stream, true));
    }
    *own_in_row = 0;
    wait_for_work(pool, seat).map(|stream| (stream, false))
}

/// Takes a stream off the run queue, or off a tray; naps, then sleeps, while there is none. `None`: the worker is to
/// end.
pub(super) fn wait_for_work<S: Serve + ?Sized>(
    pool: &Arc<Pool<S>>,
    seat: &Arc<Seat<S>>,
) -> Option<Arc<S>> {
    let mut rest = Rest { naps: 0, helped: pool.helped() };
    let mut crew = pool.crew();
    loop {
        if crew.closing {
            return None;
        }
        if let Some(stream) = take(pool, &mut crew, seat) {
            pool.pass_on(crew);
            return Some(stream);
        }
        if crew.orphaned {
            return None;
        }
        crew = rest.once(pool, crew)?;
    }
}

/// What is listed comes first, because it lies longer. But now and then trays do: their owners may block, or have
/// something urgent to do for ever.
fn take<S: Serve + ?Sized>(pool: &Pool<S>, crew: &mut Crew<S>, seat: &Seat<S>) -> Option<Arc<S>> {
    crew.listed_in_row += 1;
    if crew.listed_in_row > LISTED_FIRST {
        crew.listed_in_row = 0;
        if let Some(stream) = take_from_trays(pool, crew, seat) {
            return Some(stream);
        }
    }
    take_listed(pool, crew).or_else(|| take_from_trays(pool, crew, seat))
}

fn take_listed<S: Serve + ?Sized>(pool: &Pool<S>, crew: &mut Crew<S>) -> Option<Arc<S>> {
    let stream = crew.ready.pick()?;
    pool.hint(crew);
    Some(stream)
}

/// Takes what lies on a tray to the own one, which may be the same, and the first of it. Counts as idle before it
/// looks: whoever puts something on a tray behind it calls.
fn take_from_trays<S: Serve + ?Sized>(
    pool: &Pool<S>,
    crew: &mut Crew<S>,
    seat: &Seat<S>,
) -> Option<Arc<S>> {
    crew.idle += 1;
    pool.note_crew(crew);
    let mut taken = crew.take_off_a_tray();
    let first = taken.pop_front();
    for stream in taken {
        seat.tray.put(stream);
    }
    crew.idle -= 1;
    if first.is_some() {
        pool.note_crew(crew);
    }
    first
}

/// How long a worker has been without work.
struct Rest {
    naps: u32,
    /// What helpers had done when it last looked.
    helped: u64,
}

impl Rest {
    /// Naps or sleeps once. `None`: the worker is beyond the base, and nobody has needed it for long.
    fn once<'a, S: Serve + ?Sized>(
        &mut self,
        pool: &'a Pool<S>,
        mut crew: MutexGuard<'a, Crew<S>>,
    ) -> Option<MutexGuard<'a, Crew<S>>> {
        let surplus = crew.workers.saturating_sub(crew.blocked) > pool.base();
        // Only while a submission counts on it: the timer of a nap costs more than the wake that ends a sleep.
        let napping = self.naps < NAPS && pool.is_lazy();
        let longest = if napping { Some(NAP) } else { surplus.then_some(SURPLUS_STAYS) };
        crew.idle += 1;
        crew.napping += usize::from(napping);
        crew = pool.sleep(crew, longest);
        crew.idle -= 1;
        crew.napping -= usize::from(napping);
        pool.note_crew(&crew);
        if !napping && surplus && !crew.waking && crew.ready.len() == 0 {
            return None;
        }
        crew.waking = false;
        self.note(pool.helped());
        Some(crew)
    }

    /// Work that a helper did is activity too: without a nap the next enqueue would have to wake somebody.
    fn note(&mut self, helped: u64) {
        self.naps = if helped == self.helped { self.naps + 1 } else { 0 };
        self.helped = helped;
    }
}

/// What core tells of a worker that waits inside work.
struct InWork<S: Serve + ?Sized>(Arc<Pool<S>>);

impl<S: Serve + ?Sized> Blocking for InWork<S> {
    fn begin(&self) {
        let mut crew = self.0.crew();
        crew.blocked += 1;
        self.0.note_crew(&crew);
        self.0.pass_on(crew);
    }

    fn end(&self) {
        let mut crew = self.0.crew();
        crew.blocked -= 1;
        self.0.note_crew(&crew);
    }
}

impl<S: Serve + ?Sized> fmt::Debug for InWork<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InWork")
    }
}
