//! Whether the poller is inside a question, and since when: as long as that lasts nobody hears how far the device is.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Ordering};

/// Since when the poller of a context asks the driver.
#[derive(Debug)]
pub(crate) struct Asking {
    began: Instant,
    /// Nanoseconds from `began`; 0 while it asks nothing.
    since: AtomicU64,
}

impl Default for Asking {
    fn default() -> Self {
        Self { began: Instant::now(), since: AtomicU64::new(0) }
    }
}

impl Asking {
    /// Asks the driver something.
    pub(crate) fn ask<T>(&self, question: impl FnOnce() -> T) -> T {
        let nanos = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // Relaxed, and below: a time, which orders nothing.
        self.since.store(nanos.max(1), Ordering::Relaxed);
        let answer = question();
        self.since.store(0, Ordering::Relaxed);
        answer
    }

    /// Since when the question lasts that lasts for at least so long, if there is one.
    pub(crate) fn since(&self, longest: Duration) -> Option<Instant> {
        let nanos = self.since.load(Ordering::Relaxed);
        let since = (nanos > 0).then(|| self.began + Duration::from_nanos(nanos));
        since.filter(|since| since.elapsed() >= longest)
    }
}
