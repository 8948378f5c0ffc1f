//! Callbacks: functions of Python's that are called once what they wait for has settled.

use std::sync::{Mutex, PoisonError, Weak};

use pyo3::prelude::*;
use syncpoint::Error;

use crate::ending::{attached, refused};
use crate::error::{raised, released};
use crate::held::Held;
use crate::released::Released;
use crate::room::Room;

/// A function that is still to be called. Dropping it changes nothing: the function is called all the same.
///
/// >>> import queue, syncpoint
/// >>> gate, told = syncpoint.Gate(), queue.Queue()
/// >>> notification = gate.point.add_done_callback(told.put)
/// >>> gate.open()
/// >>> print(told.get(timeout=10))
/// None
#[pyclass(frozen, module = "syncpoint", weakref)]
pub(crate) struct Notification(Released<Mutex<Option<syncpoint::Notification>>>);

#[pymethods]
impl Notification {
    /// Takes the function back, unless its call has begun or is about to. Says whether it was taken back. Does not wait.
    ///
    /// >>> import syncpoint
    /// >>> gate = syncpoint.Gate()
    /// >>> notification = gate.point.add_done_callback(print)
    /// >>> notification.cancel(), notification.cancel()
    /// (True, False)
    /// >>> gate.open()
    fn cancel(&self, py: Python<'_>) -> bool {
        // Locked with the interpreter's lock alone, and so by nobody else while the process is forked.
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| taken.is_some_and(syncpoint::Notification::cancel))
    }
}

/// Asks `notify` to call a function with `None`, or with the exception that tells of the failure. `behind` is the room of a
/// gate without which that is not settled.
///
/// # Errors
/// What `notify` was refused; that the interpreter ends.
pub(crate) fn when_settled(
    py: Python<'_>,
    function: Py<PyAny>,
    behind: &Weak<Room>,
    notify: impl FnOnce(Callback) -> syncpoint::Result<syncpoint::Notification> + Send,
) -> PyResult<Notification> {
    refused(py)?;
    let callback = Callback(Held::new(function));
    if let Some(room) = behind.upgrade() {
        room.take_in(&callback.0);
    }
    let made = released(py, || notify(callback))?;
    Ok(Notification(Released::new(Mutex::new(Some(made)))))
}

/// A function that is called with an outcome, once.
pub(crate) struct Callback(Held);

impl Callback {
    /// Calls it, unless the interpreter has ended. Nobody waits for what it raises: that goes to `sys.unraisablehook`.
    pub(crate) fn call(mut self, outcome: Result<(), Error>) {
        let _ended = attached(|py| {
            let Some(function) = self.0.take(py) else { return };
            let failure = outcome.err().map(|error| raised(py, &error));
            let failure = failure.map(|failure| failure.into_value(py));
            if let Err(raised) = function.call1(py, (failure,)) {
                raised.write_unraisable(py, Some(function.bind(py)));
            }
        });
    }
}
