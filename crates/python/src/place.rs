//! Places in sources of Python's: where a user's call stands, for reports and for the origins of failures.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use syncpoint::{Place, asked_at};

/// Where the innermost call stands that is not our own package's. `None` where no code of Python's is about.
pub(crate) fn of_caller(py: Python<'_>) -> Option<Place> {
    innermost(py).ok().flatten()
}

/// Calls for whoever stands at a place, where it is known.
pub(crate) fn at<T>(place: Option<Place>, call: impl FnOnce() -> T) -> T {
    match place {
        Some(place) => asked_at(place, call),
        None => call(),
    }
}

fn innermost(py: Python<'_>) -> PyResult<Option<Place>> {
    static FRAME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let ours = ours(py)?;
    let mut frame = FRAME.import(py, "sys", "_getframe")?.call0()?;
    while !frame.is_none() {
        let code = frame.getattr(pyo3::intern!(py, "f_code"))?;
        let file = code.getattr(pyo3::intern!(py, "co_filename"))?.cast_into::<PyString>()?;
        let file = file.to_cow()?;
        if !file.starts_with(ours) {
            let line = frame.getattr(pyo3::intern!(py, "f_lineno"))?.extract::<Option<u32>>()?;
            return Ok(Some(Place::given(&file, line.unwrap_or_default())));
        }
        frame = frame.getattr(pyo3::intern!(py, "f_back"))?;
    }
    Ok(None)
}

/// The folder of our own package, with what divides it from the files in it.
fn ours(py: Python<'_>) -> PyResult<&str> {
    static OURS: PyOnceLock<String> = PyOnceLock::new();
    let ours = OURS.get_or_try_init(py, || {
        let file: String = py.import("syncpoint")?.getattr("__file__")?.extract()?;
        let end = file.rfind(['/', '\\']).map_or(0, |end| end + 1);
        PyResult::Ok(file[..end].to_owned())
    })?;
    Ok(ours)
}
