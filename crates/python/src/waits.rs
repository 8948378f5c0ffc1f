//! Waits of the host: in slices, so that signals are seen, and without the interpreter's lock.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use syncpoint::{Error, Kind, Point, Slices};

use crate::released::Released;
use crate::{ending, error, place};

/// The longest sleep after which the interpreter looks for signals.
const SLICE: Duration = Duration::from_millis(50);

/// Waits with `wait`, which is given the end of a slice, until it does not run out any more, or the time has; `None` waits for
/// ever. Ctrl-C ends it, and leaves the work as it is. `wait` ends without the interpreter's lock.
///
/// # Errors
/// What `wait` was refused; what a handler of a signal has raised.
pub(crate) fn until<T: Send>(
    py: Python<'_>,
    timeout: Option<f64>,
    wait: impl FnMut(Instant) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let (begin, end, place) = (Instant::now(), end_of(timeout)?, place::of_caller(py));
    let mut wait = Released::new(wait);
    let mut slice_until = |until| {
        let outcome = place::at(place, || (*wait)(until));
        if !is_late(&outcome) {
            wait.end();
        }
        outcome
    };
    let mut now = begin;
    loop {
        let slice = now + SLICE;
        let until = end.map_or(slice, |end| end.min(slice));
        match py.detach(|| slice_until(until)) {
            Err(late) if late.kind() == Kind::TimedOut && end.is_none_or(|end| end > until) => {
                py.check_signals()?;
                looked(py)?;
                ending::refused_within(py)?;
                now = Instant::now();
            }
            Err(late) if late.kind() == Kind::TimedOut => {
                return Err(error::ran_out(py, &late, place, begin.elapsed()));
            }
            outcome => return outcome.map_err(|refused| error::raised(py, &refused)),
        }
    }
}

/// Runs code of Python's, before which the interpreter does what it owes this thread. Without its lock that is, among others, to
/// end objects that this thread has made and others were the last to let go of: a gate perhaps that is waited for here.
fn looked(py: Python<'_>) -> PyResult<()> {
    static LOOK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOOK.import(py, "syncpoint._ending", "_look")?.call0().map(drop)
}

/// Waits for one object, as one wait, whatever comes meanwhile.
///
/// # Errors
/// As [`until`].
pub(crate) fn one(py: Python<'_>, mut slices: Slices<'_>, timeout: Option<f64>) -> PyResult<()> {
    until(py, timeout, move |until| slices.synchronize_deadline(until))
}

/// Waits until every one of some points has settled: one wait for each.
///
/// # Errors
/// As [`until`]; the first failure in the order of the points, once all are waited for.
pub(crate) fn all(py: Python<'_>, points: &[Point], timeout: Option<f64>) -> PyResult<()> {
    let mut waits: Vec<Slices<'_>> = points.iter().map(Slices::point).collect();
    until(py, timeout, move |until| settle(&mut waits, until))
}

/// Tells that one is late rather than that another has failed: the end of a slice is not the end of the wait. Of several that
/// are late the first is asked who waits for whom, and the others are not asked.
fn settle(waits: &mut [Slices<'_>], until: Instant) -> Result<(), Error> {
    let mut failed = Ok(());
    for wait in waits {
        let outcome = wait.synchronize_deadline(until);
        if is_late(&outcome) {
            return outcome;
        }
        failed = failed.and(outcome);
    }
    failed
}

fn is_late<T>(outcome: &Result<T, Error>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind() == Kind::TimedOut)
}

fn end_of(timeout: Option<f64>) -> PyResult<Option<Instant>> {
    let Some(seconds) = timeout else { return Ok(None) };
    if seconds.is_nan() || seconds < 0.0 {
        let message =
            format!("a timeout of {seconds} s is no time; give seconds from 0 on, or None");
        return Err(pyo3::exceptions::PyValueError::new_err(message));
    }
    // Longer than any clock tells: for ever.
    let longest = Duration::try_from_secs_f64(seconds).ok();
    Ok(longest.and_then(|longest| Instant::now().checked_add(longest)))
}
