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

/// Wakers in the order of their tickets: each in the first place is before those in the second, and so on. Most points
/// have one waiter, which lies inline. A few more lie in a row whose memory is kept, because a map allocates for each
/// handful; a crowd lies in a map, because listing in a sorted row is quadratic for random values.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    first: Option<Listed>,
    rest: Option<Box<Rest>>,
    number: u64,
}

type Listed = (Ticket, Waker);

#[derive(Debug, Default)]
struct Rest {
    few: Vec<Listed>,
    crowd: BTreeMap<Ticket, Waker>,
}

/// How many are a few: moving half of them costs as much as a step down a map.
const FEW: usize = 8;

impl Wakers {
    /// Lists a waker for a value.
    #[inline]
    pub(crate) fn insert(&mut self, value: u64, waker: Waker) -> Ticket {
        self.number += 1;
        let ticket = Ticket { value, number: self.number };
        if self.is_empty() {
            self.first = Some((ticket, waker));
        } else {
            self.insert_beside(ticket, waker);
        }
        ticket
    }

    fn insert_beside(&mut self, ticket: Ticket, waker: Waker) {
        let listed = (ticket, waker);
        let rest = self.rest.get_or_insert_default();
        match self.first.take() {
            Some(first) if first.0 < ticket => {
                self.first = Some(first);
                rest.insert(listed);
            }
            Some(first) => {
                self.first = Some(listed);
                rest.insert(first);
            }
            None => rest.insert(listed),
        }
    }

    /// Unlists a waker; `None` when it was woken already.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|(first, _)| *first == ticket) {
            return self.first.take().map(|(_, waker)| waker);
        }
        self.rest.as_mut()?.remove(ticket)
    }

    /// Takes the wakers of all values up to and including `value`.
    #[inline]
    pub(crate) fn take_due(&mut self, value: u64) -> Woken {
        let first = self.first.take_if(|(ticket, _)| ticket.value <= value).map(|(_, waker)| waker);
        let rest = self.rest.as_mut().filter(|rest| rest.is_due(value));
        let rest = rest.map_or_else(Vec::new, |rest| rest.take_due(value));
        Woken { first, rest, notice: None }
    }

    /// Takes the wakers of all values from `value` on.
    pub(crate) fn take_from(&mut self, value: u64) -> Woken {
        let first = self.first.take_if(|(ticket, _)| ticket.value >= value).map(|(_, waker)| waker);
        let rest = self.rest.as_mut().map_or_else(Vec::new, |rest| rest.take_from(value));
        Woken { first, rest, notice: None }
    }

    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.rest.as_ref().is_none_or(|rest| rest.few.is_empty())
    }
}

/// The few are not empty while there is a crowd.
impl Rest {
    fn insert(&mut self, listed: Listed) {
        let at = self.few.partition_point(|(ticket, _)| *ticket < listed.0);
        if at == self.few.len() && !self.crowd.is_empty() || at == FEW {
            self.crowd.extend([listed]);
            return;
        }
        let last = if self.few.len() == FEW { self.few.pop() } else { None };
        self.few.insert(at, listed);
        self.crowd.extend(last);
    }

    fn remove(&mut self, ticket: Ticket) -> Option<Waker> {
        let Ok(at) = self.few.binary_search_by_key(&ticket, |(ticket, _)| *ticket) else {
            return self.crowd.remove(&ticket);
        };
        let (_, waker) = self.few.remove(at);
        self.refill();
        Some(waker)
    }

    fn is_due(&self, value: u64) -> bool {
        self.few.first().is_some_and(|(ticket, _)| ticket.value <= value)
    }

    fn take_due(&mut self, value: u64) -> Vec<Waker> {
        let due = self.few.partition_point(|(ticket, _)| ticket.value <= value);
        let mut wakers: Vec<_> = self.few.drain(..due).map(|(_, waker)| waker).collect();
        if self.few.is_empty() && !self.crowd.is_empty() {
            let later = self.crowd.split_off(&first_of(value.saturating_add(1)));
            wakers.extend(std::mem::replace(&mut self.crowd, later).into_values());
            self.refill();
        }
        wakers
    }

    fn take_from(&mut self, value: u64) -> Vec<Waker> {
        let kept = self.few.partition_point(|(ticket, _)| ticket.value < value);
        let few = self.few.drain(kept..).map(|(_, waker)| waker);
        let wakers = few.chain(self.crowd.split_off(&first_of(value)).into_values()).collect();
        self.refill();
        wakers
    }

    /// Takes the first of the crowd where the few are none any more.
    fn refill(&mut self) {
        if self.few.is_empty() {
            self.few.extend(self.crowd.pop_first());
        }
    }
}

/// At or before every ticket of a value.
fn first_of(value: u64) -> Ticket {
    Ticket { value, number: 0 }
}

/// Wakers taken off the list, to be woken once no lock is held.
#[doc(hidden)]
#[derive(Debug, Default)]
#[must_use = "the waiters sleep until they are woken"]
pub struct Woken {
    first: Option<Waker>,
    rest: Vec<Waker>,
    /// What observers are to hear first.
    notice: Option<Box<Notice>>,
}

impl Woken {
    pub(crate) fn telling(self, notice: Option<Notice>) -> Self {
        Self { notice: notice.map(Box::new), ..self }
    }

    /// Wakes them in the order of their values. A waker that panics does not keep the others asleep.
    pub fn wake(self) {
        rest_if_ours_and_exiting();
        if let Some(notice) = self.notice {
            notice.tell();
        }
        if self.rest.is_empty() {
            return self.first.into_iter().for_each(wake_one);
        }
        // Where a waker forks, the child wakes none of the parent's that come after it.
        let mut wakers = Own::new(self.first.into_iter().chain(self.rest));
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
    use std::sync::mpsc::{Sender, channel};
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
    fn a_crowd_is_woken_in_the_order_of_its_values_whoever_left() {
        struct Notes(u64, Sender<u64>);
        impl Wake for Notes {
            fn wake(self: Arc<Self>) {
                self.1.send(self.0).unwrap();
            }
        }
        let ((notes, noted), mut wakers) = (channel(), Wakers::default());
        let values = (0..100).map(|index: u64| index * 37 % 100);
        let tickets: Vec<_> = values
            .map(|value| {
                let waker = Waker::from(Arc::new(Notes(value, notes.clone())));
                wakers.insert(value, waker)
            })
            .collect();
        for ticket in tickets.iter().filter(|ticket| ticket.value % 3 == 0) {
            assert!(wakers.remove(*ticket).is_some());
        }
        wakers.take_due(10).wake();
        wakers.take_due(10).wake();
        wakers.take_due(69).wake();
        let woken: Vec<_> = noted.try_iter().collect();
        let expected = |values: std::ops::Range<u64>| values.filter(|value| value % 3 != 0);
        assert_eq!(woken, expected(0..70).collect::<Vec<_>>());
        wakers.take_from(80).wake();
        wakers.take_due(99).wake();
        let woken: Vec<_> = noted.try_iter().collect();
        assert_eq!(woken, expected(80..100).chain(expected(70..80)).collect::<Vec<_>>());
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
