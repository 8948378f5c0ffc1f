//! The end of the interpreter: no function of Python's begins on threads of ours from then on, and those that run are awaited.
//!
//! A thread that asks for the interpreter's lock once that is gone never comes back: `CPython` before 3.14 ends it there, which
//! unwinds frames that allow no such thing, and the process aborts. So the end is told beforehand, by `atexit`
//! (`_ending.py`).

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use syncpoint::{Error, Kind};

use crate::error::raised;
use crate::place;

/// Calls with the interpreter's lock, on whatever thread. `None`: the interpreter ends.
pub(crate) fn attached<T>(call: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = Inside::enter()?;
    Python::try_attach(|py| {
        let _named = Named::of(py);
        call(py)
    })
}

/// Refuses once the interpreter ends: what would be called later never is.
///
/// # Errors
/// `Unavailable`.
pub(crate) fn refused(py: Python<'_>) -> PyResult<()> {
    // Acquire: pairs with the mark in `_end`.
    if WITHIN.load(Ordering::Acquire) & ENDED == 0 { Ok(()) } else { Err(refusal(py)) }
}

/// Refuses to go on with a wait inside a function that is waited for in turn.
///
/// # Errors
/// `Unavailable`.
pub(crate) fn refused_within(py: Python<'_>) -> PyResult<()> {
    if DEPTH.get() == 0 { Ok(()) } else { refused(py) }
}

fn refusal(py: Python<'_>) -> PyErr {
    let words = "the interpreter ends, and streams and points call no function of Python's any more; wait for what is to be \
                 done before, or in a function given to atexit after the import of syncpoint";
    raised(py, &Error::new(Kind::Unavailable, words))
}

/// Begins the end: nothing is begun any more. Gives what those are told who wait for something that is not.
#[pyfunction]
pub(crate) fn _end(py: Python<'_>) -> Py<PyAny> {
    // AcqRel: who is counted before is waited for, and who comes after sees the mark.
    WITHIN.fetch_or(ENDED, Ordering::AcqRel);
    refusal(py).into_value(py).into_any()
}

/// Waits a slice for the other threads that are within a call. Says whether all have left.
#[pyfunction]
pub(crate) fn _rest(py: Python<'_>) -> bool {
    let alone = || {
        // Acquire: pairs with the count that `Inside` gives back.
        WITHIN.load(Ordering::Acquire) & !ENDED == mine()
    };
    py.detach(|| {
        let end = Instant::now() + SLICE;
        while !alone() && Instant::now() < end {
            thread::park_timeout(LOOK);
        }
    });
    alone()
}

/// The threads that are within a call, by the numbers that Python has for them.
#[pyfunction]
pub(crate) fn _within() -> Vec<u64> {
    named().clone()
}

/// Forgets what a child of a fork does not have: threads, and names of places.
#[pyfunction]
pub(crate) fn _forked(py: Python<'_>) {
    place::forget();
    let ended = WITHIN.load(Ordering::Relaxed) & ENDED;
    // Relaxed: there is no other thread.
    WITHIN.store(ended | mine(), Ordering::Relaxed);
    let me = Named::number(py);
    named().retain(|&thread| mine() == 1 && Some(thread) == me);
}

/// How many threads are within a call, and the mark of the end.
static WITHIN: AtomicUsize = AtomicUsize::new(0);

const ENDED: usize = 1 << (usize::BITS - 1);

/// Their numbers. Locked with the interpreter's lock alone, and so by nobody else while the process is forked.
static NAMED: Mutex<Vec<u64>> = Mutex::new(Vec::new());

thread_local! {
    /// How many calls this thread is within, each inside the one before.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// As a wait: after that long the interpreter looks for signals.
const SLICE: Duration = Duration::from_millis(50);

/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(1);

/// What this thread adds to `WITHIN`.
fn mine() -> usize {
    usize::from(DEPTH.get() > 0)
}

fn named() -> MutexGuard<'static, Vec<u64>> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread within a call, until it is dropped.
struct Inside;

impl Inside {
    /// `None` where the interpreter ends, but for a thread that is waited for anyway.
    fn enter() -> Option<Self> {
        if mine() == 0 {
            // AcqRel: pairs with the mark in `_end`.
            let before = WITHIN.fetch_add(1, Ordering::AcqRel);
            if before & ENDED != 0 {
                // Release: as below.
                WITHIN.fetch_sub(1, Ordering::Release);
                return None;
            }
        }
        DEPTH.set(DEPTH.get() + 1);
        Some(Self)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if mine() == 0 {
            // Release: pairs with the look in `_rest`.
            WITHIN.fetch_sub(1, Ordering::Release);
        }
    }
}

/// A thread within a call that Python can be told to interrupt, until it is dropped.
struct Named(Option<u64>);

impl Named {
    fn of(py: Python<'_>) -> Self {
        let first = DEPTH.get() == 1;
        let number = if first { Self::number(py) } else { None };
        named().extend(number);
        Self(number)
    }

    fn number(py: Python<'_>) -> Option<u64> {
        static NUMBER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        NUMBER.import(py, "_thread", "get_ident").ok()?.call0().ok()?.extract().ok()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let mut named = named();
        if let Some(at) = named.iter().position(|thread| Some(*thread) == self.0) {
            named.swap_remove(at);
        }
    }
}
