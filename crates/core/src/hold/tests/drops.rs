//! Drops: they give nothing to the driver, and wait for no order lock.

use std::fmt;
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::thread;

use super::double::{Bench, Double, PATIENCE};
use super::{assert_complete, failure_of, held, work};
use crate::contract::{RawBuffer, Task};
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::event_options::EventOptions;
use crate::gate::Gate;
use crate::hold::HeldStream;
use crate::notify;
use crate::point::Point;
use crate::retire::retire;
use crate::stream::Stream;

/// Drops objects that hang together while both order locks are held.
fn drops_beside_held_locks<const EACH: bool>() {
    let bench = Bench::<EACH>::new();
    let ((stream, gate), waiting) = (held(&bench), bench.stream());
    let (event, promised) = (Event::new(EventOptions::new()), Gate::new());
    let first = work(&stream);
    event.record(&stream).unwrap();
    waiting.wait_event(&event).unwrap();
    stream.open(&promised).unwrap();
    let last = work(&waiting);
    let notification = last.notify(drop).unwrap();
    let mut future = Box::pin((&first).into_future());
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let raws = [0, 1].map(|index| bench.held_stream(index));
    bench.given();

    let locks = raws.each_ref().map(|raw| raw.order());
    let (sender, dropped) = channel();
    let (device, points) = (bench.device().clone(), [first.clone(), last.clone()]);
    thread::spawn(move || {
        drop((event, promised, notification, future, points, waiting, stream, device));
        sender.send(())
    });
    dropped.recv_timeout(PATIENCE).expect("no drop waits for a lock that is held");
    bench.assert_given(&[]);
    drop(locks);

    gate.open().unwrap();
    bench.run();
    for (index, point) in [(0, &first), (1, &last)] {
        bench.complete(index, raws[index].timeline().enqueued());
        assert_complete(point);
    }
}

#[test]
fn drops_beside_held_order_locks_end_and_call_no_driver_that_signals_each() {
    drops_beside_held_locks::<true>();
}

#[test]
fn drops_beside_held_order_locks_end_and_call_no_driver_that_is_asked_for_marks() {
    drops_beside_held_locks::<false>();
}

/// A stream that was given a fill, and what that works on.
fn filling(bench: &Bench<false>) -> (Arc<HeldStream<Double<false>>>, Weak<dyn RawBuffer>) {
    let (stream, buffer) = (bench.stream(), bench.device().buffer(8).unwrap());
    stream.fill(&buffer, 0..8, 1).unwrap();
    let held = bench.held_stream(0);
    let memory = held.flight().kept().find_map(|kept| match kept {
        Task::Fill(fill) => Some(Arc::downgrade(fill.target.raw())),
        _ => None,
    });
    bench.forget_streams();
    (held, memory.unwrap())
}

/// Drops the last that anybody has of a stream.
fn end(held: Arc<HeldStream<Double<false>>>) {
    held.driver().forget();
    drop(held);
}

#[test]
fn what_the_device_may_use_outlives_a_stream_that_nobody_could_mark() {
    for is_refused in [false, true] {
        let bench = Bench::<false>::new();
        let (held, memory) = filling(&bench);
        if is_refused {
            bench.refuse_next("no room");
        }
        while bench.run_one() {
            if is_refused {
                bench.refuse_next("no room");
            }
        }
        end(held);
        assert_eq!(memory.strong_count() > 0, is_refused);
    }
}

#[test]
fn what_the_device_may_use_outlives_a_stream_that_nobody_could_ask() {
    let refusal = Error::new(Kind::Driver, "no answer");
    for is_heard_of in [false, true] {
        let bench = Bench::<false>::new();
        let (held, memory) = filling(&bench);
        bench.run();
        held.fail_unnoticed(1, &refusal);
        let submitted = held.flight().submitted();
        if is_heard_of {
            held.complete(submitted);
        }
        end(held);
        assert_eq!(memory.strong_count() > 0, !is_heard_of);
    }
}

#[test]
fn what_a_lost_device_had_ends_with_a_stream_that_nobody_could_ask_and_that_has_not_heard_of_it() {
    let refusal = Error::new(Kind::Driver, "no answer");
    for is_lost_before in [false, true] {
        let bench = Bench::<false>::new();
        let (held, memory) = filling(&bench);
        bench.run();
        if is_lost_before {
            bench.lose_untold();
        }
        held.fail_unnoticed(1, &refusal);
        assert_eq!(held.flight().was_refused(), !is_lost_before);
        bench.lose_untold();
        end(held);
        assert_eq!(memory.strong_count(), 0);
    }
}

/// Waits until the notifier has done what it was given before.
fn notified() {
    let (sender, done) = channel();
    notify::post(move || sender.send(()).unwrap());
    done.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn what_is_retired_behind_a_stream_that_is_gone_stays_where_nobody_could_ask() {
    let refusal = Error::new(Kind::Driver, "no answer");
    for is_heard_of in [false, true] {
        let bench = Bench::<false>::new();
        let (held, _memory) = filling(&bench);
        let point = held.timeline().point(1);
        bench.run();
        held.fail_unnoticed(1, &refusal);
        let submitted = held.flight().submitted();
        if is_heard_of {
            held.complete(submitted);
        }
        end(held);
        assert!(point.timeline().stream().is_none(), "it is gone");
        let resource = Arc::new(());
        let watched = Arc::downgrade(&resource);
        retire(resource, [point]).unwrap();
        // It is left by one task of the notifier, and dropped by another.
        notified();
        notified();
        assert_eq!(watched.strong_count() > 0, !is_heard_of);
    }
}

/// An error of the user's whose drop panics.
#[derive(Debug)]
struct Bomb;

impl fmt::Display for Bomb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a bomb was dropped");
    }
}

/// A stream whose wait alone has the timeline of another, and with it an error whose drop panics; and its last work.
fn waiting_with_a_bomb(bench: &Bench<true>) -> (Stream, Arc<HeldStream<Double<true>>>, Point) {
    let (awaited, waiting) = (bench.stream(), bench.stream());
    let first = work(&awaited);
    waiting.wait(&first).unwrap();
    let last = work(&waiting);
    let [failed, held] = [0, 1].map(|index| bench.held_stream(index));
    bench.finish(&failed, 1);
    failed.fail(2, &Error::failed("on purpose").caused_by(Bomb));
    bench.run();
    let of_awaited = Arc::downgrade(&failed);
    bench.forget_streams();
    drop((awaited, first, failed));
    assert_eq!(of_awaited.strong_count(), 0, "the wait alone has the timeline");
    (waiting, held, last)
}

#[test]
fn a_drop_that_panics_as_a_wait_lands_keeps_nothing_behind_it_from_landing() {
    let bench = Bench::<true>::new();
    let (waiting, held, last) = waiting_with_a_bomb(&bench);
    held.complete(last.value());
    assert_complete(&last);
    let next = work(&waiting);
    held.complete(next.value());
    assert_complete(&next);
}

#[test]
fn a_drop_that_panics_as_a_stream_fails_goes_no_further() {
    let bench = Bench::<true>::new();
    let (waiting, held, last) = waiting_with_a_bomb(&bench);
    held.fail(last.value() - 1, &Error::failed("so does the other"));
    assert_eq!(failure_of(&last), "so does the other");
    waiting.recover().unwrap();
    held.complete(last.value());
    let next = work(&waiting);
    held.complete(next.value());
    assert_complete(&next);
}
