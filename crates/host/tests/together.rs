//! Waiting for several points at once, and retiring what they use.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{
    Device, Error, Gate, Kind, Point, Reason, retire, wait_all, wait_all_deadline,
    wait_all_timeout, wait_any, wait_any_deadline, wait_any_timeout,
};

/// Long enough for the slowest machine; a lost wake-up would last for ever.
const DEADLINE: Duration = Duration::from_secs(60);

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

fn points(gates: &[Gate]) -> Vec<Point> {
    gates.iter().map(Gate::point).collect()
}

#[test]
fn of_no_points_all_are_complete_and_none_is_the_first() {
    wait_all(&[]).unwrap();
    wait_all_timeout(&[], Duration::ZERO).unwrap();
    wait_all_deadline(&[], Instant::now()).unwrap();
    let refused = wait_any_deadline(&[], Instant::now()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::OutOfRange));
    assert_eq!(wait_any(&[]).unwrap_err().kind(), Kind::Misuse(Reason::OutOfRange));
    assert_eq!(
        wait_any_timeout(&[], DEADLINE).unwrap_err().kind(),
        Kind::Misuse(Reason::OutOfRange)
    );
}

#[test]
fn a_deadline_that_has_passed_asks_once() {
    let (open, closed) = (Gate::new(), Gate::new());
    open.open().unwrap();
    let past = Instant::now();
    wait_all_deadline(&[open.point()], past).unwrap();
    let late = wait_all_deadline(&[open.point(), closed.point()], past).unwrap_err();
    assert_eq!(late.kind(), Kind::TimedOut);
    assert_eq!(wait_any_deadline(&[closed.point(), open.point()], past).unwrap().index, 1);
    assert_eq!(wait_any_deadline(&[closed.point()], past).unwrap_err().kind(), Kind::TimedOut);
}

#[test]
fn the_first_of_many_points_is_told_by_its_index() {
    let gates: Vec<Gate> = (0..1000).map(|_| Gate::new()).collect();
    let waiting = points(&gates);
    let waiter = thread::spawn(move || wait_any_timeout(&waiting, DEADLINE).unwrap());
    gates[617].open().unwrap();
    let first = waiter.join().unwrap();
    assert_eq!(first.index, 617);
    first.outcome.unwrap();
}

#[test]
fn a_failure_is_first_too_and_tells_its_cause() {
    let gates = [Gate::new(), Gate::new()];
    gates[1].fail(Error::failed("on purpose")).unwrap();
    let first = wait_any(&points(&gates)).unwrap();
    assert_eq!(first.index, 1);
    assert_eq!(first.outcome.unwrap_err().message(), "on purpose");
}

#[test]
fn a_deadline_ends_a_wait_for_any_and_for_all_and_says_for_what() {
    let gate = Gate::new();
    for error in [
        wait_any_timeout(&[gate.point()], Duration::from_millis(3)).unwrap_err(),
        wait_all_timeout(&[gate.point()], Duration::from_millis(3)).unwrap_err(),
        wait_any_timeout(&[gate.point()], Duration::ZERO).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::TimedOut);
        assert_eq!(error.report().unwrap().awaited(), &gate.point());
    }
    gate.open().unwrap();
    wait_all(&[gate.point()]).unwrap();
}

#[test]
fn all_are_waited_for_although_one_failed() {
    let device = host();
    let (bad, good) = (device.stream().unwrap(), device.stream().unwrap());
    bad.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    let gate = Gate::new();
    good.wait(&gate.point()).unwrap();
    let both = [bad.record().unwrap(), good.record().unwrap()];
    let waited = both.clone();
    let waiter = thread::spawn(move || wait_all_timeout(&waited, DEADLINE));
    gate.open().unwrap();
    assert_eq!(waiter.join().unwrap().unwrap_err().kind(), Kind::Failed);
    assert!(both[1].query().unwrap(), "the good one was waited for too");
}

/// Tells when it is dropped.
struct Told(mpsc::Sender<&'static str>, &'static str);

impl Drop for Told {
    fn drop(&mut self) {
        let _nobody_listens = self.0.send(self.1);
    }
}

#[test]
fn a_resource_is_dropped_after_all_of_its_points_and_no_other_holds_it_back() {
    let (sender, dropped) = mpsc::channel();
    let (slow, quick) = (Gate::new(), Gate::new());
    let held = retire(Told(sender.clone(), "slow"), [slow.point(), quick.point()]).unwrap();
    let free = retire(Told(sender.clone(), "quick"), [quick.point()]).unwrap();
    assert_eq!(free.holders(), [quick.point()]);
    quick.open().unwrap();
    assert_eq!(dropped.recv_timeout(DEADLINE), Ok("quick"));
    assert_eq!(held.holders(), [slow.point()]);
    slow.fail(Error::failed("on purpose")).unwrap();
    assert_eq!(dropped.recv_timeout(DEADLINE), Ok("slow"), "a failed point holds nothing");
    assert!(held.holders().is_empty());
    retire(Told(sender, "at once"), []).unwrap();
    assert_eq!(dropped.recv_timeout(DEADLINE), Ok("at once"));
}

#[test]
fn a_resource_that_panics_when_it_is_dropped_hurts_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
    let (sender, dropped) = mpsc::channel();
    retire(Bomb, []).unwrap();
    retire(Told(sender, "after"), []).unwrap();
    assert_eq!(dropped.recv_timeout(DEADLINE), Ok("after"));
}
