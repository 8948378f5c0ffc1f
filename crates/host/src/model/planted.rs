//! Workers that make one mistake each, which the models of the host must catch.

use std::sync::Arc;

use syncpoint_core::contract::Seat;
use syncpoint_core::model::{catches, holds};

use super::Host;
use super::hand_over::{
    a_gate_opens_beside_the_owner, a_helper_takes_one_of_two_items, items_are_put_one_by_one,
    two_hosts_help,
};
use crate::order::{Batch, Order, Step, Turn};
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
        let passed = if waits { order.pass_waits(&mut batch) } else { 1 };
        drop(order);
        if !waits {
            run(&mut batch);
        }
        batch.at += passed;
        stream.timeline.complete(batch.at - 1);
        order = stream.order();
    }
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
