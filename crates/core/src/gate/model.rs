//! Models of a gate: it is used once, and whoever waits for it learns what became of it.

#![expect(clippy::expect_used, reason = "a model is a test")]

use std::sync::Arc;

use loom::thread;

use super::*;
use crate::model::{catches, holds};
use crate::{State, Wait};

#[test]
fn of_an_opening_and_a_failure_one_comes_first_and_the_other_is_refused() {
    holds(3, || two_use_one_gate(GateCell::spend));
}

#[test]
fn a_gate_that_is_dropped_unopened_wakes_whoever_waits() {
    holds(3, || {
        let gate = Gate::new();
        let point = gate.point();
        let waiter = thread::spawn(move || outcome(&point).is_err());
        drop(gate);
        assert!(waiter.join().expect("a waiter wakes"), "a dropped gate is open");
    });
}

#[test]
fn a_promised_gate_is_opened_by_its_stream_although_it_is_dropped() {
    holds(3, || a_promise_is_kept(drop));
}

#[test]
fn a_promise_that_is_forgotten_fails_the_gate() {
    holds(3, || {
        let gate = Gate::new();
        let (point, opening) = (gate.point(), gate.promise().expect("nobody used it"));
        let stream = thread::spawn(move || drop(opening));
        drop(gate);
        assert!(outcome(&point).is_err(), "a forgotten promise was kept");
        stream.join().expect("a promise is dropped");
    });
}

#[test]
fn a_promise_that_is_taken_back_leaves_the_gate_to_its_holder() {
    holds(3, || {
        let gate = Arc::new(Gate::new());
        let holder = Arc::clone(&gate);
        let other = thread::spawn(move || holder.open().is_ok());
        if let Ok(opening) = gate.promise() {
            gate.name_opener(gate.point());
            gate.take_back(opening);
        }
        let opened = other.join().expect("a gate opens or refuses");
        assert_ne!(gate.open().is_ok(), opened, "a gate opens once");
        assert!(matches!(gate.point().known(), State::Complete), "an open gate is closed");
    });
}

#[test]
fn a_gate_that_is_looked_at_and_used_in_two_steps_is_caught() {
    fn spend_in_two_steps(cell: &GateCell, timeline: &Timeline, spent: Use) -> Result<()> {
        if matches!(*lock(&cell.use_of), Use::Unused) {
            *lock(&cell.use_of) = spent;
            return Ok(());
        }
        cell.spend(timeline, spent)
    }
    catches("used once", || holds(2, || two_use_one_gate(spend_in_two_steps)));
}

#[test]
fn a_drop_that_minds_no_promise_is_caught() {
    fn fail_and_drop(gate: Gate) {
        fail(&gate.timeline, Error::failed("on purpose"));
        drop(gate);
    }
    catches("a promise was broken", || holds(2, || a_promise_is_kept(fail_and_drop)));
}

type Spend = fn(&GateCell, &Timeline, Use) -> Result<()>;

/// One thread opens a gate, another fails it, and both first spend its only use.
fn two_use_one_gate(spend: Spend) {
    let gate = Arc::new(Gate::new());
    let (point, holder) = (gate.point(), Arc::clone(&gate));
    let opener = thread::spawn(move || {
        let spent = spend(holder.cell(), &holder.timeline, Use::Used);
        spent.map(|()| open(&holder.timeline)).is_ok()
    });
    let spent = spend(gate.cell(), &gate.timeline, Use::Used);
    let failed = spent.map(|()| fail(&gate.timeline, Error::failed("on purpose"))).is_ok();
    let outcome = outcome(&point);
    let opened = opener.join().expect("a gate opens or refuses");
    assert_ne!(opened, failed, "a gate is used once");
    assert_eq!(outcome.is_ok(), opened, "who was not refused decides");
}

/// A gate is promised to a stream, which opens it in time, and its holder is done with it.
fn a_promise_is_kept(be_done_with: fn(Gate)) {
    let gate = Gate::new();
    let (point, opening) = (gate.point(), gate.promise().expect("nobody used it"));
    let stream = thread::spawn(move || opening.open());
    be_done_with(gate);
    assert!(outcome(&point).is_ok(), "a promise was broken");
    stream.join().expect("a promise is kept");
}

/// Sleeps until a point has settled.
fn outcome(point: &Point) -> Result<()> {
    point.synchronize_with(Wait::Block, None)
}
