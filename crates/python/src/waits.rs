//! Waits of the host: in slices, so that signals are seen, and without the interpreter's lock.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use syncpoint::{Device, Error, Event, Kind, Point, Slices, Stream, Wait};

use crate::released::Released;
use crate::{ending, error, place};

/// The longest sleep after which the interpreter looks for signals.
const SLICE: Duration = Duration::from_millis(50);

/// Waits until `wait`, which is given the end of a slice, does not run out any more, or the time has; `None` waits for ever.
/// Ctrl-C ends it, and leaves the work as it is.
///
/// # Errors
/// What `wait` was refused; what a handler of a signal has raised.
pub(crate) fn until<T: Send>(
    py: Python<'_>,
    timeout: Option<f64>,
    wait: impl Fn(Instant) -> Result<T, Error> + Sync,
) -> PyResult<T> {
    let (begin, end, place) = (Instant::now(), end_of(timeout)?, place::of_caller(py));
    let mut slices = Released::new(Slices::new());
    loop {
        let slice = Instant::now() + SLICE;
        let until = end.map_or(slice, |end| end.min(slice));
        match py.detach(|| slices.slice(|| place::at(place, || wait(until)))) {
            Err(late) if late.kind() == Kind::TimedOut && end.is_none_or(|end| end > until) => {
                py.check_signals()?;
                looked(py)?;
                ending::refused_within(py)?;
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

/// Waits for what an event stands for now, in the event's own way, however often it is recorded meanwhile.
///
/// # Errors
/// As [`until`].
pub(crate) fn event(py: Python<'_>, event: &Event, timeout: Option<f64>) -> PyResult<()> {
    let wait = if event.options().blocking() { Wait::Block } else { Wait::Adaptive };
    let awaited = |_until| event.awaited();
    begun(py, timeout, awaited, |point, until| {
        let left = until.saturating_duration_since(Instant::now());
        point.as_ref().map_or(Ok(()), |point| point.synchronize_with(wait, Some(left)))
    })
}

/// Waits until everything enqueued so far on a stream is complete, whatever comes meanwhile.
///
/// # Errors
/// As [`until`].
pub(crate) fn stream(py: Python<'_>, stream: &Stream, timeout: Option<f64>) -> PyResult<()> {
    let taken = |until| stream.awaited_by(until);
    begun(py, timeout, taken, |point, until| point.synchronize_deadline(until))
}

/// Waits until everything enqueued so far on a device is complete, whatever comes meanwhile.
///
/// # Errors
/// As [`all`].
pub(crate) fn device(py: Python<'_>, device: &Device, timeout: Option<f64>) -> PyResult<()> {
    begun(py, timeout, |_until| device.record_all(), |points, until| settle(points, until))
}

/// Waits as [`until`] does for what is taken once, in the first slice that has room for it.
fn begun<T: Send + Sync>(
    py: Python<'_>,
    timeout: Option<f64>,
    take: impl Fn(Instant) -> Result<T, Error> + Sync,
    wait: impl Fn(&T, Instant) -> Result<(), Error> + Sync,
) -> PyResult<()> {
    let begun = Released::new(OnceLock::new());
    until(py, timeout, |until| {
        let taken =
            begun.get().map_or_else(|| take(until).map(|taken| begun.get_or_init(|| taken)), Ok);
        wait(taken?, until)
    })
}

/// Waits until every one of some points has settled.
///
/// # Errors
/// As [`until`]; the first failure in the order of the points, once all are waited for.
pub(crate) fn all(py: Python<'_>, points: &[Point], timeout: Option<f64>) -> PyResult<()> {
    until(py, timeout, |until| settle(points, until))
}

/// Tells that one is late rather than that another has failed: the end of a slice is not the end of the wait. Of several that
/// are late the first is asked who waits for whom, and the others are not asked.
fn settle(points: &[Point], until: Instant) -> Result<(), Error> {
    let mut failed = Ok(());
    for point in points {
        let outcome = point.synchronize_deadline(until);
        if is_late(&outcome) {
            return outcome;
        }
        failed = failed.and(outcome);
    }
    failed
}

fn is_late(outcome: &Result<(), Error>) -> bool {
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
