//! Models of the call: whoever waits for a counter wakes, whoever has called the thread and whenever that leaves.

#![expect(clippy::expect_used, reason = "a model is a test")]

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use loom::thread;

use super::Call;
use crate::model::{catches, holds};
use crate::park::Parker;
use crate::sync::{AtomicU64, Ordering};
use crate::timeline::Core;

/// What those who wait and the thread share.
struct Counter {
    call: Call,
    core: Core,
    /// So often a thread is refused before one can be made.
    refusals: AtomicU64,
    watch: fn(&Counter),
}

impl Counter {
    fn new(refusals: u64, watch: fn(&Self)) -> Arc<Self> {
        let refusals = AtomicU64::new(refusals);
        Arc::new(Self { call: Call::default(), core: Core::new(0), refusals, watch })
    }

    /// As `Foreign::expect`: makes the thread, which completes what is waited for.
    fn expect(self: &Arc<Self>, give_up: fn(&Call) -> bool) {
        while self.call.begin(|| self.core.is_awaited()) {
            let refused = |left: u64| left.checked_sub(1);
            // Relaxed: a count, ordered with nothing.
            if self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refused).is_err() {
                let own = Arc::clone(self);
                drop(thread::spawn(move || (own.watch)(&own)));
                return;
            }
            if !give_up(&self.call) {
                return;
            }
        }
    }

    /// Waits for a value until it is woken.
    fn wait(self: &Arc<Self>, value: u64, give_up: fn(&Call) -> bool) {
        let parker = Parker::new();
        let listed = self.core.register(value, Waker::from(Arc::clone(&parker)));
        if listed.is_some() {
            self.expect(give_up);
            parker.park(Duration::MAX);
        }
    }
}

/// Raises the counter by one as often as somebody waits.
fn watch(counter: &Counter) {
    while counter.call.stays(|| counter.core.is_awaited()) {
        counter.core.complete(counter.core.completed() + 1);
    }
}

/// Looks whether somebody waits, and leaves in a second step.
fn leaves_later(counter: &Counter) {
    while counter.core.is_awaited() {
        counter.core.complete(counter.core.completed() + 1);
    }
    counter.call.stays(|| false);
}

/// Two wait: where a first call is refused, the thread comes for the other at the latest.
fn two_wait(refusals: u64, watch: fn(&Counter), give_up: fn(&Call) -> bool) {
    let counter = Counter::new(refusals, watch);
    let own = Arc::clone(&counter);
    let first = thread::spawn(move || own.wait(1, give_up));
    counter.wait(2, give_up);
    first.join().expect("it wakes");
}

#[test]
fn whoever_waits_finds_the_thread_or_is_found() {
    holds(3, || two_wait(0, watch, Call::give_up));
}

#[test]
fn a_thread_that_leaves_in_two_steps_is_caught() {
    catches("deadlock", || holds(3, || two_wait(0, leaves_later, Call::give_up)));
}

#[test]
fn whoever_relied_on_a_call_that_was_refused_has_it_made_again() {
    holds(3, || two_wait(1, watch, Call::give_up));
}

#[test]
fn a_call_that_is_given_up_for_all_is_caught() {
    fn gives_up_for_all(call: &Call) -> bool {
        call.give_up();
        false
    }
    catches("deadlock", || holds(3, || two_wait(1, watch, gives_up_for_all)));
}
