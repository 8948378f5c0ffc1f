//! Work of Python's in the order of a stream.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use syncpoint::{Cause, Stream, Timeline};

use crate::ending::{attached, refused};
use crate::error::{raised, released};
use crate::held::Held;
use crate::room::Behind;

/// Has a stream, which is behind some gates, call `function(*args, **kwargs)` when it comes there; gives the future of its result.
///
/// # Errors
/// The stream's refusal; that the interpreter ends.
pub(crate) fn enqueue(
    py: Python<'_>,
    (stream, behind): (&Stream, &Behind),
    function: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.import(py, "syncpoint._futures", "_work")?;
    let made = make.call1((function, args, kwargs))?;
    let (future, run, abandon): (Py<PyAny>, Py<PyAny>, Py<PyAny>) = made.extract()?;
    // Whoever ends the interpreter from here on knows the future, and tells it.
    refused(py)?;
    let (run, abandon) = (Held::new(run), Held::new(abandon));
    if let Some(room) = behind.first().upgrade() {
        room.take_in(&run);
        room.take_in(&abandon);
    }
    let job = Job { run, abandon, timeline: stream.timeline().clone() };
    released(py, || stream.enqueue(move || job.run()))?;
    Ok(future)
}

/// A call that is to be made, or to be told that it never is.
struct Job {
    /// Gives what the stream fails with, in words, or `None`.
    run: Held,
    /// Is called with an exception instead.
    abandon: Held,
    timeline: Timeline,
}

impl Job {
    fn run(mut self) -> Result<(), Cause> {
        let outcome = attached(|py| {
            let run = self.run.take(py);
            let words = run.map_or_else(|| Ok(None), |run| run.call0(py)?.extract(py));
            words.unwrap_or_else(|refused: PyErr| Some(refused.to_string()))
        });
        match outcome {
            Some(None) => Ok(()),
            Some(Some(words)) => Err(words.into()),
            None => Err("the interpreter has ended".into()),
        }
    }

    /// Why it is never called.
    fn refusal(&self) -> syncpoint::Error {
        let end = self.timeline.point(self.timeline.enqueued());
        end.query().err().unwrap_or_else(|| {
            let words = "the stream ended before it came to this work; keep the device until its work is done";
            syncpoint::Error::failed(words)
        })
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Where the interpreter ends, its end tells the future.
        let _ended = attached(|py| {
            let (Some(_unrun), Some(abandon)) = (self.run.take(py), self.abandon.take(py)) else {
                return;
            };
            let refusal = py.detach(|| self.refusal());
            if let Err(refused) = abandon.call1(py, (raised(py, &refusal),)) {
                refused.write_unraisable(py, Some(abandon.bind(py)));
            }
        });
    }
}
