//! Arguments that are refused in the words of PyTorch, where `PyO3` has other words.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Refuses what a class that is made of one argument and of keywords is given besides.
///
/// # Errors
/// `TypeError`.
pub(crate) fn made_of_one(
    class: &str,
    excess: &Bound<'_, PyTuple>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    if !excess.is_empty() {
        let given = excess.len() + 1;
        let words =
            format!("{class}() takes from 0 to 1 positional arguments but {given} were given");
        return Err(PyTypeError::new_err(words));
    }
    match unknown.and_then(|unknown| unknown.keys().iter().next()) {
        Some(name) => {
            let words = format!("{class}() got an unexpected keyword argument '{name}'");
            Err(PyTypeError::new_err(words))
        }
        None => Ok(()),
    }
}

/// The one argument of a function that has no keywords.
///
/// # Errors
/// `TypeError`.
pub(crate) fn one<'py>(
    function: &str,
    given: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    if keywords.is_some_and(|keywords| !keywords.is_empty()) {
        return Err(PyTypeError::new_err(format!("{function}() takes no keyword arguments")));
    }
    if given.len() != 1 {
        let words = format!("{function}() takes exactly one argument ({} given)", given.len());
        return Err(PyTypeError::new_err(words));
    }
    given.get_item(0)
}
