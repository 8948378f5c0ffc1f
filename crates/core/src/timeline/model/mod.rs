//! Models of a timeline: completion, failure and recovery beside those who wait, ask and go.

#![expect(clippy::expect_used, reason = "a model is a test")]

mod planted;

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use loom::thread;

use super::{Core, Ticket};
use crate::error::Error;
use crate::model::{catches, holds};
use crate::park::Parker;
use crate::point::State;
use crate::sync::{AtomicU64, Ordering};

/// What the models ask of a timeline, so that they also run on twins in which a bug is planted.
trait Row: Send + Sync + 'static {
    fn new() -> Self;
    fn complete(&self, value: u64);
    fn fail(&self, from: u64);
    fn recover(&self, upto: u64);
    fn register(&self, value: u64, waker: Waker) -> Option<Ticket>;
    fn state(&self, value: u64) -> State;
}

/// Declares a twin of the real timeline: what is not written out is as in the real one.
macro_rules! twin {
    ($(#[$about:meta])* $name:ident as real in ($($real:ident)*) but { $($method:item)* }) => {
        $(#[$about])*
        struct $name(Core);

        impl Row for $name {
            fn new() -> Self {
                Self(Core::new(0))
            }
            $($method)*
            $(twin!(@$real);)*
        }
    };
    (@complete) => { fn complete(&self, value: u64) { self.0.complete(value); } };
    (@fail) => {
        fn fail(&self, from: u64) { self.0.fail(from, Error::failed("on purpose")).wake(); }
    };
    (@recover) => {
        fn recover(&self, upto: u64) {
            assert!(self.0.recover(upto).is_some(), "an era that began must end");
        }
    };
    (@register) => {
        fn register(&self, value: u64, waker: Waker) -> Option<Ticket> {
            self.0.register(value, waker)
        }
    };
    (@state) => { fn state(&self, value: u64) -> State { self.0.state(value) } };
}

use twin;

twin! { Real as real in (complete fail recover register state) but {} }

#[test]
fn a_new_era_begins_with_its_first_value() {
    holds(3, || an_era_ends(|core| drop(core.renew(2, 3))));
}

#[test]
fn an_era_that_ends_before_the_next_has_a_value_is_caught() {
    let planted = |core: &Core| {
        core.recover(2);
        core.enqueue(3);
    };
    catches("a record would name what has failed", move || holds(2, move || an_era_ends(planted)));
}

#[test]
fn a_value_of_an_era_before_that_begins_is_caught() {
    let planted = |core: &Core| {
        core.enqueue(3);
        core.recover(2);
    };
    catches("the new era has failed", move || holds(2, move || an_era_ends(planted)));
}

/// One thread recovers two values of which the first failed; another looks whether anything fails, and at the latest value.
fn an_era_ends(renew: fn(&Core)) {
    let core = Arc::new(Core::new(2));
    core.fail(1, Error::failed("on purpose")).wake();
    let owner = thread::spawn({
        let core = Arc::clone(&core);
        move || {
            renew(&core);
            core.complete(3);
        }
    });
    let is_over = core.failure().is_none();
    let latest = core.enqueued();
    let has_failed = matches!(core.state(latest), State::Failed(_));
    assert!(!is_over || latest == 3, "a record would name what has failed");
    assert!(latest != 3 || !has_failed, "the new era has failed");
    owner.join().expect("the owner ends");
}

#[test]
fn whoever_waits_wakes_and_sees_what_the_work_wrote() {
    holds(3, one_waits_for_each_value::<Real>);
}

#[test]
fn completions_that_cross_wake_everybody() {
    holds(3, completions_cross::<Real>);
}

#[test]
fn a_failure_wakes_whoever_still_waits() {
    holds(3, the_second_value_fails::<Real>);
}

#[test]
fn a_failed_value_is_never_complete_whatever_comes_after() {
    holds(3, a_failure_is_recovered_from::<Real>);
}

#[test]
fn completion_never_falls() {
    holds(3, || {
        let core = Arc::new(Real::new());
        let completers = [2, 1].map(|value| start(&core, move |core| core.complete(value)));
        let (first, second) = (core.0.progress.completed(), core.0.progress.completed());
        assert!(first <= second, "{first} came before {second}");
        end(completers);
        assert_eq!(core.0.progress.completed(), 2);
    });
}

#[test]
fn an_unlisted_waker_is_dropped_and_takes_no_other_with_it() {
    holds(3, || {
        let core = Arc::new(Real::new());
        let (goes, stays) = (Parker::new(), Parker::new());
        let ticket = core.register(1, Waker::from(Arc::clone(&goes)));
        let completer = start(&core, |core| core.complete(1));
        let listed = core.register(1, Waker::from(Arc::clone(&stays)));
        core.0.unregister(ticket.expect("nothing was complete"));
        if listed.is_some() {
            sleep_until_settled(&*core, 1, &stays);
        }
        end([completer]);
        assert_eq!(Arc::strong_count(&goes), 1, "a waker stayed behind");
        assert_eq!(Arc::strong_count(&stays), 1, "a waker stayed behind");
    });
}

/// One thread completes two values, and two wait for one each.
fn one_waits_for_each_value<R: Row>() {
    let work = Arc::new((R::new(), Written::default()));
    let completer = start(&work, |(row, written)| {
        for value in [1, 2] {
            written.write(value);
            row.complete(value);
        }
    });
    let waiter = start(&work, |(row, written)| {
        wait_until_complete(row, 1);
        written.must_show(1);
    });
    let (row, written) = &*work;
    wait_until_complete(row, 2);
    written.must_show(2);
    end([completer, waiter]);
}

/// Two threads complete a value each, in whichever order, and one waits for both.
fn completions_cross<R: Row>() {
    let row = Arc::new(R::new());
    let completers = [1, 2].map(|value| start(&row, move |row| row.complete(value)));
    wait_until_complete(&*row, 2);
    assert!(matches!(row.state(1), State::Complete), "what lies below a complete value is pending");
    end(completers);
}

/// One thread completes a value and fails the next, and two wait for one each.
fn the_second_value_fails<R: Row>() {
    let row = Arc::new(R::new());
    let owner = start(&row, |row| {
        row.complete(1);
        row.fail(2);
    });
    let waiter = start(&row, |row| wait_until_complete(row, 1));
    assert!(matches!(wait(&*row, 2), State::Failed(_)), "the failed value is complete");
    assert!(matches!(row.state(1), State::Complete), "the value before the failure is lost");
    end([owner, waiter]);
}

/// One thread fails two values, recovers and completes the third; one waits for a failed one, one asks.
fn a_failure_is_recovered_from<R: Row>() {
    let row = Arc::new(R::new());
    let owner = start(&row, |row| {
        row.fail(1);
        row.recover(2);
        row.complete(3);
    });
    let waiter = start(&row, |row| {
        assert!(matches!(wait(row, 2), State::Failed(_)), "a failed value is complete");
    });
    let seen = row.state(2);
    assert!(!matches!(seen, State::Complete), "a failed value is complete");
    if matches!(row.state(3), State::Complete) {
        assert!(matches!(row.state(1), State::Failed(_)), "a failure was forgotten");
    }
    end([owner, waiter]);
}

/// What the work of a value wrote. Relaxed: what is seen here, another access made visible.
#[derive(Default)]
struct Written([AtomicU64; 2]);

impl Written {
    fn write(&self, value: u64) {
        self.of(value).store(value, Ordering::Relaxed);
    }

    fn must_show(&self, value: u64) {
        let seen = self.of(value).load(Ordering::Relaxed);
        assert_eq!(seen, value, "a value is complete and its work cannot be seen");
    }

    fn of(&self, value: u64) -> &AtomicU64 {
        &self.0[usize::from(value != 1)]
    }
}

fn wait_until_complete(row: &impl Row, value: u64) {
    assert!(matches!(wait(row, value), State::Complete), "a value failed that was completed");
}

/// Waits as a stream does: once listed it sleeps without another look.
fn wait(row: &impl Row, value: u64) -> State {
    let parker = Parker::new();
    let listed = row.register(value, Waker::from(Arc::clone(&parker)));
    if listed.is_none() {
        let state = row.state(value);
        assert!(!matches!(state, State::Pending), "a pending value refused its waiter");
        return state;
    }
    sleep_until_settled(row, value, &parker)
}

fn sleep_until_settled(row: &impl Row, value: u64, parker: &Parker) -> State {
    loop {
        parker.park(Duration::MAX);
        let state = row.state(value);
        if !matches!(state, State::Pending) {
            return state;
        }
    }
}

/// A thread that works on what it shares.
fn start<T, F>(shared: &Arc<T>, work: F) -> thread::JoinHandle<()>
where
    T: Send + Sync + 'static,
    F: FnOnce(&T) + 'static,
{
    let shared = Arc::clone(shared);
    thread::spawn(move || work(&shared))
}

fn end(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("a thread of a model fails by its own words");
    }
}
