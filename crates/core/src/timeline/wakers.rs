//! The waiters of a timeline: wakers in the order of the values they wait for.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::exit::{is_ours_and_exiting, rest_if_ours_and_exiting};
use crate::inherited::Own;
use crate::observe::Notice;

/// Names one listed waiter, so that it can be unlisted.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    value: u64,
    /// The order of listing; those of the user's behind all others.
    number: u64,
}

/// Whose a waker is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// Ours: it runs nothing of the user's, and waits for nobody.
    Ours,
    /// The user's, who may do anything in it: wait for what ours do as they are woken.
    Users,
}

/// The bit of a ticket's number that says so. No row of waiters was ever so long that its numbers came to it.
const USERS: u64 = 1 << 63;

impl Ticket {
    fn is_users(self) -> bool {
        self.number & USERS > 0
    }
}

impl Whose {
    #[inline]
    fn bit(self) -> u64 {
        match self {
            Self::Ours => 0,
            Self::Users => USERS,
        }
    }
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
    pub(crate) fn insert(&mut self, value: u64, waker: Waker, whose: Whose) -> Ticket {
        self.number += 1;
        let ticket = Ticket { value, number: self.number | whose.bit() };
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
        Woken { first, rest, behind: None }
    }

    /// Takes the wakers of all values from `value` on: ours, and behind them the user's.
    pub(crate) fn take_from(&mut self, value: u64) -> Woken {
        let first = self.first.take_if(|(ticket, _)| ticket.value >= value);
        let rest = self.rest.as_mut().map_or_else(Vec::new, |rest| rest.take_from(value));
        let mut woken = Woken::default();
        for (ticket, waker) in first.into_iter().chain(rest) {
            let wakers = if ticket.is_users() {
                &mut woken.behind.get_or_insert_default().users
            } else {
                &mut woken.rest
            };
            wakers.push(waker);
        }
        woken
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

    fn take_from(&mut self, value: u64) -> Vec<Listed> {
        let kept = self.few.partition_point(|(ticket, _)| ticket.value < value);
        let few = self.few.drain(kept..);
        let listed = few.chain(self.crowd.split_off(&first_of(value))).collect();
        self.refill();
        listed
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
    /// Of a failure alone.
    behind: Option<Box<Behind>>,
}

/// What a failure tells of to others than ours.
#[derive(Debug, Default)]
struct Behind {
    /// What observers are to hear before anybody is woken who was not.
    notice: Option<Notice>,
    users: Vec<Waker>,
}

impl Woken {
    pub(crate) fn telling(mut self, notice: Option<Notice>) -> Self {
        if notice.is_some() {
            self.behind.get_or_insert_default().notice = notice;
        }
        self
    }

    /// Wakes ours of a failure, who run nothing of the user's; the others are left. On a thread of ours nobody is woken once the
    /// process exits, and the thread goes on: it may have to let go what a driver stands before.
    pub fn wake_ours(&mut self) {
        if is_ours_and_exiting() {
            return;
        }
        let first = self.first.take();
        first.into_iter().chain(std::mem::take(&mut self.rest)).for_each(wake_one);
    }

    /// Wakes them in the order of their values, and of a failure ours before the user's. A waker that panics does not keep the
    /// others asleep.
    pub fn wake(self) {
        rest_if_ours_and_exiting();
        if self.behind.is_some() {
            return self.wake_behind();
        }
        if self.rest.is_empty() {
            return self.first.into_iter().for_each(wake_one);
        }
        wake_all(self.first.into_iter().chain(self.rest));
    }

    /// Wakes those of several. Where a waker or an observer forks, the rest is the parent's.
    pub fn wake_each(each: Vec<Self>) {
        let mut left = Own::new(each.into_iter());
        while let Some(woken) = left.get().and_then(Iterator::next) {
            woken.wake();
        }
    }

    #[cold]
    fn wake_behind(mut self) {
        let Behind { notice, users } =
            self.behind.take().map_or_else(Behind::default, |behind| *behind);
        // Where an observer forks, the child wakes none of the parent's either.
        let wakers = Own::new(self.first.into_iter().chain(self.rest).chain(users));
        if let Some(notice) = notice {
            notice.tell();
        }
        wakers.take().into_iter().for_each(wake_all);
    }
}

/// Where a waker forks, the child wakes none of the parent's that come after it.
fn wake_all(wakers: impl Iterator<Item = Waker>) {
    let mut wakers = Own::new(wakers);
    while let Some(waker) = wakers.get().and_then(Iterator::next) {
        wake_one(waker);
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

    /// Tells its number.
    struct Notes(u64, Sender<u64>);

    impl Wake for Notes {
        fn wake(self: Arc<Self>) {
            self.1.send(self.0).unwrap();
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
            wakers.insert(value, waker.clone(), Whose::Ours);
        }
        wakers.take_due(4).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        wakers.take_due(9).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 4);
        assert!(wakers.is_empty());
    }

    #[test]
    fn a_crowd_is_woken_in_the_order_of_its_values_whoever_left() {
        let ((notes, noted), mut wakers) = (channel(), Wakers::default());
        let values = (0..100).map(|index: u64| index * 37 % 100);
        let tickets: Vec<_> = values
            .map(|value| {
                let waker = Waker::from(Arc::new(Notes(value, notes.clone())));
                wakers.insert(value, waker, Whose::Ours)
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
            wakers.insert(value, waker.clone(), Whose::Ours);
        }
        wakers.take_from(4).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(!wakers.is_empty());
    }

    #[test]
    fn of_one_value_and_of_a_failure_ours_are_woken_before_the_users() {
        let ((notes, noted), mut wakers) = (channel(), Wakers::default());
        let list = |wakers: &mut Wakers| {
            for (value, name, whose) in [
                (2, 4, Whose::Users),
                (2, 3, Whose::Ours),
                (1, 2, Whose::Users),
                (1, 1, Whose::Ours),
            ] {
                wakers.insert(value, Waker::from(Arc::new(Notes(name, notes.clone()))), whose);
            }
        };
        list(&mut wakers);
        wakers.take_due(2).wake();
        assert_eq!(noted.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4], "in the order of values");
        list(&mut wakers);
        let mut failed = wakers.take_from(1);
        failed.wake_ours();
        assert_eq!(noted.try_iter().collect::<Vec<_>>(), [1, 3], "ours alone");
        failed.wake();
        assert_eq!(noted.try_iter().collect::<Vec<_>>(), [2, 4], "and then the others");
        assert!(wakers.is_empty());
    }

    #[test]
    fn an_unlisted_waker_stays_asleep() {
        let (count, waker) = counter();
        let mut wakers = Wakers::default();
        let first = wakers.insert(1, waker.clone(), Whose::Ours);
        let second = wakers.insert(1, waker, Whose::Ours);
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
        wakers.insert(1, Waker::from(Arc::new(Panics)), Whose::Ours);
        wakers.insert(2, waker, Whose::Ours);
        wakers.take_due(2).wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
