//! Deadlines: how long a case waits for what must come, and for what must not.

use std::cell::Cell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Error, Kind, Point, State};

/// How long a case waits for what must come: long beyond any machine's hiccup, short of the runner's own limit.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long is waited for what is known not to come. One that comes later than that all the same goes unnoticed for a run.
const LITTLE: Duration = Duration::from_secs(1);

thread_local! {
    static OF_THIS_THREAD: Cell<Duration> = const { Cell::new(PATIENCE) };
}

/// How long this thread waits for what must come.
fn patience() -> Duration {
    OF_THIS_THREAD.get()
}

/// Runs on this thread what is known to fail, with little patience.
pub(crate) fn shortened<T>(code: impl FnOnce() -> T) -> T {
    let before = OF_THIS_THREAD.replace(LITTLE);
    let outcome = code();
    OF_THIS_THREAD.set(before);
    outcome
}

/// How long a case gives to what must not come: enough for idle threads to do wrong, short enough for many cases.
const TEMPTATION: Duration = Duration::from_millis(20);

/// Waits for a point that must complete.
#[track_caller]
pub fn settle(point: &Point) {
    if let Err(error) = point.synchronize_timeout(patience()) {
        panic!("{point} must complete: {error}");
    }
}

/// Waits for a point that must fail, and gives its failure.
#[track_caller]
pub fn failure_of(point: &Point) -> Error {
    match point.synchronize_timeout(patience()) {
        Ok(()) => panic!("{point} must fail, and is complete"),
        Err(error) if error.kind() == Kind::TimedOut => panic!("{point} must fail: {error}"),
        Err(error) => error,
    }
}

/// Gives a point time to do wrong, and panics unless it is pending then.
#[track_caller]
pub fn assert_held(point: &Point) {
    let outcome = point.synchronize_timeout(TEMPTATION);
    let kind = outcome.as_ref().map_err(Error::kind);
    assert_eq!(kind, Err(Kind::TimedOut), "{point} must be held back: {outcome:?}");
    assert!(matches!(point.state(), State::Pending), "{point} must be pending after a timeout");
}

/// Panics unless a call was refused with this kind; gives its error.
#[track_caller]
pub fn refused<T>(outcome: Result<T, Error>, kind: Kind) -> Error {
    match outcome {
        Ok(_) => panic!("the call must be refused: {kind}"),
        Err(error) => {
            assert_eq!(error.kind(), kind, "{error}");
            error
        }
    }
}

/// Runs code that must not block, on a thread of its own, so that a broken promise is a failure and not a hang.
#[track_caller]
pub fn promptly<T: Send + 'static>(code: impl FnOnce() -> T + Send + 'static) -> T {
    let ((sender, receiver), longest) = (channel(), patience());
    thread::spawn(move || {
        // What it waits for inside comes within the same.
        OF_THIS_THREAD.set(longest);
        say(&sender, code());
    });
    match receiver.recv_timeout(longest) {
        Ok(value) => value,
        Err(RecvTimeoutError::Disconnected) => panic!("the call that must not block panicked"),
        Err(RecvTimeoutError::Timeout) => {
            panic!("a call that must not block has not returned after {longest:?}")
        }
    }
}

/// What comes through a channel within the patience of a case.
#[track_caller]
pub fn heard<T>(receiver: &Receiver<T>, what: &str) -> T {
    match receiver.recv_timeout(patience()) {
        Ok(value) => value,
        Err(error) => panic!("{what} must come: {error}"),
    }
}

/// Looks again and again until something is so that no point tells of.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + patience();
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} must come");
        thread::yield_now();
    }
}

/// Says something to a test, which hears nothing any more once it has ended.
pub fn say<T>(sender: &Sender<T>, value: T) {
    let _heard = sender.send(value);
}
