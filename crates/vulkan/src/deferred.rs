//! Deferred waits: what a stream waits for with its next submission, since a wait alone submits nothing.

use std::sync::Arc;

use crate::sync::{AtomicBool, Lock, Ordering};

/// The waits that a stream has taken and not submitted. They change under the stream's order lock, or in the turn of a
/// function of the user's, which keeps everybody else out as well.
#[derive(Debug)]
pub(crate) struct Deferred<S> {
    /// Whether there are any, so that who has none takes no lock.
    is_there: AtomicBool,
    /// One for each semaphore. A leaf.
    waits: Lock<Vec<(Arc<S>, u64)>>,
}

/// For so many semaphores a stream waits with one submission: whoever waits for more has those before submitted.
pub(crate) const MOST: usize = 5;

impl<S> Deferred<S> {
    pub(crate) fn new() -> Self {
        Self { is_there: AtomicBool::new(false), waits: Lock::new(Vec::new()) }
    }

    /// Waits for a value of a semaphore with what is submitted next. `false`: there are too many others.
    pub(crate) fn add(&self, semaphore: &Arc<S>, value: u64) -> bool {
        let mut waits = self.waits.lock();
        if let Some((_, latest)) = waits.iter_mut().find(|(known, _)| Arc::ptr_eq(known, semaphore))
        {
            *latest = value.max(*latest);
            return true;
        }
        if waits.len() == MOST {
            return false;
        }
        waits.push((Arc::clone(semaphore), value));
        // Relaxed: read by who has the turn behind this, as above.
        self.is_there.store(true, Ordering::Relaxed);
        true
    }

    /// Whether there are any.
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        // Relaxed: as in `add`.
        self.is_there.load(Ordering::Relaxed)
    }

    /// Gives each to who submits. They stay until the device [has them](Self::clear).
    pub(crate) fn each<E>(
        &self,
        mut give: impl FnMut(&Arc<S>, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        self.waits.lock().iter().try_for_each(|(semaphore, value)| give(semaphore, *value))
    }

    /// The device has them.
    pub(crate) fn clear(&self) {
        // Relaxed: as in `add`.
        self.is_there.store(false, Ordering::Relaxed);
        self.waits.lock().clear();
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn waits(deferred: &Deferred<&'static str>) -> Vec<(&'static str, u64)> {
        let mut waits = Vec::new();
        let all = deferred.each(|semaphore, value| {
            waits.push((**semaphore, value));
            Ok::<_, Infallible>(())
        });
        assert!(all.is_ok() && deferred.is_there() != waits.is_empty());
        waits
    }

    #[test]
    fn of_one_semaphore_the_latest_value_is_waited_for() {
        let (deferred, one, other) = (Deferred::new(), Arc::new("one"), Arc::new("other"));
        assert!(waits(&deferred).is_empty());
        for (semaphore, value) in [(&one, 3), (&other, 1), (&one, 5), (&one, 4)] {
            assert!(deferred.add(semaphore, value));
        }
        assert_eq!(waits(&deferred), [("one", 5), ("other", 1)]);
        deferred.clear();
        assert!(waits(&deferred).is_empty());
    }

    #[test]
    fn one_more_than_a_submission_may_wait_for_is_not_taken() {
        let (deferred, first) = (Deferred::new(), Arc::new("first"));
        assert!(deferred.add(&first, 1));
        for _ in 1..MOST {
            assert!(deferred.add(&Arc::new("another"), 1));
        }
        assert!(!deferred.add(&Arc::new("one too many"), 1));
        assert!(deferred.add(&first, 2), "that is no other");
    }
}
