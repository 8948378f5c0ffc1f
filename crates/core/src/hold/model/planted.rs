//! Ways to pump and to complete with one mistake each, which the models of the hold queue must catch.

use std::any::Any;
use std::sync::Arc;

use super::double::{Bench, Double};
use super::{
    HeldStream, a_peer_fails, an_opening_lands, delay, two_are_refused, two_gates_open,
    two_latches_open,
};
use crate::error::Error;
use crate::hold::losing::Losing;
use crate::model::{catches, holds};
use crate::sync::Ordering;
use crate::work::Pump;

#[test]
fn a_stream_that_can_be_roused_again_only_after_its_turn_is_caught() {
    fn pumps_and_then_clears(stream: Arc<dyn Pump>) {
        let stream: Arc<dyn Any + Send + Sync> = stream;
        let stream: Arc<HeldStream<Double<true>>> = stream.downcast().expect("a held stream");
        stream.land();
        if stream.take_turn() {
            while stream.step() {}
        }
        stream.roused.swap(false, Ordering::AcqRel);
    }
    let check = || two_gates_open(Bench::pumped_by(pumps_and_then_clears));
    catches("deadlock", || holds(2, check));
}

#[test]
fn a_stream_that_looks_at_its_latches_before_it_can_be_roused_again_is_caught() {
    fn serves_and_then_clears(stream: Arc<dyn Pump>) {
        let stream: Arc<dyn Any + Send + Sync> = stream;
        let stream: Arc<HeldStream<Double<true>>> = stream.downcast().expect("a held stream");
        stream.serve_latches();
        stream.roused.swap(false, Ordering::AcqRel);
    }
    let check = || two_latches_open(Bench::pumped_by(serves_and_then_clears));
    catches("deadlock", || holds(2, check));
}

#[test]
fn a_word_of_the_driver_that_goes_past_the_gates_is_caught() {
    fn completes_before_it_lands(stream: &HeldStream<Double<true>>, value: u64) {
        stream.timeline().complete(value);
        stream.complete(value);
    }
    catches("its gate closed", || holds(2, || an_opening_lands(completes_before_it_lands)));
}

#[test]
fn a_failure_that_nobody_is_told_and_nobody_asks_for_is_caught() {
    fn fails_alone(stream: &HeldStream<Double<true>>, value: u64, error: &Error) {
        Losing::of(stream.this(), stream.begin_failure(value, error)).tell();
    }
    fn completes_and_asks_no_wait(stream: &HeldStream<Double<true>>, value: u64) {
        stream.timeline().complete(value);
    }
    let check = || a_peer_fails(fails_alone, completes_and_asks_no_wait, delay);
    catches("a failure did not reach", || holds(2, check));
}

#[test]
fn a_mark_that_is_taken_away_behind_the_lock_is_caught() {
    fn hears_behind_the_lock(stream: &HeldStream<Double<true>>, value: u64) {
        let mut flight = stream.flight();
        let done = flight.reach(value);
        let is_heard = flight.hear();
        drop(flight);
        if is_heard {
            stream.timeline().hear();
        }
        stream.land();
        drop(done);
    }
    catches("is gone", || holds(2, || two_are_refused(hears_behind_the_lock)));
}
