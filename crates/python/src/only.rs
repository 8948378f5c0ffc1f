//! The interpreter that has the package: classes, currents and the end are of one, and any other of the process is refused.

#![expect(
    unsafe_code,
    reason = "which interpreter this is the stable interface says by a pointer alone"
)]

use std::sync::OnceLock;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// Refuses the import in any other interpreter than the first that did so.
///
/// # Errors
/// `ImportError`.
pub(crate) fn refuse_others(_py: Python<'_>) -> PyResult<()> {
    static FIRST: OnceLock<i64> = OnceLock::new();
    // SAFETY: this thread has the interpreter's lock, as `_py` says, so there is a current interpreter.
    let interpreter = unsafe { pyo3::ffi::PyInterpreterState_Get() };
    // SAFETY: it is the current one, which lives meanwhile.
    let own = unsafe { pyo3::ffi::PyInterpreterState_GetID(interpreter) };
    if *FIRST.get_or_init(|| own) == own {
        return Ok(());
    }
    let words = "syncpoint is in use by another interpreter of this process, and by one alone; start a process instead";
    Err(PyImportError::new_err(words))
}
