//! Twins of a timeline with one bug each, which the models of a timeline must catch.

use std::task::Waker;

use super::{
    Core, Row, State, Ticket, a_failure_is_recovered_from, completions_cross,
    one_waits_for_each_value, the_second_value_fails, twin,
};
use crate::error::Error;
use crate::model::{catches, holds};
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering, lock};
use crate::timeline::wakers::{Wakers, Whose};

#[test]
fn a_waiter_that_looks_before_it_is_listed_is_caught() {
    catches("deadlock", || holds(2, one_waits_for_each_value::<LooksFirst>));
}

twin! {
    LooksFirst as real in (complete fail recover state) but {
        fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
            if self.0.progress.completed() >= value {
                return None;
            }
            let ticket = self.0.leaf.lock().wakers.insert(value, waker, Whose::Ours);
            self.0.progress.announce();
            Some(ticket)
        }
    }
}

#[test]
fn whoever_stays_without_being_announced_again_is_caught() {
    catches("deadlock", || holds(2, one_waits_for_each_value::<AnnouncesNobodyAgain>));
}

twin! {
    AnnouncesNobodyAgain as real in (fail recover register state) but {
        fn complete(&self, value: u64) {
            if self.0.progress.advance(value) {
                let due = self.0.leaf.lock().wakers.take_due(self.0.progress.completed());
                due.wake();
            }
        }
    }
}

#[test]
fn an_announcement_without_another_look_is_caught() {
    catches("deadlock", || holds(2, completions_cross::<LooksOnce>));
}

twin! {
    LooksOnce as real in (fail recover register state) but {
        fn complete(&self, value: u64) {
            if !self.0.progress.advance(value) {
                return;
            }
            let mut leaf = self.0.leaf.lock();
            let due = leaf.wakers.take_due(self.0.progress.completed());
            if !leaf.wakers.is_empty() {
                self.0.progress.announce();
            }
            drop(leaf);
            due.wake();
        }
    }
}

#[test]
fn a_floor_read_before_the_completed_value_is_caught() {
    let check = || holds(2, a_failure_is_recovered_from::<ReadsFloorFirst>);
    catches("a failed value is complete", check);
}

twin! {
    ReadsFloorFirst as real in (complete fail recover register) but {
        fn state(&self, value: u64) -> State {
            let floor = self.0.floor.load(Ordering::Acquire);
            if self.0.progress.completed() >= value && value >= floor {
                return State::Complete;
            }
            self.0.state(value)
        }
    }
}

#[test]
fn a_failure_that_wakes_nobody_is_caught() {
    catches("deadlock", || holds(2, the_second_value_fails::<FailsInSilence>));
}

twin! {
    FailsInSilence as real in (complete recover register state) but {
        fn fail(&self, from: u64) {
            drop(self.0.fail(from, Error::failed("on purpose")));
        }
    }
}

#[test]
fn a_completed_value_and_a_waiting_bit_in_two_words_are_caught() {
    catches("deadlock", || holds(2, one_waits_for_each_value::<TwoWords>));
}

#[test]
fn a_completion_that_publishes_nothing_is_caught() {
    catches("its work cannot be seen", || holds(2, one_waits_for_each_value::<Relaxed>));
}

/// The obvious protocol: each side writes its word and then reads the other's, which release and acquire do not order.
struct TwoWords {
    completed: AtomicU64,
    waiting: AtomicBool,
    wakers: Mutex<Wakers>,
}

impl Row for TwoWords {
    fn new() -> Self {
        Self {
            completed: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            wakers: Mutex::new(Wakers::default()),
        }
    }

    fn complete(&self, value: u64) {
        self.completed.store(value, Ordering::Release);
        if self.waiting.load(Ordering::Acquire) {
            let due = lock(&self.wakers).take_due(value);
            due.wake();
        }
    }

    fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
        let mut wakers = lock(&self.wakers);
        let ticket = wakers.insert(value, waker, Whose::Ours);
        self.waiting.store(true, Ordering::Release);
        if self.completed.load(Ordering::Acquire) < value {
            return Some(ticket);
        }
        wakers.remove(ticket).and(None)
    }

    fn state(&self, value: u64) -> State {
        let complete = self.completed.load(Ordering::Acquire) >= value;
        if complete { State::Complete } else { State::Pending }
    }

    fn fail(&self, _from: u64) {}

    fn recover(&self, _upto: u64) {}
}

/// One word, as in the real one, but a completion orders nothing before it.
struct Relaxed {
    word: AtomicU64,
    wakers: Mutex<Wakers>,
}

impl Row for Relaxed {
    fn new() -> Self {
        Self { word: AtomicU64::new(0), wakers: Mutex::new(Wakers::default()) }
    }

    fn complete(&self, value: u64) {
        if self.word.swap(value << 1, Ordering::Relaxed) & 1 == 0 {
            return;
        }
        let mut wakers = lock(&self.wakers);
        let due = wakers.take_due(value);
        if !wakers.is_empty() {
            self.word.fetch_or(1, Ordering::Relaxed);
        }
        drop(wakers);
        due.wake();
    }

    fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
        let mut wakers = lock(&self.wakers);
        let ticket = wakers.insert(value, waker, Whose::Ours);
        if self.word.fetch_or(1, Ordering::Relaxed) >> 1 < value {
            return Some(ticket);
        }
        wakers.remove(ticket).and(None)
    }

    fn state(&self, value: u64) -> State {
        let complete = self.word.load(Ordering::Relaxed) >> 1 >= value;
        if complete { State::Complete } else { State::Pending }
    }

    fn fail(&self, _from: u64) {}

    fn recover(&self, _upto: u64) {}
}
