//! Whether the poller is at its questions, and since when: as long as that lasts nobody hears how far the device is.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Ordering};

/// Since when the poller of a context asks the driver, or tells somebody what it has heard.
#[derive(Debug)]
pub(crate) struct Asking {
    began: Instant,
    /// Nanoseconds from `began`; 0 while it does neither.
    since: AtomicU64,
}

/// For as long as the poller is at it.
pub(crate) struct AtIt<'a> {
    asking: &'a Asking,
    /// Whether it is within another.
    is_inner: bool,
}

impl Default for Asking {
    fn default() -> Self {
        Self { began: Instant::now(), since: AtomicU64::new(0) }
    }
}

impl Asking {
    /// Asks the driver something.
    pub(crate) fn ask<T>(&self, question: impl FnOnce() -> T) -> T {
        let _at_it = self.begin();
        question()
    }

    /// On the poller alone. What is begun within another is a part of that.
    pub(crate) fn begin(&self) -> AtIt<'_> {
        // Relaxed, and below: a time, which orders nothing.
        let is_inner = self.since.load(Ordering::Relaxed) > 0;
        if !is_inner {
            let nanos = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.since.store(nanos.max(1), Ordering::Relaxed);
        }
        AtIt { asking: self, is_inner }
    }

    /// Since when it is at it, where that lasts for at least so long.
    pub(crate) fn since(&self, longest: Duration) -> Option<Instant> {
        let nanos = self.since.load(Ordering::Relaxed);
        let since = (nanos > 0).then(|| self.began + Duration::from_nanos(nanos));
        since.filter(|since| since.elapsed() >= longest)
    }
}

/// By a panic too.
impl Drop for AtIt<'_> {
    fn drop(&mut self) {
        if !self.is_inner {
            // Relaxed: as in `begin`.
            self.asking.since.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_question_within_a_round_ends_with_the_round_and_a_panic_ends_both() {
        let asking = Asking::default();
        let lasts = || asking.since(Duration::ZERO);
        assert_eq!(lasts(), None);
        let round = asking.begin();
        let since = lasts();
        assert!(since.is_some());
        assert_eq!(asking.ask(lasts), since);
        assert_eq!(lasts(), since);
        drop(round);
        assert_eq!(lasts(), None);
        let panics = || asking.ask(|| panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(lasts(), None);
    }
}
