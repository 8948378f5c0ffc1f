//! Deferred waits: what a stream waits for with its next submission, since a wait alone submits nothing.

use std::sync::Arc;

use crate::sync::{AtomicBool, Lock, Ordering};

/// The waits that a stream has taken and not submitted. They change under the stream's order lock, or in the turn of a
/// function of the user's, which keeps everybody else out as well.
#[derive(Debug)]
pub(crate) struct Deferred<S> {
    /// Whether there are any, so that who has none takes no lock.
    is_there: AtomicBool,
    /// Under it nothing is taken but what a semaphore's burial takes: see [`clear`](Self::clear).
    waits: Lock<Waits<S>>,
}

/// Waits, one for each semaphore, and the stream's own value of the last.
#[derive(Debug)]
pub(crate) struct Waits<S> {
    each: Vec<(Arc<S>, u64)>,
    own: u64,
}

impl<S> Waits<S> {
    /// What is waited for.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Arc<S>, u64)> {
        self.each.iter().map(|(semaphore, value)| (semaphore, *value))
    }

    /// The stream's own value of the last.
    pub(crate) fn own(&self) -> u64 {
        self.own
    }
}

/// For so many semaphores a stream waits with one submission: whoever waits for more has those before submitted.
pub(crate) const MOST: usize = 5;

impl<S> Deferred<S> {
    pub(crate) fn new() -> Self {
        let waits = Waits { each: Vec::new(), own: 0 };
        Self { is_there: AtomicBool::new(false), waits: Lock::new(waits) }
    }

    /// Waits, as `own` of the stream, for a value of a semaphore with what is submitted next. `false`: there are too many others.
    pub(crate) fn add(&self, own: u64, semaphore: &Arc<S>, value: u64) -> bool {
        let mut waits = self.waits.lock();
        let mut each = waits.each.iter_mut();
        if let Some((_, latest)) = each.find(|(known, _)| Arc::ptr_eq(known, semaphore)) {
            *latest = value.max(*latest);
        } else if waits.each.len() < MOST {
            waits.each.push((Arc::clone(semaphore), value));
        } else {
            return false;
        }
        waits.own = own;
        // Relaxed: read by who has the turn behind this, as above; who only looks takes the lock for the rest.
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
        self.waits.lock().each.iter().try_for_each(|(semaphore, value)| give(semaphore, *value))
    }

    /// The device has them: what signals behind them was promised before. Where one was left out its semaphore may have no
    /// other name, and is buried under the locks of who submits: that gives the graveyard's thread an errand.
    pub(crate) fn clear(&self) {
        // Relaxed: as in `add`.
        self.is_there.store(false, Ordering::Relaxed);
        self.waits.lock().each.clear();
    }

    /// What there is, for who looks and has no turn. `None`: nothing.
    pub(crate) fn snapshot(&self) -> Option<Waits<S>> {
        if !self.is_there() {
            return None;
        }
        let waits = self.waits.lock();
        let snapshot = Waits { each: waits.each.clone(), own: waits.own };
        (!snapshot.each.is_empty()).then_some(snapshot)
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
        for (own, (semaphore, value)) in (1..).zip([(&one, 3), (&other, 1), (&one, 5), (&one, 4)]) {
            assert!(deferred.add(own, semaphore, value));
        }
        assert_eq!(waits(&deferred), [("one", 5), ("other", 1)]);
        assert_eq!(deferred.snapshot().map(|waits| waits.own()), Some(4));
        deferred.clear();
        assert!(waits(&deferred).is_empty() && deferred.snapshot().is_none());
    }

    #[test]
    fn one_more_than_a_submission_may_wait_for_is_not_taken() {
        let (deferred, first) = (Deferred::new(), Arc::new("first"));
        assert!(deferred.add(1, &first, 1));
        for _ in 1..MOST {
            assert!(deferred.add(2, &Arc::new("another"), 1));
        }
        assert!(!deferred.add(3, &Arc::new("one too many"), 1));
        assert!(deferred.add(3, &first, 2), "that is no other");
    }
}
