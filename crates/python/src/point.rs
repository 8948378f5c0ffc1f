//! Points: places in the order of a stream, which never change.

use std::sync::Weak;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use syncpoint::Slices;

use crate::error::queried;
use crate::notify::{self, Notification};
use crate::released::Released;
use crate::room::Room;
use crate::waits;

/// A place in the order of a stream: complete once everything before it is. It never means another place. Any thread may use
/// it, and a task of `asyncio` may await it, which raises the failure of its stream.
///
/// >>> import asyncio, syncpoint
/// >>> stream = syncpoint.Stream("host")
/// >>> async def wait():
/// ...     await stream.record()
/// ...     return stream.query()
/// >>> asyncio.run(wait())
/// True
#[pyclass(frozen, module = "syncpoint", weakref)]
pub(crate) struct Point {
    point: Released<syncpoint::Point>,
    /// Of a gate without which it does not settle.
    behind: Weak<Room>,
}

impl Point {
    pub(crate) fn of(point: syncpoint::Point) -> Self {
        Self::behind(point, Weak::new())
    }

    /// A point that does not settle before a gate.
    pub(crate) fn behind(point: syncpoint::Point, behind: Weak<Room>) -> Self {
        Self { point: Released::new(point), behind }
    }

    pub(crate) fn inner(&self) -> &syncpoint::Point {
        &self.point
    }

    pub(crate) fn room(&self) -> &Weak<Room> {
        &self.behind
    }
}

#[pymethods]
impl Point {
    /// Whether it is complete. Does not wait. Raises the failure, where its stream has failed before it.
    ///
    /// >>> import syncpoint
    /// >>> stream, gate = syncpoint.Stream("host"), syncpoint.Gate()
    /// >>> stream.wait(gate.point)
    /// >>> stream.record().query()
    /// False
    /// >>> gate.open()
    fn query(&self, py: Python<'_>) -> PyResult<bool> {
        queried(py, || self.point.query())
    }

    /// Waits on this thread until it is complete, at most `timeout` seconds; `TimedOutError` has the report of who waits for
    /// whom. Ctrl-C ends the wait and nothing else.
    ///
    /// Raises the failure, where its stream has failed before it, `ValueError` for a timeout that is no time.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> stream.delay(0.001)
    /// >>> stream.record().synchronize(timeout=10)
    /// >>> stream.query()
    /// True
    #[pyo3(signature = (timeout = None))]
    fn synchronize(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        waits::one(py, Slices::point(&self.point), timeout)
    }

    /// Calls `function` once it is complete, or has failed: with `None`, or with the exception that tells of the
    /// failure. It is called on a thread of ours, under no lock; what it raises goes to `sys.unraisablehook`.
    /// Raises `UnavailableError` once the interpreter ends.
    ///
    /// >>> import queue, syncpoint
    /// >>> stream, told = syncpoint.open("host:0").stream(), queue.Queue()
    /// >>> point = stream.record()
    /// >>> notification = point.add_done_callback(told.put)
    /// >>> print(told.get(timeout=10))
    /// None
    pub(crate) fn add_done_callback(
        &self,
        py: Python<'_>,
        function: Py<PyAny>,
    ) -> PyResult<Notification> {
        notify::when_settled(py, function, &self.behind, |callback| {
            self.point.notify(move |outcome| callback.call(outcome))
        })
    }

    /// Its completion as a `concurrent.futures.Future`, whose result is `None`. To cancel it cancels
    /// nothing on the device. Raises `UnavailableError` once the interpreter ends.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.open("host:0").stream()
    /// >>> stream.record().future().result(timeout=10)
    fn future(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        static FUTURE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let future = FUTURE.import(slf.py(), "syncpoint._futures", "_future")?;
        future.call1((slf,)).map(Bound::unbind)
    }

    /// Awaits it on the running loop of `asyncio`; raises its failure. A task that is cancelled cancels nothing on the device.
    fn __await__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        static AWAIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let await_ = AWAIT.import(slf.py(), "syncpoint._awaiting", "_await")?;
        await_.call1((slf,)).map(Bound::unbind)
    }

    fn __eq__(&self, other: &Self) -> bool {
        *self.point == *other.point
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (self.point.timeline().id(), self.point.value()).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("<syncpoint.Point {} of stream {}>", self.point.value(), self.point.timeline().id())
    }
}
