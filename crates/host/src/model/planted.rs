//! Workers that make one mistake each, which the models of the host must catch.

use std::sync::Arc;

use syncpoint_core::Point;
use syncpoint_core::contract::Seat;
use syncpoint_core::model::{catches, holds};

use super::hand_over::{
    a_gate_opens_beside_the_owner, a_helper_takes_one_of_two_items, a_row_of_gates_opens,
    items_are_put_one_by_one, two_hosts_help,
};
use super::{Host, raw};
use crate::batch::Batch;
use crate::order::{Order, Points, Step, Turn};
use crate::serve::Scheduler;
use crate::stream::HostStream;
use crate::sync::MutexGuard;
use crate::turn::{self, Limit};

#[test]
fn a_stale_entry_that_is_taken_for_a_turn_is_caught() {
    fn takes_whatever_is_listed(scheduler: &Arc<Scheduler>) {
        while let Some(stream) = scheduler.wait_for_work() {
            let mut order = unlisted(&stream);
            order.state = Turn::Running;
            turn::run(&stream, order, Limit::Fair(&Seat::default()));
        }
    }
    let check = || two_hosts_help(Host::worked_by(1, takes_whatever_is_listed));
    catches("the items that ran, in their order", || holds(2, check));
}

#[test]
fn a_stale_entry_that_swallows_the_next_turn_is_caught() {
    fn leaves_the_mark_of_a_stale_entry(scheduler: &Arc<Scheduler>) {
        while let Some(stream) = scheduler.wait_for_work() {
            if let Some(mut order) = turn::claim(stream.order()) {
                order.listed = false;
                turn::run(&stream, order, Limit::Fair(&Seat::default()));
            }
        }
    }
    let check =
        || a_helper_takes_one_of_two_items(Host::worked_by(1, leaves_the_mark_of_a_stale_entry));
    catches("deadlock", || holds(2, check));
}

#[test]
fn an_owner_that_looks_for_items_and_rests_in_two_steps_is_caught() {
    fn rests_in_two_steps(scheduler: &Arc<Scheduler>) {
        while let Some(stream) = scheduler.wait_for_work() {
            own(&stream, Slip::BeforeItRests);
        }
    }
    let check = || items_are_put_one_by_one(Host::worked_by(1, rests_in_two_steps));
    catches("deadlock", || holds(2, check));
}

#[test]
fn an_owner_that_is_listed_and_parks_in_two_steps_is_caught() {
    fn parks_in_two_steps(scheduler: &Arc<Scheduler>) {
        while let Some(stream) = scheduler.wait_for_work() {
            own(&stream, Slip::BeforeItParks);
        }
    }
    let check = || a_gate_opens_beside_the_owner(Host::worked_by(1, parks_in_two_steps));
    catches("deadlock", || holds(2, check));
}

#[test]
fn a_helper_that_marks_a_stream_as_runnable_and_leaves_it_is_caught() {
    fn marks_and_leaves(point: &Point) {
        let stream = raw(point);
        let mut order = stream.order();
        if order.state == Turn::Parked && order.parked_on(point.value()).is_some_and(is_over) {
            order.state = Turn::Runnable;
        }
    }
    fn is_over((first, _): Points) -> bool {
        first.timeline().is_known_complete(first.value())
    }
    let check = || a_row_of_gates_opens(Host::new(1), marks_and_leaves);
    catches("deadlock", || holds(2, check));
}

#[test]
fn an_owner_that_passes_a_row_of_waits_with_the_first_is_caught() {
    fn passes_the_row(scheduler: &Arc<Scheduler>) {
        while let Some(stream) = scheduler.wait_for_work() {
            own(&stream, Slip::WithTheFirst);
        }
    }
    let check = || a_row_of_gates_opens(Host::worked_by(1, passes_the_row), |_| ());
    catches("the items that ran, in their order", || holds(2, check));
}

fn unlisted(stream: &HostStream) -> MutexGuard<'_, Order> {
    let mut order = stream.order();
    order.listed = false;
    order
}

/// Where an owner lets the lock go between what it saw and what it makes of it.
#[derive(Clone, Copy, PartialEq)]
enum Slip {
    BeforeItRests,
    BeforeItParks,
    /// No lock: it takes all waits of a row to be over that begins with one that is.
    WithTheFirst,
}

impl Slip {
    fn here<'a>(
        self,
        place: Self,
        stream: &'a HostStream,
        order: MutexGuard<'a, Order>,
    ) -> MutexGuard<'a, Order> {
        if self != place {
            return order;
        }
        drop(order);
        stream.order()
    }
}

/// A turn like the real one, but for the slip.
fn own(stream: &Arc<HostStream>, slip: Slip) {
    let Some(mut order) = turn::claim(unlisted(stream)) else { return };
    let mut batch = Batch::default();
    loop {
        if batch.is_empty() && !order.refill(&mut batch) {
            order = slip.here(Slip::BeforeItRests, stream, order);
            return order.rest(&mut batch);
        }
        let waits = batch.is_at_wait();
        if waits && stays_listed(stream, &order) {
            order = slip.here(Slip::BeforeItParks, stream, order);
            order.put_back(&mut batch);
            order.state = Turn::Parked;
            return;
        }
        let passed = match (waits, slip) {
            (false, _) => 1,
            (true, Slip::WithTheFirst) => pass_the_row(&mut order, &mut batch),
            (true, _) => pass_waits(&mut order, &mut batch),
        };
        drop(order);
        if !waits {
            run(&mut batch);
        }
        batch.at += passed;
        stream.timeline.complete(batch.at - 1);
        order = stream.order();
    }
}

fn pass_waits(order: &mut Order, batch: &mut Batch) -> u64 {
    order.pass_waits(batch).expect("a wait has its edge").count()
}

/// Passes the waits of a row, whether they are over or not.
fn pass_the_row(order: &mut Order, batch: &mut Batch) -> u64 {
    let first = batch.at;
    while batch.is_at_wait() {
        batch.at += pass_waits(order, batch);
    }
    std::mem::replace(&mut batch.at, first) - first
}

/// Lists the stream with the waiters of the point that it has come to. `false`: the point has settled.
fn stays_listed(stream: &Arc<HostStream>, order: &Order) -> bool {
    let edge = order.waits().front().expect("a wait has its edge");
    Arc::clone(stream).list_with(&edge.point)
}

fn run(batch: &mut Batch) {
    let entry = batch.items.pop_front().expect("the batch was filled");
    if let Step::Work(work) = entry.step {
        work.run().expect("no work of the models fails here");
    }
}
