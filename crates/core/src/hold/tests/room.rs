//! Room: what is put on a full stream of others waits for it, and holds up nobody else.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use super::double::{Bench, PATIENCE};
use super::exposed;
use crate::error::{Kind, Reason};
use crate::gate::Gate;
use crate::sync::{Mutex, lock};

/// The room of the double's driver. Who waits for it tells, and sleeps until somebody makes some.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Room {
    /// There is none any more. Gives who hears of a sleeper, and who makes room.
    pub(super) fn fill(&self) -> (Receiver<()>, Sender<()>) {
        let ((sleeps, is_asleep), (make, is_made)) = (mpsc::channel(), mpsc::channel());
        *lock(&self.0) = Some((sleeps, is_made));
        (is_asleep, make)
    }

    /// There is some again, and nobody slept for it.
    pub(super) fn make(&self) {
        *lock(&self.0) = None;
    }

    pub(super) fn is_there(&self) -> bool {
        lock(&self.0).is_none()
    }

    pub(super) fn wait(&self) {
        // There is room for who comes after: a test has one sleeper.
        let full = lock(&self.0).take();
        if let Some((sleeps, is_made)) = full {
            sleeps.send(()).expect("the test listens");
            is_made.recv_timeout(PATIENCE).expect("somebody makes room");
        }
    }
}

#[test]
fn an_opening_that_waits_for_room_holds_up_no_other() {
    let (bench, others) = (Bench::<false>::new(), Bench::<false>::new());
    let (full, other) = (exposed(&bench), others.stream());
    let [theirs, ours] = [Gate::new(), Gate::new()];
    let (is_asleep, make) = bench.room().fill();
    thread::scope(|scope| {
        let opener = scope.spawn(|| full.open(&theirs));
        is_asleep.recv_timeout(PATIENCE).expect("the opening waits for room");
        // What makes room comes behind this one.
        let (opened, is_opened) = mpsc::channel();
        let (other, ours) = (&other, &ours);
        scope.spawn(move || opened.send(other.open(ours)));
        let outcome = is_opened.recv_timeout(PATIENCE / 2);
        make.send(()).expect("the opening sleeps");
        outcome.expect("it waits for nobody's room").unwrap();
        opener.join().expect("an opening returns").unwrap();
    });
    let again = full.open(&theirs).unwrap_err();
    assert_eq!(again.kind(), Kind::Misuse(Reason::GateUsed), "it was promised");
}

#[test]
fn a_gate_that_somebody_opens_while_its_opening_waits_for_room_is_not_promised() {
    let bench = Bench::<false>::new();
    let (stream, gate) = (exposed(&bench), Gate::new());
    let (is_asleep, make) = bench.room().fill();
    thread::scope(|scope| {
        let opener = scope.spawn(|| stream.open(&gate));
        is_asleep.recv_timeout(PATIENCE).expect("the opening waits for room");
        gate.open().unwrap();
        make.send(()).expect("the opening sleeps");
        let refused = opener.join().expect("an opening returns").unwrap_err();
        assert_eq!(refused.kind(), Kind::Misuse(Reason::GateUsed));
    });
}

/// Whatever becomes of an item: it leaves what it has not used as the order lock is released (`Places` looks), and of a
/// function a place is kept until it has returned.
#[test]
fn what_is_taken_of_the_room_is_left_and_what_a_function_keeps_is_used_by_its_mark() {
    let bench = Arc::new(Bench::<false>::lending(Some(7)));
    let stream = bench.borrowed();
    let counts = |bench: &Bench<false>| {
        let counts = bench.held_stream(0).driver().places().counts();
        (counts.in_hand, counts.kept)
    };
    let inside = Arc::clone(&bench);
    stream.submit(move |_| assert_eq!(counts(&inside), (0, 1), "at work")).unwrap();
    assert_eq!(counts(&bench), (0, 0), "it has returned");
    stream.submit(|_| Err::<(), _>("on purpose")).unwrap();
    assert_eq!(counts(&bench), (0, 0), "it has failed");
    assert!(stream.delay(Duration::ZERO).is_err() && stream.submit(|_| ()).is_err());
    stream.recover().unwrap();
    bench.refuse_next("no room");
    assert!(stream.delay(Duration::ZERO).is_err());
    assert_eq!(counts(&bench), (0, 0), "what was refused has nothing");
    assert!(stream.failure().is_none());
}
