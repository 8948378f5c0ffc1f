//! A seat: where a worker shows that it moves, and where the system says whether it computes.

use std::fmt;
use std::path::{Path, PathBuf};

use super::tray::Tray;
use crate::sync::process::OnceLock;
use crate::sync::{AtomicU64, Ordering};

/// The seat of one worker, with its tray.
pub struct Seat<S: ?Sized> {
    /// Only the watch looks at it.
    ticks: AtomicU64,
    pub(super) tray: Tray<S>,
    /// When the worker last looked at a clock, in nanoseconds of it. Only the worker looks here.
    looked: AtomicU64,
    /// Where Linux tells the state of the worker's thread; empty where that cannot be known.
    state: OnceLock<PathBuf>,
}

impl<S: ?Sized> Seat<S> {
    /// Whether the worker has set something free that nobody serves yet, as far as is known.
    #[inline]
    pub fn has_waiting(&self) -> bool {
        self.tray.len() > 0
    }

    /// The worker begins something.
    #[inline]
    pub fn tick(&self) {
        // Relaxed: only the watch reads it, and only for change.
        self.ticks.store(self.ticks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The worker has looked at a clock: notes what it says, and gives what it said before.
    #[inline]
    pub fn look(&self, now: u64) -> u64 {
        // Relaxed: no other thread reads it.
        let before = self.looked.load(Ordering::Relaxed);
        self.looked.store(now, Ordering::Relaxed);
        before
    }

    pub(super) fn ticks(&self) -> u64 {
        // Relaxed: as in `tick`.
        self.ticks.load(Ordering::Relaxed)
    }

    /// The thread that calls this is the worker.
    pub(super) fn take(&self) {
        if cfg!(target_os = "linux")
            && let Ok(thread) = std::fs::read_link("/proc/thread-self")
        {
            // Nobody else takes the seat.
            let _taken = self.state.set(Path::new("/proc").join(thread).join("stat"));
        }
    }

    /// Whether the worker runs, or could if a core were free. `false` where nobody can tell: a worker that blocks and
    /// is taken for one that computes delays its neighbours, one that computes and is taken for blocked costs a thread.
    pub(super) fn computes(&self) -> bool {
        let Some(path) = self.state.get() else { return false };
        std::fs::read_to_string(path).is_ok_and(|stat| says_running(&stat))
    }
}

impl<S: ?Sized> Default for Seat<S> {
    fn default() -> Self {
        Self {
            ticks: AtomicU64::new(0),
            tray: Tray::default(),
            looked: AtomicU64::new(0),
            state: OnceLock::new(),
        }
    }
}

impl<S: ?Sized> fmt::Debug for Seat<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Seat({:?}, {} ticks)", self.tray, self.ticks())
    }
}

/// Whether the state letter is that of a thread that runs or waits for a core. It stands behind the name of the thread,
/// which may hold anything, brackets too.
fn says_running(stat: &str) -> bool {
    stat.rsplit(')').next().is_some_and(|fields| fields.trim_start().starts_with('R'))
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_state_stands_behind_the_name_whatever_the_name_holds() {
        assert!(says_running("4711 (a (bad) name) R 1 2 3"));
        assert!(!says_running("4711 (R) S 1 2 3"));
        assert!(!says_running(""));
    }

    #[test]
    fn a_seat_that_nobody_took_computes_nothing() {
        assert!(!Seat::<()>::default().computes());
    }

    #[cfg(all(target_os = "linux", not(syncpoint_loom)))]
    #[test]
    fn a_thread_that_looks_at_its_own_seat_computes() {
        let seat = Seat::<()>::default();
        seat.take();
        assert!(seat.computes());
    }
}
