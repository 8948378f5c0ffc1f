//! Events by number, lent by a pool: the table that torch keeps for its events of MPS.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use syncpoint::{Event, EventOptions, Loan, Reason, Slices};

use crate::current;
use crate::device::Device;
use crate::devices;
use crate::error::{misuse, queried, raised, released};
use crate::event;
use crate::holder::Holder;
use crate::released::Released;
use crate::span::Span;
use crate::stream::Stream;
use crate::waits;

/// Events of a device by number: acquired, used, and released, after which the number means no event ever again. The event
/// itself is used anew. `record` and `wait` without a stream mean the current one.
///
/// Every call raises `MisuseError` with torch's `Invalid Event ID: N` for a number that means no event, and holds no lock
/// then: other numbers are used on. To make a pool raises `UnavailableError` where the device is not there.
///
/// >>> import syncpoint
/// >>> pool = syncpoint.EventPool("host")
/// >>> number = pool.acquire(enable_timing=True)
/// >>> pool.query(number)
/// False
/// >>> pool.record(number)
/// >>> pool.synchronize(number, timeout=10)
/// >>> pool.query(number)
/// True
/// >>> pool.release(number)
#[pyclass(frozen, module = "syncpoint", weakref)]
pub(crate) struct EventPool {
    device: Py<Device>,
    pool: Released<syncpoint::EventPool>,
    /// Guards which number means which event. Nothing is called under it.
    table: Released<Mutex<HashMap<i64, Lent>>>,
}

/// An event that has a number; whoever uses it keeps it from going back.
type Lent = Arc<Loan<Event>>;

/// The numbers given out so far, of all tables: none means two events, whichever table is asked. It orders nothing.
static NUMBERS: AtomicI64 = AtomicI64::new(0);

#[pymethods]
impl EventPool {
    #[new]
    #[pyo3(signature = (device = None))]
    fn new(py: Python<'_>, device: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let device = devices::resolved(py, device)?.cast_into::<Device>()?.unbind();
        let (pool, table) = (syncpoint::EventPool::new(), Mutex::default());
        Ok(Self { device, pool: Released::new(pool), table: Released::new(table) })
    }

    /// The device of its events.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.EventPool("host").device
    /// syncpoint.open("host:0")
    #[getter]
    fn device(&self, py: Python<'_>) -> Py<Device> {
        self.device.clone_ref(py)
    }

    /// The number of an event, never 0, which is this caller's until it is released. No number means two events, ever.
    ///
    /// >>> import syncpoint
    /// >>> pool = syncpoint.EventPool("host")
    /// >>> first = pool.acquire(); pool.release(first)
    /// >>> pool.acquire() > first > 0
    /// True
    #[pyo3(signature = (enable_timing = false))]
    fn acquire(&self, py: Python<'_>, enable_timing: bool) -> PyResult<i64> {
        let lent = Arc::new(self.lent(py, enable_timing)?);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed) + 1;
        self.table().insert(number, lent);
        Ok(number)
    }

    /// An event as an object, which goes back to the pool when nobody has it any more.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.EventPool("host").event(enable_timing=True)
    /// >>> event.record(syncpoint.Stream("host"))
    /// >>> event.synchronize(timeout=10)
    #[pyo3(signature = (*, enable_timing = false))]
    fn event(&self, py: Python<'_>, enable_timing: bool) -> PyResult<event::Event> {
        self.lent(py, enable_timing).map(|lent| event::Event::over(Holder::Lent(lent)))
    }

    /// Gives an event back. Who waits for it goes on doing so.
    ///
    /// >>> import syncpoint
    /// >>> pool = syncpoint.EventPool("host")
    /// >>> pool.release(0)
    /// Traceback (most recent call last):
    /// ...
    /// syncpoint.MisuseError: Invalid Event ID: 0
    fn release(&self, number: i64, py: Python<'_>) -> PyResult<()> {
        // What is taken out ends after the lock.
        let released = self.table().remove(&number);
        let released = released.ok_or_else(|| invalid(py, number))?;
        py.detach(|| drop(released));
        Ok(())
    }

    /// Records an event: the end of what the stream was given so far. On a stream that has failed the event has failed too.
    ///
    /// >>> import syncpoint
    /// >>> pool, stream = syncpoint.EventPool("host"), syncpoint.Stream("host")
    /// >>> number = pool.acquire()
    /// >>> pool.record(number, stream)
    /// >>> pool.synchronize(number, timeout=10)
    #[pyo3(signature = (number, stream = None))]
    fn record(&self, py: Python<'_>, number: i64, stream: Option<Py<Stream>>) -> PyResult<()> {
        let (event, stream) = (self.named(py, number)?, self.on(py, stream)?);
        released(py, move || event.record(stream.get().inner()))
    }

    /// What a stream is given from now on waits for the event; nothing where it was never recorded. This thread does not wait.
    /// A stream that has failed raises it, if it would have to wait.
    ///
    /// >>> import syncpoint
    /// >>> pool, stream = syncpoint.EventPool("host"), syncpoint.Stream("host")
    /// >>> number = pool.acquire()
    /// >>> pool.record(number)
    /// >>> pool.wait(number, stream)
    /// >>> stream.synchronize(timeout=10)
    #[pyo3(signature = (number, stream = None))]
    fn wait(&self, py: Python<'_>, number: i64, stream: Option<Py<Stream>>) -> PyResult<()> {
        let (event, stream) = (self.named(py, number)?, self.on(py, stream)?);
        released(py, move || stream.get().inner().wait_event(&event))
    }

    /// Waits on this thread for an event's latest record, and no later one, at most `timeout` seconds; returns at once where it
    /// was never recorded. Ctrl-C ends the wait and nothing else.
    ///
    /// Raises `TimedOutError` with the report of who waits for whom, the failure of the event's stream, and `ValueError` for a
    /// timeout that is no time.
    ///
    /// >>> import syncpoint
    /// >>> pool = syncpoint.EventPool("host")
    /// >>> number = pool.acquire()
    /// >>> pool.record(number)
    /// >>> pool.synchronize(number, timeout=10)
    /// >>> pool.query(number)
    /// True
    #[pyo3(signature = (number, timeout = None))]
    fn synchronize(&self, py: Python<'_>, number: i64, timeout: Option<f64>) -> PyResult<()> {
        let event = Released::new(self.named(py, number)?);
        waits::one(py, Slices::event(&event), timeout)
    }

    /// Whether an event was recorded and is complete: false where it was never recorded, as with torch's MPS. Does not wait.
    /// Raises the failure of its stream.
    ///
    /// >>> import syncpoint
    /// >>> pool = syncpoint.EventPool("host")
    /// >>> pool.query(pool.acquire())
    /// False
    fn query(&self, number: i64, py: Python<'_>) -> PyResult<bool> {
        let event = self.named(py, number)?;
        queried(py, move || event.query_recorded())
    }

    /// Milliseconds between two events. It waits for both, as torch's MPS does, at most `timeout` seconds each.
    ///
    /// Raises `RuntimeError` where either was acquired without timing or never recorded, `MisuseError` where the end came first,
    /// `TimedOutError`, and the failure of their streams.
    ///
    /// >>> import syncpoint
    /// >>> pool, stream = syncpoint.EventPool("host"), syncpoint.Stream("host")
    /// >>> start, end = (pool.acquire(enable_timing=True) for _ in range(2))
    /// >>> pool.record(start, stream); stream.delay(0.002); pool.record(end, stream)
    /// >>> pool.elapsed_time(start, end, timeout=10) >= 1
    /// True
    #[pyo3(signature = (start, end, timeout = None))]
    fn elapsed_time(
        &self,
        py: Python<'_>,
        start: i64,
        end: i64,
        timeout: Option<f64>,
    ) -> PyResult<f64> {
        let events = Released::new([self.named(py, start)?, self.named(py, end)?]);
        if events.iter().any(|event| !event.options().timing()) {
            return Err(PyRuntimeError::new_err(NOT_TIMED));
        }
        if events.iter().any(|event| !event::is_recorded(event)) {
            return Err(PyRuntimeError::new_err(NOT_RECORDED));
        }
        // Once: what is waited for is what is timed, however often they are recorded meanwhile.
        let [from, to] = &*events;
        let times = released(py, || Ok([from.timed_point()?, to.timed_point()?]))?;
        let times = Released::new(times);
        let [from, to] = &*times;
        for point in [from, to] {
            waits::one(py, Slices::point(point.point()), timeout)?;
        }
        let span = released(py, || Span::between(from, to))?.milliseconds();
        if span < 0.0 {
            let text = format!("End event {end} was not recorded after start event {start}");
            return Err(misuse(py, &text, Reason::Reversed));
        }
        Ok(span)
    }

    /// Drops the events that nobody has. May enter the driver.
    ///
    /// >>> import syncpoint
    /// >>> pool = syncpoint.EventPool("host")
    /// >>> pool.release(pool.acquire())
    /// >>> pool.empty_cache()
    fn empty_cache(&self, py: Python<'_>) {
        py.detach(|| self.pool.empty_cache());
    }

    fn __repr__(&self) -> String {
        let (device, acquired) = (self.device.get().inner(), self.table().len());
        let idle = self.pool.statistics().idle;
        format!("<syncpoint.EventPool device={device} acquired={acquired} idle={idle}>")
    }
}

/// As torch says it of MPS.
const NOT_TIMED: &str = "Events were not created with argument 'enable_timing=True'";

/// As torch says it of MPS.
const NOT_RECORDED: &str = "Both events must be recorded before calculating elapsed time";

impl EventPool {
    fn lent(&self, py: Python<'_>, enable_timing: bool) -> PyResult<Loan<Event>> {
        let options = if enable_timing { EventOptions::timed() } else { EventOptions::new() };
        // Such events are made without a driver: to let go of the interpreter's lock would be the greater part of the cost.
        let lent = self.pool.event(self.device.get().inner(), options);
        lent.map_err(|refused| raised(py, &refused))
    }

    fn named(&self, py: Python<'_>, number: i64) -> PyResult<Lent> {
        let lent = self.table().get(&number).map(Arc::clone);
        lent.ok_or_else(|| invalid(py, number))
    }

    fn table(&self) -> MutexGuard<'_, HashMap<i64, Lent>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on(&self, py: Python<'_>, stream: Option<Py<Stream>>) -> PyResult<Py<Stream>> {
        stream.map_or_else(|| current::of(py, self.device.get().inner()), Ok)
    }
}

#[cold]
fn invalid(py: Python<'_>, number: i64) -> PyErr {
    misuse(py, &format!("Invalid Event ID: {number}"), Reason::StaleHandle)
}
