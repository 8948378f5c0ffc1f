//! Models of a standing: whoever wants something on the list of a thread and can make the thread is served.

#![expect(clippy::expect_used, reason = "a model is a test")]

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use loom::thread;

use super::{Stand, Standing, Want};
use crate::model::{catches, holds};
use crate::park::Parker;
use crate::sync::{AtomicBool, Mutex, Ordering, lock};
use crate::timeline::Core;

/// A stream that several wait for, and the thread that serves it.
struct Bed {
    standing: Mutex<Standing>,
    inbox: Mutex<Inbox>,
    /// Whether something lies in the inbox for want of a thread. Written under its lock.
    is_left: AtomicBool,
    core: Core,
    want: fn(&mut Standing) -> Option<Want>,
}

/// As that of `Errands`.
#[derive(Default)]
struct Inbox {
    items: usize,
    is_served: bool,
}

/// Whether a thread can be made by who gives.
#[derive(Clone, Copy)]
enum Threads {
    Refused,
    Made,
}

impl Bed {
    fn new(want: fn(&mut Standing) -> Option<Want>) -> Arc<Self> {
        let (standing, inbox) = (Mutex::default(), Mutex::new(Inbox::default()));
        let is_left = AtomicBool::new(false);
        Arc::new(Self { standing, inbox, is_left, core: Core::new(0), want })
    }

    fn expect(self: &Arc<Self>, threads: Threads) {
        let wanted = (self.want)(&mut lock(&self.standing));
        match wanted {
            None => self.retry(threads),
            Some(want) => {
                if !self.give(threads) {
                    lock(&self.standing).leave_given(want);
                }
            }
        }
    }

    fn give(self: &Arc<Self>, threads: Threads) -> bool {
        let mut inbox = lock(&self.inbox);
        inbox.items += 1;
        self.see_served(&mut inbox, threads)
    }

    fn retry(self: &Arc<Self>, threads: Threads) {
        if self.is_left.load(Ordering::Relaxed) {
            let mut inbox = lock(&self.inbox);
            if inbox.items > 0 {
                self.see_served(&mut inbox, threads);
            }
        }
    }

    fn see_served(self: &Arc<Self>, inbox: &mut Inbox, threads: Threads) -> bool {
        if inbox.is_served {
            return true;
        }
        if let Threads::Made = threads {
            inbox.is_served = true;
            let own = Arc::clone(self);
            drop(thread::spawn(move || own.serve()));
        }
        self.is_left.store(!inbox.is_served, Ordering::Relaxed);
        inbox.is_served
    }

    /// As the poller: it takes what was given on its list, and off again once nobody waits.
    fn serve(&self) {
        while self.take_items() > 0 {
            if lock(&self.standing).take() {
                while self.goes_on() {
                    self.core.complete(self.core.completed() + 1);
                }
            }
        }
    }

    fn take_items(&self) -> usize {
        let mut inbox = lock(&self.inbox);
        inbox.is_served = inbox.items > 0;
        std::mem::take(&mut inbox.items)
    }

    fn goes_on(&self) -> bool {
        let mut standing = lock(&self.standing);
        let is_awaited = self.core.is_awaited();
        if !is_awaited {
            standing.leave();
        }
        is_awaited
    }

    fn wait(self: &Arc<Self>, threads: Threads) {
        let parker = Parker::new();
        if self.core.register(1, Waker::from(Arc::clone(&parker))).is_some() {
            self.expect(threads);
            parker.park(Duration::MAX);
        }
    }
}

/// One waits for whom no thread can be made, beside one for whom it can: that one wakes, and so does the other.
fn two_wait(want: fn(&mut Standing) -> Option<Want>) {
    let bed = Bed::new(want);
    let own = Arc::clone(&bed);
    let refused = thread::spawn(move || own.wait(Threads::Refused));
    bed.wait(Threads::Made);
    // Who came only now would be served by the next who comes by.
    bed.core.complete(1);
    refused.join().expect("it wakes");
}

#[test]
fn who_can_make_the_thread_is_served_whoever_is_refused_meanwhile() {
    holds(3, || two_wait(Standing::want));
}

#[test]
fn who_relies_on_another_that_is_just_refused_is_caught() {
    fn relies(standing: &mut Standing) -> Option<Want> {
        if standing.stand == Stand::Off { standing.want() } else { None }
    }
    catches("deadlock", || holds(3, || two_wait(relies)));
}

#[test]
fn what_no_thread_could_be_made_for_lies_there_once_and_is_served_later() {
    holds(3, || {
        let bed = Bed::new(Standing::want);
        let wakers = [Parker::new(), Parker::new()].map(Waker::from);
        for waker in wakers {
            assert!(bed.core.register(1, waker).is_some(), "nobody completes it");
            bed.expect(Threads::Refused);
        }
        assert_eq!(lock(&bed.inbox).items, 1, "the list grows");
        bed.wait(Threads::Made);
    });
}
