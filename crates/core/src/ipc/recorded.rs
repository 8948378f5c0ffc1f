//! As what the exporter's driver recorded its event last, and that it stays so while an importer gives its driver a wait.
//!
//! A driver's event knows nothing of generations: who waits for it waits for what it was recorded as last. So it is
//! recorded by the exporter, or waited for by any number of importers, and never both at once; a number of the page says
//! which. Nobody waits for the other side: what cannot be had at this moment is left to the host.
//!
//! ```text
//! exporter records as g                       importer waits for g
//! the first of a run: run = g                 turn: being recorded? else one more gives a wait
//! turn: waits are given? then it is left out  event = g, and all before the run is settled?
//!   else: being recorded                        then its driver is given the wait
//! event = 0; its driver records; event = g    turn: one less
//! turn: free
//! ```
//!
//! An importer that is killed between its two steps leaves its count, and the event is never recorded again: everybody
//! waits through the host.

use crate::sync::process::{AtomicU64, Ordering};

/// A number of the page; of a model, one of loom's.
pub(super) trait Number {
    fn load(&self, ordering: Ordering) -> u64;
    fn store(&self, value: u64, ordering: Ordering);
    fn change(&self, ordering: Ordering, change: impl FnMut(u64) -> Option<u64>) -> bool;
}

macro_rules! number {
    ($kind:ty) => {
        impl Number for $kind {
            fn load(&self, ordering: Ordering) -> u64 {
                self.load(ordering)
            }

            fn store(&self, value: u64, ordering: Ordering) {
                self.store(value, ordering);
            }

            fn change(&self, ordering: Ordering, change: impl FnMut(u64) -> Option<u64>) -> bool {
                self.fetch_update(ordering, Ordering::Relaxed, change).is_ok()
            }
        }
    };
}

number!(AtomicU64);
#[cfg(syncpoint_loom)]
number!(crate::sync::AtomicU64);

/// The numbers that both sides agree by.
pub(super) struct Recorded<'a, N> {
    /// How many importers give their drivers a wait, or that the event is being recorded.
    pub(super) turn: &'a N,
    /// The first generation of the latest run: of those that one stream recorded one after another.
    pub(super) run: &'a N,
    /// The generation as which the event was recorded last; 0 where that is not known.
    pub(super) event: &'a N,
}

/// In the turn: the event is being recorded.
const RECORDING: u64 = 1 << 63;

/// The exporter's side. One thread at a time.
impl<'a, N: Number> Recorded<'a, N> {
    /// The next generation is the first that its stream records in a row.
    pub(super) fn begin_run(&self, generation: u64) {
        // Release: pairs with the acquire in `covers`.
        self.run.store(generation, Ordering::Release);
    }

    /// The driver may be given a record, until this is dropped. `None`: an importer gives its driver a wait.
    pub(super) fn begin(&self) -> Option<Recording<'a, N>> {
        let free = |turn| (turn == 0).then_some(RECORDING);
        // Acquire: pairs with the release in `give`, so that the record comes behind every wait that was given.
        if !self.turn.change(Ordering::Acquire, free) {
            return None;
        }
        // Relaxed: nobody reads it as more than a hint before the turn is given back.
        self.event.store(0, Ordering::Relaxed);
        Some(Recording { turn: self.turn, event: self.event })
    }
}

/// The exporter's turn.
pub(super) struct Recording<'a, N: Number> {
    turn: &'a N,
    event: &'a N,
}

impl<N: Number> Recording<'_, N> {
    /// The driver has the record of this generation.
    pub(super) fn is(&self, generation: u64) {
        // Relaxed: as above.
        self.event.store(generation, Ordering::Relaxed);
    }
}

impl<N: Number> Drop for Recording<'_, N> {
    fn drop(&mut self) {
        // Release: pairs with the acquire in `give`.
        self.turn.store(0, Ordering::Release);
    }
}

/// The importers' side.
impl<N: Number> Recorded<'_, N> {
    /// Calls `give`, and meanwhile the driver's event stands for this generation and for all before it that are pending.
    /// `None`: it does not, or is being recorded. All up to `settled` is settled.
    pub(super) fn give<T>(
        &self,
        generation: u64,
        settled: impl Fn() -> u64,
        give: impl FnOnce() -> T,
    ) -> Option<T> {
        // First without a turn: who waits for what is held there keeps nobody from recording.
        if !self.covers(generation, settled()) {
            return None;
        }
        let one_more = |turn| (turn < RECORDING - 1).then_some(turn + 1);
        // Acquire: pairs with the release of the exporter's turn, so that the driver has what the page says.
        if !self.turn.change(Ordering::Acquire, one_more) {
            return None;
        }
        let _giving = Giving(self.turn);
        self.covers(generation, settled()).then(give)
    }

    fn covers(&self, generation: u64, settled: u64) -> bool {
        // Relaxed: as above. Acquire: pairs with the release in `begin_run`; the run that is read is that of the
        // generation, or a later one.
        let event = self.event.load(Ordering::Relaxed);
        let run = self.run.load(Ordering::Acquire);
        event == generation && (1..=generation).contains(&run) && settled >= run - 1
    }
}

/// One importer that gives its driver a wait.
struct Giving<'a, N: Number>(&'a N);

impl<N: Number> Drop for Giving<'_, N> {
    fn drop(&mut self) {
        // Release: pairs with the acquire in `begin`. What is garbage by now stays so.
        self.0.change(Ordering::Release, |turn| turn.checked_sub(1));
    }
}

#[cfg(all(test, syncpoint_loom))]
mod model;
