//! What is asked, and what fails, while a function of the user's is at work.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::double::Bench;
use super::{assert_complete, assert_pending, failure_of, work};
use crate::contract::{RawStream, tell_all};
use crate::error::{Error, Kind, Reason};
use crate::point::{Point, State};

/// A stream with a delay and behind it a function that has the delay failed, recovers and records. Gives the point, and
/// whether it was pending while the function was at work.
fn recover_within<const EACH: bool>(bench: &Bench<EACH>) -> (Point, bool) {
    let stream = Arc::new(bench.stream());
    stream.delay(Duration::ZERO).unwrap();
    let (held, same, (send, receive)) =
        (bench.held_stream(0), Arc::clone(&stream), mpsc::channel());
    let recover = move || {
        held.fail(1, &Error::failed("bad kernel"));
        held.complete(1);
        same.recover().unwrap();
        let point = same.record().unwrap();
        let pending = matches!(point.state(), State::Pending);
        send.send((point, pending)).unwrap();
    };
    stream.submit(move |_| recover()).unwrap();
    bench.run();
    receive.try_recv().unwrap()
}

#[test]
fn an_earlier_value_asked_for_while_a_function_submits_is_marked_behind_the_function() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)));
    let (a, b) = (bench.stream(), Arc::new(bench.stream()));
    a.delay(Duration::ZERO).unwrap();
    let (earlier, given) = (a.timeline().point(1), Arc::new(Mutex::new(Vec::new())));
    let (inside, seen, waiter) = (Arc::clone(&bench), Arc::clone(&given), Arc::clone(&b));
    a.submit(move |_| {
        waiter.wait(&earlier).unwrap();
        seen.lock().unwrap().extend(inside.given());
    })
    .unwrap();
    assert_eq!(*given.lock().unwrap(), ["0.1 delay"]);
    bench.run();
    bench.assert_given(&["0.2 mark", "1.1 wait 0.1"]);
}

#[test]
fn a_point_of_a_new_era_is_pending_while_a_function_of_the_old_one_is_at_work() {
    let bench = Bench::<true>::lending(Some(7));
    let (point, was_pending) = recover_within(&bench);
    assert!(was_pending);
    bench.complete(0, point.value());
    assert_complete(&point);
}

#[test]
fn what_is_recorded_after_a_recovery_within_a_function_is_marked_when_that_ends() {
    let bench = Bench::<false>::lending(Some(7));
    let (point, _) = recover_within(&bench);
    bench.assert_given(&["0.1 delay", "0.3 mark"]);
    assert_pending(&point);
    bench.complete(0, 3);
    assert_complete(&point);
}

#[test]
fn a_function_that_failed_is_at_work_no_more() {
    let bench = Bench::<true>::lending(Some(7));
    let stream = bench.stream();
    stream.submit(|_| Err::<(), _>("no memory")).unwrap();
    assert!(failure_of(&stream.record().unwrap()).contains("no memory"));
    stream.recover().unwrap();
    let end = work(&stream);
    bench.complete(0, end.value());
    assert_complete(&end);
}

#[test]
fn a_shutdown_from_within_the_devices_own_work_says_that_it_would_wait_for_itself() {
    let bench = Arc::new(Bench::<true>::lending(Some(7)));
    let (stream, inside) = (bench.stream(), Arc::clone(&bench));
    let (send, receive) = mpsc::channel();
    stream.submit(move |_| send.send(inside.device().shutdown(Duration::ZERO)).unwrap()).unwrap();
    let refused = receive.try_recv().unwrap().unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WouldDeadlock));
}

#[test]
fn what_has_begun_ends_with_the_function_at_work_although_what_is_behind_it_was_ended() {
    let bench = Arc::new(Bench::<true>::new());
    let (stream, inside, (send, receive)) = (bench.stream(), Arc::clone(&bench), mpsc::channel());
    stream
        .enqueue(move || {
            let held = inside.held_stream(0);
            tell_all(held.cancel(&Error::failed("shut down")));
            inside.run();
            send.send((held.begun(), held.begun().state())).unwrap();
        })
        .unwrap();
    work(&stream);
    bench.run();
    let (begun, state) = receive.try_recv().unwrap();
    assert!(begun.value() == 1 && matches!(state, State::Pending), "{begun}: {state:?}");
}
