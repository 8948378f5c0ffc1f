//! Models of native waits beside the end of what they wait for, where marks signal: for the first time, and again.

use std::sync::Arc;

use loom::thread;

use super::double::{Bench, Double};
use super::{HeldStream, outcome, sleep_until, work};
use crate::contract::RawStream;
use crate::error::Error;
use crate::model::holds;
use crate::place::Place;
use crate::point::{Point, State};
use crate::stream::Stream;

#[test]
fn a_failure_of_what_never_comes_reaches_whoever_waits_beside_it() {
    holds(2, || a_peer_is_lost(0, usual));
}

#[test]
fn a_failure_of_what_never_comes_reaches_whoever_waits_the_long_way_beside_it() {
    holds(2, || a_peer_is_lost(0, long));
}

#[test]
fn a_failure_of_what_never_comes_reaches_whoever_waits_again_beside_it() {
    holds(2, || a_peer_is_lost(1, usual));
}

#[test]
fn a_loss_reaches_whoever_is_made_and_waits_beside_it() {
    holds(2, || {
        let bench = Bench::<false>::new();
        let lost = bench.stream();
        let (awaited, raw) = (work(&lost), held(&lost));
        let loses = thread::spawn(move || {
            let error = Error::failed("on purpose");
            raw.domain().lose(|driver| std::ptr::eq(driver, raw.driver()), &error);
        });
        assert_fails(&bench, &bench.stream(), |stream| usual(stream, &awaited));
        loses.join().expect("a loss is told");
        bench.close();
    });
}

#[test]
fn what_is_behind_two_waits_for_one_peer_comes_after_both() {
    holds(2, || {
        let bench = Bench::<false>::new();
        let (peer, waits) = (bench.stream(), bench.stream());
        let points = [(); 2].map(|()| work(&peer));
        let engine = thread::spawn({
            let engine = Arc::clone(&bench.engine);
            move || {
                while let Some(given) = engine.take() {
                    assert!(!given.is_early, "the driver was told to wait for what nobody signals");
                    given.ends();
                }
            }
        });
        for point in &points {
            waits.wait(point).expect("a wait");
        }
        sleep_until(&work(&waits));
        for point in &points {
            assert!(matches!(point.known(), State::Complete), "a wait was overtaken");
        }
        bench.engine.close();
        engine.join().expect("the engine ends");
        bench.close();
    });
}

/// How a stream is told to wait.
type Tell = fn(&Stream, &Point);

fn usual(stream: &Stream, point: &Point) {
    stream.wait(point).expect("a wait");
}

/// As where somebody observes.
fn long(stream: &Stream, point: &Point) {
    let placed = held(stream).wait(point, Place::caller()).expect("a wait");
    assert!(placed.is_some(), "nobody waits for it yet");
}

/// The device of one stream is lost and comes to nothing any more, while another stream is told to wait for its latest
/// point, and waits for so many before that.
fn a_peer_is_lost(before: u32, tell: Tell) {
    let bench = Bench::<false>::new();
    let (lost, waits) = (bench.stream(), bench.stream());
    for _ in 0..before {
        usual(&waits, &work(&lost));
    }
    let awaited = work(&lost);
    let (raw, value) = (held(&lost), awaited.value());
    // Those before it stay pending: a failure of theirs would be found without this one.
    let loses = thread::spawn(move || raw.fail(value, &Error::failed("on purpose")));
    assert_fails(&bench, &waits, |waits| tell(waits, &awaited));
    loses.join().expect("a loss is told");
    bench.close();
}

/// The end of a stream that is told to wait fails, although the engine comes to nothing.
fn assert_fails(bench: &Bench<false>, waits: &Stream, tell: impl FnOnce(&Stream)) {
    tell(waits);
    let end = waits.record().expect("a point");
    assert!(outcome(&end).is_err(), "what never comes was complete");
    bench.engine.close();
    while let Some(given) = bench.engine.take() {
        drop(given);
    }
}

fn held(stream: &Stream) -> Arc<HeldStream<Double<false>>> {
    stream.timeline().own_stream().expect("the stream lives")
}
