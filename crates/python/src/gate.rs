//! Gates: promises of the host, for streams to wait for.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use syncpoint::{Error, Reason};

use crate::error::released;
use crate::place;
use crate::point::Point;
use crate::released::Released;
use crate::room::Room;

/// A promise that the host keeps: streams wait for its point until it is opened, or fails. One that is dropped fails, also one
/// that only the callbacks and the work that it holds back could still reach. Reports of waits have its `name`.
///
/// >>> import syncpoint
/// >>> stream, gate = syncpoint.Stream("host"), syncpoint.Gate("the file is here")
/// >>> stream.wait(gate.point)
/// >>> read = stream.enqueue(len, "text")
/// >>> gate.open()
/// >>> read.result(timeout=10)
/// 4
#[pyclass(frozen, module = "syncpoint", weakref)]
pub(crate) struct Gate {
    gate: Released<syncpoint::Gate>,
    room: Arc<Room>,
}

#[expect(clippy::same_name_method, reason = "PyO3 has the method of the collector twice")]
#[pymethods]
impl Gate {
    #[new]
    #[pyo3(signature = (name = None))]
    fn new(py: Python<'_>, name: Option<&str>) -> Self {
        let made = || name.map_or_else(syncpoint::Gate::new, syncpoint::Gate::named);
        let gate = Released::new(place::at(place::of_caller(py), made));
        Self { gate, room: Arc::default() }
    }

    /// The point that comes when the gate is opened.
    ///
    /// >>> import syncpoint
    /// >>> gate = syncpoint.Gate()
    /// >>> before = gate.point.query()
    /// >>> gate.open()
    /// >>> before, gate.point.query()
    /// (False, True)
    #[getter]
    fn point(&self) -> Point {
        Point::behind(self.gate.point(), Arc::downgrade(&self.room))
    }

    /// Opens it: whoever waits goes on. From any thread. Raises `MisuseError` where it was opened or failed before.
    ///
    /// >>> import syncpoint, threading
    /// >>> gate = syncpoint.Gate()
    /// >>> threading.Thread(target=gate.open).start()
    /// >>> gate.point.synchronize(timeout=10)
    fn open(&self, py: Python<'_>) -> PyResult<()> {
        self.room.close();
        released(py, || self.gate.open())
    }

    /// Fails it with a message: whoever waits fails with that. From any thread. Raises `MisuseError` where it was opened or failed
    /// before.
    ///
    /// >>> import syncpoint
    /// >>> gate = syncpoint.Gate()
    /// >>> gate.fail("the disk is full")
    /// >>> gate.point.synchronize(timeout=10)
    /// Traceback (most recent call last):
    /// ...
    /// syncpoint.FailedError: ...the disk is full...
    #[pyo3(signature = (message = "the gate was failed"))]
    fn fail(&self, py: Python<'_>, message: &str) -> PyResult<()> {
        self.room.close();
        released(py, || self.gate.fail(Error::failed(message)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.room.visit(&visit)
    }

    /// The collector has found that nobody can open it: those whom it holds back are told before anything is taken apart.
    /// They are taken to be held by others from then on, and so live until they were told.
    fn _collected(&self, py: Python<'_>) {
        if !self.room.is_used() {
            // Somebody who is taken apart with it may still open it; where nobody does, its drop tells.
            return;
        }
        self.room.close();
        let id = self.gate.id();
        let text = format!(
            "gate {id} was dropped unopened, as nothing but what waits for it could reach it; open it before it goes"
        );
        // Refused where it was opened meanwhile, and in a child of a fork, where it is the parent's: nobody is to be told.
        let _told = py.detach(|| self.gate.fail(Error::misuse(Reason::GateDropped, text)));
    }

    fn __repr__(&self) -> String {
        format!("<syncpoint.Gate id={}>", self.gate.id())
    }
}
