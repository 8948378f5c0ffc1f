//! Models of a notification: its function is called once, or taken back, whatever comes first.

#![expect(clippy::expect_used, reason = "a model is a test")]

use loom::thread;

use super::*;
use crate::gate::Gate;
use crate::model::{catches, holds};
use crate::sync::{AtomicBool, Ordering};

/// Has a function called when a point has settled, and gives what takes it back.
type Notify = fn(&'static Notifier, &Point, Function) -> Cancel;

/// Says whether the function was taken back.
type Cancel = Box<dyn FnOnce() -> bool>;

fn real(notifier: &'static Notifier, point: &Point, function: Function) -> Cancel {
    let notification = notifier.when_settled(Some(point.clone()), function);
    Box::new(move || notification.cancel())
}

#[test]
fn a_function_is_called_however_the_gate_and_the_notification_meet() {
    holds(3, || a_gate_settles_beside_a_notification(real));
}

#[test]
fn a_function_is_called_or_taken_back_and_never_both() {
    holds(3, || a_gate_settles_beside_a_cancellation(real));
}

#[test]
fn a_notification_that_looks_only_before_it_is_listed_is_caught() {
    fn looks_first(notifier: &'static Notifier, point: &Point, function: Function) -> Cancel {
        let function = Once::new(function);
        let (point, process) = (Some(point.clone()), Process::current());
        let pending = Arc::new(Pending { notifier, point, function, process });
        if pending.point.as_ref().is_some_and(|point| point.outcome().is_some()) {
            Arc::clone(&pending).wake();
        } else {
            pending.list();
        }
        Box::new(|| false)
    }
    catches("deadlock", || holds(2, || a_gate_settles_beside_a_notification(looks_first)));
}

#[test]
fn a_function_that_is_looked_for_and_taken_in_two_steps_is_caught() {
    fn takes_in_two_steps(
        notifier: &'static Notifier,
        point: &Point,
        function: Function,
    ) -> Cancel {
        let function = Once::new(function);
        let careless = Arc::new(Careless { notifier, function, taken: AtomicBool::new(false) });
        let ticket = point.timeline().register(point.value(), Waker::from(Arc::clone(&careless)));
        if ticket.is_none() {
            Arc::clone(&careless).wake();
        }
        Box::new(move || careless.take())
    }
    let check = || a_gate_settles_beside_a_cancellation(takes_in_two_steps);
    catches("called and taken back", || holds(2, check));
}

/// A gate opens while a function is to be told, and another thread is the notifier.
fn a_gate_settles_beside_a_notification(notify: Notify) {
    let (notifier, gate) = (notifier(), Gate::new());
    let point = gate.point();
    let opener = thread::spawn(move || gate.open().expect("nobody used it"));
    let called = Arc::new(AtomicBool::new(false));
    let call = Arc::clone(&called);
    let note = move |outcome: Result<()>| call.store(outcome.is_ok(), Ordering::Relaxed);
    let _never_taken_back = notify(notifier, &point, Box::new(note));
    notifier.next()();
    assert!(called.load(Ordering::Relaxed), "the function was called without its outcome");
    opener.join().expect("a gate opens");
    assert!(lock(&notifier.queue).jobs.is_empty(), "the function was called twice");
}

/// A gate fails while the function is taken back.
fn a_gate_settles_beside_a_cancellation(notify: Notify) {
    let (notifier, gate) = (notifier(), Gate::new());
    let point = gate.point();
    let called = Arc::new(AtomicBool::new(false));
    let call = Arc::clone(&called);
    let note = move |outcome: Result<()>| call.store(outcome.is_err(), Ordering::Relaxed);
    let cancel = notify(notifier, &point, Box::new(note));
    let failer = thread::spawn(move || drop(gate));
    let cancelled = cancel();
    failer.join().expect("a gate is dropped");
    let jobs = std::mem::take(&mut lock(&notifier.queue).jobs);
    for job in jobs {
        job();
    }
    let called = called.load(Ordering::Relaxed);
    assert!(called || cancelled, "neither called nor taken back");
    assert!(!(called && cancelled), "called and taken back");
}

/// A notifier whose thread the model is. It outlives the run, as the real one outlives everything.
fn notifier() -> &'static Notifier {
    let queue = Mutex::new(Queue { jobs: VecDeque::new(), started: true });
    Box::leak(Box::new(Notifier { queue, filled: Condvar::new() }))
}

/// What a notification would be if whoever finds the function not yet taken marked it so in another step.
struct Careless {
    notifier: &'static Notifier,
    function: Once<Function>,
    taken: AtomicBool,
}

impl Careless {
    fn take(&self) -> bool {
        let first = !self.taken.load(Ordering::Acquire);
        self.taken.store(true, Ordering::Release);
        first
    }
}

impl Wake for Careless {
    fn wake(self: Arc<Self>) {
        if self.take()
            && let Some(function) = self.function.take()
        {
            self.notifier.push(Box::new(move || function(Err(Error::failed("on purpose")))));
        }
    }
}
