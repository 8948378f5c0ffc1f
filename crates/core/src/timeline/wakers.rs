//! The waiters of a timeline: wakers in the order of the values they wait for.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::exit::rest_if_ours_and_exiting;
use crate::inherited::Own;
use crate::observe::Notice;

/// Names one listed waiter, so that it can be unlisted.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    value: u64,
    number: u64,
}

/// Wakers by value. The first lies inline, because most points have one waiter and a map allocates; the rest lie in a
/// map, because unlisting by a sorted vector is quadratic for random values.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    first: Option<(Ticket, Waker)>,
    rest: BTreeMap<Ticket, Waker>,
    number: u64,
}

impl Wakers {
    /// Lists a waker for a value.
    pub(crate) fn insert(&mut self, value: u64, waker: Waker) -> Ticket {
        self.number += 1;
        let ticket = Ticket { value, number: self.number };
        // The smallest stays inline: a host that waits for the end of a long chain must not push the waiter of every
        // step into the map.
        let later = match self.first.take() {
            Some(first) if first.0 < ticket => {
                self.first = Some(first);
                Some((ticket, waker))
            }
            other => {
                self.first = Some((ticket, waker));
                other
            }
        };
        self.rest.extend(later);
        ticket
    }

    /// Unlists a waker; `None` when it was woken already.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|(first, _)| *first == ticket) {
            return self.first.take().map(|(_, waker)| waker);
        }
        self.rest.remove(&ticket)
    }

    /// Takes the wakers of all values up to and including `value`.
    pub(crate) fn take_due(&mut self, value: u64) -> Woken {
        let first = self.first.take_if(|(ticket, _)| ticket.value <= value).map(|(_, waker)| waker);
        if self.rest.first_key_value().is_none_or(|(ticket, _)| ticket.value > value) {
            return Woken { first, rest: None, notice: None };
        }
        let later = self.rest.split_off(&Ticket { value: value.saturating_add(1), number: 0 });
        Woken { first, rest: Some(std::mem::replace(&mut self.rest, later)), notice: None }
    }

    /// Takes the wakers of all values from `value` on.
    pub(crate) fn take_from(&mut self, value: u64) -> Woken {
        let first = self.first.take_if(|(ticket, _)| ticket.value >= value).map(|(_, waker)| waker);
        let rest = self.rest.split_off(&Ticket { value, number: 0 });
        Woken { first, rest: Some(rest), notice: None }
    }

    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.rest.is_empty()
    }
}

/// Wakers taken off the list, to be woken once no lock is held.
#[doc(hidden)]
#[derive(Debug, Default)]
#[must_use = "the waiters sleep until they are woken"]
pub struct Woken {
    first: Option<Waker>,
    rest: Option<BTreeMap<Ticket, Waker>>,
    /// What observers are to hear first.
    notice: Option<Notice>,
}

impl Woken {
    pub(crate) fn telling(self, notice: Option<Notice>) -> Self {
        Self { notice, ..self }
    }

    /// Wakes them in the order of their values. A waker that panics does not keep the others asleep.
    pub fn wake(self) {
        rest_if_ours_and_exiting();
        if let Some(notice) = self.notice {
            notice.tell();
        }
        let Some(rest) = self.rest else { return self.first.into_iter().for_each(wake_one) };
        // Where a waker forks, the child wakes none of the parent's that come after it.
        let mut wakers = Own::new(self.first.into_iter().chain(rest.into_values()));
        while let Some(waker) = wakers.get().and_then(Iterator::next) {
            wake_one(waker);
        }
    }
}

/// A waker is the user's code, from an executor: its panic hurts nobody, and there is nobody to tell.
fn wake_one(waker: Waker) {
    let woken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake()));
    if let Err(payload) = woken {
        crate::panic::discard(payload);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counter() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    #[test]
    fn only_due_wakers_are_taken() {
        let (count, waker) = counter();
        let mut wakers = Wakers::default();
        for value in [5, 3, 9, 3] {
            wakers.insert(value, waker.clone());
        }
        wakers.take_due(4).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        wakers.take_due(9).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 4);
        assert!(wakers.is_empty());
    }

    #[test]
    fn wakers_from_a_value_on_are_taken() {
        let (count, waker) = counter();
        let mut wakers = Wakers::default();
        for value in [1, 4, 7] {
            wakers.insert(value, waker.clone());
        }
        wakers.take_from(4).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(!wakers.is_empty());
    }

    #[test]
    fn an_unlisted_waker_stays_asleep() {
        let (count, waker) = counter();
        let mut wakers = Wakers::default();
        let first = wakers.insert(1, waker.clone());
        let second = wakers.insert(1, waker);
        assert!(wakers.remove(second).is_some() && wakers.remove(first).is_some());
        assert!(wakers.remove(first).is_none());
        wakers.take_due(u64::MAX).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_panicking_waker_keeps_nobody_asleep() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        }
        let (count, waker) = counter();
        let mut wakers = Wakers::default();
        wakers.insert(1, Waker::from(Arc::new(Panics)));
        wakers.insert(2, waker);
        wakers.take_due(2).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
