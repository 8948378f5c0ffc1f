//! Errors: each kind as the exception class that the package has for it.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use syncpoint::{Error, Kind, Place, Reason};

use crate::place;

/// The exception for an error. Its class says what to do, and it has the error's kind, code, origin and report.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).unwrap_or_else(|refused| refused)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let make = maker(py)?;
    let reason = match error.kind() {
        Kind::Misuse(reason) => Some(reason.to_string()),
        _ => None,
    };
    let origin = error.origin().map(ToString::to_string);
    let report = error.report().map(ToString::to_string);
    let kind = error.kind();
    let arguments =
        (kind.name(), kind.number(), error.to_string(), reason, error.code(), origin, report);
    make.call1(arguments).map(PyErr::from_value)
}

/// A misuse that is told in torch's words.
pub(crate) fn misuse(py: Python<'_>, text: &str, reason: Reason) -> PyErr {
    let kind = Kind::Misuse(reason);
    let arguments = (kind.name(), kind.number(), text, reason.to_string(), NONE, NONE, NONE);
    let error = maker(py).and_then(|make| make.call1(arguments));
    error.map_or_else(|refused| refused, PyErr::from_value)
}

/// What a device cannot do, told in torch's words.
pub(crate) fn unsupported(py: Python<'_>, text: &str) -> PyErr {
    raised(py, &Error::unsupported(text))
}

/// What an error of ours alone has.
const NONE: Option<&str> = None;

fn maker(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MAKE.import(py, "syncpoint._errors", "_made")
}

/// A wait that ran out, told as one whole: where it was asked for and how long it took, of however many slices it was. What the
/// last of them found is told, and not that one's time.
pub(crate) fn ran_out(
    py: Python<'_>,
    late: &Error,
    place: Option<Place>,
    after: Duration,
) -> PyErr {
    let Some((_, found)) = late.message().split_once("; nothing changed: ") else {
        return raised(py, late);
    };
    let place = place.map_or_else(String::new, |place| format!(" at {place}"));
    let text = format!("the wait{place} ran out after {after:?}; nothing changed: {found}");
    let (kind, report) = (late.kind(), late.report().map(ToString::to_string));
    let arguments = (kind.name(), kind.number(), text, NONE, NONE, NONE, report);
    let error = maker(py).and_then(|make| make.call1(arguments));
    error.map_or_else(|refused| refused, PyErr::from_value)
}

/// Calls without the interpreter's lock, for the user's call that is being made: reports and failures name its place.
///
/// # Errors
/// The call's, as an exception.
pub(crate) fn released<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    let place = place::of_caller(py);
    queried(py, || place::at(place, call))
}

/// Calls without the interpreter's lock, where nothing will name the place: it is not looked for.
///
/// # Errors
/// The call's, as an exception.
pub(crate) fn queried<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    py.detach(call).map_err(|refused| raised(py, &refused))
}
