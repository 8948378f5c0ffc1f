//! What enqueued work may do itself: record, enqueue, wait, and be dropped unrun.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use syncpoint::{Device, Event, EventOptions, Gate, Kind, Point, Reason, Stream};
use syncpoint_conformance::journal::Journal;
use syncpoint_conformance::patience::{
    PATIENCE, assert_held, failure_of, heard, refused, say, settle,
};

const WOULD_DEADLOCK: Kind = Kind::Misuse(Reason::WouldDeadlock);

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

fn stream() -> Arc<Stream> {
    Arc::new(host().stream().unwrap())
}

#[test]
fn a_point_recorded_inside_work_is_the_end_of_that_work() {
    let (stream, gate) = (stream(), Gate::new());
    let (sender, receiver) = channel();
    let own = Arc::clone(&stream);
    stream.wait(&gate.point()).unwrap();
    stream
        .enqueue(move || {
            let event = Event::new(EventOptions::timed());
            event.record(&own).unwrap();
            let (point, timed) = (own.record().unwrap(), own.record_timed().unwrap());
            let answers = [point.query(), timed.query(), event.query()];
            say(&sender, (point, timed, answers.map(Result::unwrap)));
        })
        .unwrap();
    let behind = stream.record().unwrap();
    gate.open().unwrap();
    let (point, timed, answers) = heard(&receiver, "what the work recorded");
    assert_eq!(answers, [false; 3], "the work that asks still runs");
    for point in [&point, &timed, &behind] {
        settle(point);
    }
    assert!(timed.value() >= behind.value(), "what is recorded later names later work");
    timed.timestamp().unwrap();
}

#[test]
fn work_may_enqueue_on_its_own_stream_and_let_it_wait() {
    let (stream, gate, journal) = (stream(), Gate::new(), Journal::default());
    let (own, point, written) = (Arc::clone(&stream), gate.point(), journal.clone());
    let (sender, receiver) = channel();
    stream
        .enqueue(move || {
            own.wait(&point).unwrap();
            written.work(&own, "enqueued inside").unwrap();
            written.write("the work itself");
            say(&sender, own.record().unwrap());
        })
        .unwrap();
    let end = heard(&receiver, "the end of what was enqueued inside");
    assert_held(&end);
    gate.open().unwrap();
    settle(&end);
    journal.assert_reads(&["the work itself", "enqueued inside"]);
}

/// Runs this in the order of a stream, behind a gate, so that everything is enqueued before it runs.
fn inside<T: Send + 'static>(
    stream: &Stream,
    prepare: impl FnOnce(),
    code: impl FnOnce() -> T + Send + 'static,
) -> T {
    let ((sender, receiver), gate) = (channel(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(move || say(&sender, code())).unwrap();
    prepare();
    gate.open().unwrap();
    heard(&receiver, "what the work found out")
}

#[test]
fn work_that_synchronizes_its_own_stream_is_refused_at_once() {
    let stream = stream();
    let own = Arc::clone(&stream);
    let refusals = inside(
        &stream,
        || (),
        move || {
            let (event, point) = (own.device().event(), own.record().unwrap());
            event.record(&own).unwrap();
            [
                own.synchronize(),
                own.synchronize_timeout(PATIENCE),
                point.synchronize(),
                point.synchronize_timeout(PATIENCE),
                event.synchronize(),
                own.timeline().point(own.timeline().enqueued() + 1).synchronize(),
            ]
        },
    );
    for refusal in refusals {
        let error = refused(refusal, WOULD_DEADLOCK);
        let words = error.to_string();
        assert!(
            words.contains(&stream.timeline().to_string()) && words.contains(file!()),
            "{words}"
        );
    }
    settle(&stream.record().unwrap());
}

#[test]
fn work_that_synchronizes_what_depends_on_it_is_refused_and_names_the_way() {
    let (first, second, third) = (stream(), stream(), stream());
    let (promised, awaited) = (Gate::new(), Arc::new(OnceLock::<Point>::new()));
    let late = Arc::clone(&awaited);
    let prepare = || {
        second.wait_stream(&first).unwrap();
        second.open(&promised).unwrap();
        third.wait(&promised.point()).unwrap();
        awaited.set(third.record().unwrap()).unwrap();
    };
    let refusal = inside(&first, prepare, move || late.wait().synchronize());
    let words = refused(refusal, WOULD_DEADLOCK).to_string();
    for name in [first.timeline(), second.timeline(), third.timeline()] {
        assert!(words.contains(&name.to_string()), "{words} must name {name}");
    }
    settle(awaited.wait());
}

#[test]
fn work_may_wait_for_earlier_work_and_for_other_streams() {
    let (stream, other) = (stream(), stream());
    stream.enqueue(|| ()).unwrap();
    let earlier = stream.record().unwrap();
    let waited = inside(
        &stream,
        || (),
        move || {
            earlier.synchronize()?;
            other.enqueue(|| ())?;
            other.synchronize()?;
            other.device().stream()?.synchronize_timeout(Duration::ZERO)
        },
    );
    waited.unwrap();
}

#[test]
fn a_wait_inside_work_runs_no_work_on_its_thread() {
    for _ in 0..50 {
        let (stream, other) = (stream(), stream());
        let (here, there) = inside(
            &stream,
            || (),
            move || {
                let (sender, receiver) = channel();
                other.enqueue(move || say(&sender, thread::current().id())).unwrap();
                other.synchronize().unwrap();
                (thread::current().id(), heard(&receiver, "the thread of the other work"))
            },
        );
        assert_ne!(here, there);
    }
}

/// A capture that panics when it is dropped, and counts it.
struct Bomb {
    drops: Arc<AtomicUsize>,
    payload: fn() -> Box<dyn Any + Send>,
}

impl Bomb {
    fn new(drops: &Arc<AtomicUsize>) -> Self {
        Self { drops: Arc::clone(drops), payload: || Box::new("on purpose") }
    }

    /// What its panic carries panics when it is dropped, in turn.
    fn nested(drops: &Arc<AtomicUsize>) -> Self {
        Self { payload: || Box::new(Shard), drops: Arc::clone(drops) }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        std::panic::resume_unwind((self.payload)());
    }
}

/// The payload of a panic that panics itself.
struct Shard;

impl Drop for Shard {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("the payload"));
    }
}

#[test]
fn captures_that_panic_when_dropped_unrun_hurt_nobody() {
    let (stream, gate, drops) = (stream(), Gate::new(), Arc::new(AtomicUsize::new(0)));
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    for _ in 0..10 {
        let bomb = Bomb::nested(&drops);
        stream.enqueue(move || drop(bomb)).unwrap();
    }
    let promised = Gate::new();
    stream.open(&promised).unwrap();
    let end = stream.record().unwrap();
    gate.open().unwrap();
    let cause = failure_of(&end);
    assert!(failure_of(&promised.point()).is_same(&cause), "what lies behind the bombs is reached");
    stream.recover().unwrap();
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
    assert_eq!(drops.load(Ordering::Relaxed), 10, "each is dropped once");
}

#[test]
fn a_capture_that_panics_when_its_work_ends_fails_the_stream() {
    let (stream, drops) = (stream(), Arc::new(AtomicUsize::new(0)));
    let bomb = Bomb::nested(&drops);
    stream.enqueue(move || drop(bomb)).unwrap();
    assert_eq!(failure_of(&stream.record().unwrap()).kind(), Kind::Failed);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[test]
fn captures_refused_with_their_work_are_dropped_by_the_caller() {
    let (stream, drops) = (stream(), Arc::new(AtomicUsize::new(0)));
    stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    failure_of(&stream.record().unwrap());
    let bomb = Bomb::new(&drops);
    let caller = Arc::clone(&stream);
    let unwound = thread::spawn(move || caller.enqueue(move || drop(bomb)).is_err()).join();
    assert!(unwound.is_err(), "the panic of a drop on the caller's thread is the caller's");
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    assert!(stream.recover().unwrap().is_some(), "no lock was held");
    settle(&stream.record().unwrap());
}

/// A capture whose drop uses the library: no lock is held round it.
struct Uses {
    own: Arc<Stream>,
    other: Arc<Stream>,
    done: std::sync::mpsc::Sender<bool>,
}

impl Drop for Uses {
    fn drop(&mut self) {
        let refused = self.own.enqueue(|| ()).is_err() && self.own.query().is_err();
        self.other.enqueue(|| ()).unwrap();
        let used = refused && self.other.synchronize().is_ok();
        say(&self.done, used);
    }
}

#[test]
fn a_capture_dropped_unrun_may_use_its_stream_and_synchronize_another() {
    let (own, other, gate) = (stream(), stream(), Gate::new());
    let (done, receiver) = channel();
    own.wait(&gate.point()).unwrap();
    own.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    let uses = Uses { own: Arc::clone(&own), other, done };
    own.enqueue(move || drop(uses)).unwrap();
    gate.open().unwrap();
    assert!(heard(&receiver, "the drop of the capture"));
}

/// Waits for a point when it is dropped.
struct Waits(Point);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.synchronize().unwrap();
    }
}

#[test]
fn what_a_worker_has_set_free_survives_a_capture_that_waits_when_dropped() {
    let (waiting, failing, held) = (stream(), stream(), stream());
    let (begin, promised, failed, closed) = (Gate::new(), Gate::new(), Gate::new(), Gate::new());
    held.wait(&closed.point()).unwrap();
    failed.fail(syncpoint::Error::failed("on purpose")).unwrap();
    waiting.wait(&promised.point()).unwrap();
    waiting.enqueue(|| ()).unwrap();
    let end = waiting.record().unwrap();

    failing.wait(&begin.point()).unwrap();
    failing.open(&promised).unwrap();
    failing.wait(&failed.point()).unwrap();
    let capture = Waits(held.record().unwrap());
    failing.enqueue(move || drop(capture)).unwrap();
    begin.open().unwrap();
    settle(&promised.point());
    settle(&end);
    closed.open().unwrap();
    failure_of(&failing.record().unwrap());
}
