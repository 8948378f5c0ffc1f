//! Streams that others launch on too: every record is a mark, and nothing is held on the host.

use std::sync::{Arc, Mutex, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use super::double::{Bench, Double, PATIENCE};
use super::{assert_complete, assert_pending, exposed, failure_of, held, work};
use crate::error::{Kind, Reason, Result};
use crate::gate::Gate;
use crate::hold::HeldStream;
use crate::stream::Mode;

#[test]
fn a_stream_says_how_it_came_here() {
    let bench = Bench::<false>::new();
    let (made, borrowed) = (bench.stream(), bench.borrowed());
    assert_eq!((made.mode(), borrowed.mode()), (Mode::Managed, Mode::Borrowed));
    bench.held_stream(0).expose().unwrap();
    bench.held_stream(1).expose().unwrap();
    assert_eq!((made.mode(), borrowed.mode()), (Mode::Exposed, Mode::Borrowed));
}

#[test]
fn the_handle_of_a_stream_that_holds_work_is_not_given_out() {
    let bench = Bench::<false>::new();
    let (stream, gate) = held(&bench);
    let refused = bench.held_stream(0).expose().unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::Held));
    assert_eq!(stream.mode(), Mode::Managed);
    gate.open().unwrap();
    bench.run();
    bench.held_stream(0).expose().unwrap();
}

/// Gives the handle of a stream out when it is woken.
struct Exposes {
    stream: Arc<HeldStream<Double<false>>>,
    outcome: Mutex<Option<Result<()>>>,
}

impl Wake for Exposes {
    fn wake(self: Arc<Self>) {
        *self.outcome.lock().unwrap() = Some(self.stream.expose());
    }
}

#[test]
fn the_handle_is_given_out_as_soon_as_the_last_of_what_was_held_is_complete() {
    let bench = Bench::<false>::new();
    let (stream, gate) = held(&bench);
    let exposes = Arc::new(Exposes { stream: bench.held_stream(0), outcome: Mutex::default() });
    let waker = Waker::from(Arc::clone(&exposes));
    let end = stream.timeline().enqueued();
    let _ticket = stream.timeline().register(end, waker).expect("it is pending");
    gate.open().unwrap();
    bench.run();
    exposes.outcome.lock().unwrap().take().expect("it was woken").unwrap();
    let point = stream.record().unwrap();
    bench.run();
    bench.complete(0, point.value());
    assert_complete(&point);
}

#[test]
fn every_record_is_a_mark_because_others_may_have_launched_something() {
    let bench = Bench::<false>::new();
    let stream = exposed(&bench);
    let (first, second) = (stream.record().unwrap(), stream.record().unwrap());
    assert_ne!(first, second);
    bench.assert_given(&["0.1 mark", "0.2 mark"]);
    bench.complete(0, 1);
    assert_complete(&first);
    assert_pending(&second);
}

#[test]
fn what_is_put_while_a_function_submits_goes_to_the_driver_at_once_and_comes_before_the_function() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)));
    let (stream, other) = (Arc::new(exposed(&bench)), bench.stream());
    let (awaited, inside) = (work(&other), Arc::new(Mutex::new(None)));
    bench.given();
    let (same, taken, seen) = (Arc::clone(&stream), Arc::clone(&inside), Arc::clone(&bench));
    stream
        .submit(move |_| {
            same.wait(&awaited).unwrap();
            *taken.lock().unwrap() = Some(same.record().unwrap());
            // What is launched now is behind the wait, whoever launches it.
            seen.assert_given(&["0.1 wait 1.1", "0.2 mark"]);
        })
        .unwrap();
    let end = stream.record().unwrap();
    bench.assert_given(&["0.4 mark"]);
    bench.complete(1, 1);
    bench.complete(0, 2);
    assert_complete(inside.lock().unwrap().as_ref().unwrap());
    assert_pending(&end);
    bench.complete(0, 4);
    assert_complete(&end);
}

#[test]
fn a_function_that_fails_takes_along_what_is_put_after_it_and_nothing_that_was_put_meanwhile() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)));
    let (stream, inside) = (Arc::new(exposed(&bench)), Arc::new(Mutex::new(None)));
    let (same, taken) = (Arc::clone(&stream), Arc::clone(&inside));
    stream
        .submit(move |_| {
            *taken.lock().unwrap() = Some(same.record().unwrap());
            Err::<(), _>("no such kernel")
        })
        .unwrap();
    assert!(failure_of(&stream.record().unwrap()).contains("no such kernel"));
    bench.complete(0, 1);
    assert_complete(inside.lock().unwrap().as_ref().unwrap());
}

#[test]
fn a_shutdown_waits_for_a_function_that_submits_and_has_what_it_launched_noticed() {
    let bench = Bench::<false>::lending(Some(7));
    let stream = exposed(&bench);
    let ((release, released), (send, begun)) = (mpsc::channel::<()>(), mpsc::channel());
    let caller = thread::spawn(move || {
        stream.submit(move |_| {
            send.send(()).unwrap();
            released.recv().unwrap();
        })
    });
    begun.recv_timeout(PATIENCE).unwrap();
    let left = bench.device().shutdown(Duration::ZERO).unwrap_err();
    assert_eq!(left.kind(), Kind::TimedOut);
    bench.assert_given(&[]);
    release.send(()).unwrap();
    caller.join().unwrap().unwrap();
    bench.run();
    bench.assert_given(&["0.1 mark"]);
    bench.complete(0, 1);
    bench.device().shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_function_that_submits_cannot_wait_for_its_own_end_with_a_shutdown() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)));
    let (stream, inside, (send, receive)) = (exposed(&bench), Arc::clone(&bench), mpsc::channel());
    stream.submit(move |_| send.send(inside.device().shutdown(Duration::ZERO)).unwrap()).unwrap();
    let refused = receive.try_recv().unwrap().unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WouldDeadlock));
}

#[test]
fn a_query_of_the_stream_asks_the_driver_and_adds_nothing() {
    let bench = Bench::<false>::new();
    let stream = bench.borrowed();
    let point = work(&stream);
    bench.given();
    bench.say_idle(false);
    assert!(!stream.query().unwrap());
    bench.say_idle(true);
    assert!(stream.query().unwrap());
    assert_complete(&point);
    bench.assert_given(&[]);
}

#[test]
fn what_would_have_to_be_held_is_refused_with_the_remedy_and_changes_nothing() {
    let bench = Bench::<false>::new();
    let (stream, gate) = (exposed(&bench), Gate::new());
    let before = stream.timeline().enqueued();
    for refused in [stream.wait(&gate.point()), stream.enqueue(|| ())] {
        assert_eq!(refused.unwrap_err().kind(), Kind::Unsupported);
    }
    assert_eq!(stream.timeline().enqueued(), before);
    bench.assert_given(&[]);
    stream.delay(Duration::ZERO).unwrap();
    bench.assert_given(&["0.1 delay"]);
}

#[test]
fn while_a_function_submits_the_same_is_refused() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)));
    let (stream, refused) = (Arc::new(exposed(&bench)), Arc::new(Mutex::new(Vec::new())));
    let (same, kinds, gate) = (Arc::clone(&stream), Arc::clone(&refused), Gate::new());
    stream
        .submit(move |_| {
            let outcomes = [same.wait(&gate.point()), same.enqueue(|| ())];
            kinds.lock().unwrap().extend(outcomes.map(|outcome| outcome.unwrap_err().kind()));
        })
        .unwrap();
    assert_eq!(*refused.lock().unwrap(), [Kind::Unsupported, Kind::Unsupported]);
}

#[test]
fn it_waits_natively_for_what_is_submitted_and_others_wait_for_it() {
    let bench = Bench::<false>::new();
    let (borrowed, made) = (bench.borrowed(), bench.stream());
    borrowed.wait(&work(&made)).unwrap();
    made.wait(&borrowed.record().unwrap()).unwrap();
    bench.assert_given(&["1.1 delay", "1.1 mark", "0.1 wait 1.1", "0.2 mark", "1.2 wait 0.2"]);
}

#[test]
fn a_wait_for_a_point_that_is_held_elsewhere_is_refused() {
    let bench = Bench::<false>::new();
    let ((made, _gate), borrowed) = (held(&bench), bench.borrowed());
    let refused = borrowed.wait(&work(&made)).unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported);
}
