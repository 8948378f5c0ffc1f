//! Events: names for points, which are recorded anew as often as one likes.

use std::sync::{Arc, Weak};

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyMemoryView, PyTuple, PyType};
use syncpoint::{IpcHandle, Kind, Reason, Slices};

use crate::arguments;
use crate::current;
use crate::device::Device;
use crate::devices::{self, not_pickled};
use crate::error::{misuse, queried, raised, released};
use crate::holder::{Holder, Named};
use crate::late::Late;
use crate::notify::{self, Notification};
use crate::options::chosen;
use crate::parity::{self, NoTime};
use crate::point::Point;
use crate::released::Released;
use crate::span::Span;
use crate::stream::Stream;
use crate::waits;

/// A name for a point of a stream: of its latest record. Any thread may use it, and a task of `asyncio` may await it.
///
/// It is of `device`, or of the device of its first record where none is given: any, or one of the kind that is named, as with
/// `"cuda"`; given an event it is another object of the same. `enable_timing` lets it be timed; `blocking` waits sleep at
/// once; an `interprocess` event can be exported; an `external` one is recorded and waited for by every launch of a graph;
/// `native_handle` gives it an event of the driver's.
///
/// Raises `MisuseError` where options contradict each other, `UnsupportedError` where the device has none such. `end - start`
/// raises as `elapsed_time` does, `await event` the failure of its stream.
///
/// >>> import syncpoint
/// >>> stream = syncpoint.Stream("host")
/// >>> start, end = (syncpoint.Event("host", enable_timing=True) for _ in range(2))
/// >>> start.query(), start.device
/// (True, None)
/// >>> start.record(stream); stream.delay(0.001); end.record(stream); end.synchronize(timeout=10)
/// >>> (end - start).seconds >= 0.001
/// True
/// >>> async def wait():
/// ...     await end
/// ...     return end.query()
/// >>> import asyncio
/// >>> asyncio.run(wait())
/// True
#[pyclass(frozen, subclass, module = "syncpoint", weakref)]
pub(crate) struct Event {
    event: Released<Arc<Named>>,
    /// The kind of device that it is for, where one was named and no device.
    kind: Option<String>,
}

impl Event {
    /// `options`: timing, blocking, interprocess, external, native handle.
    pub(crate) fn made(
        py: Python<'_>,
        device: &syncpoint::Device,
        options: [bool; 5],
    ) -> PyResult<Self> {
        let made = released(py, || device.event_with(chosen(options)?))?;
        Ok(Self::over(Holder::Own(made)))
    }

    /// Of no device yet, but perhaps of a kind.
    fn unbound(py: Python<'_>, kind: Option<String>, options: [bool; 5]) -> PyResult<Self> {
        let options = chosen(options).or_else(|_| released(py, || chosen(options)))?;
        let holder = if Late::is_for(options) {
            Holder::Late(Box::new(Late::new(options, current::device(py, kind.as_deref())?)))
        } else {
            // Such an event is made without a driver: see `EventPool.event`.
            Holder::Own(syncpoint::Event::new(options))
        };
        Ok(Self { kind, ..Self::over(holder) })
    }

    /// Of a device as users give it; of another event, the same once more.
    pub(crate) fn given(
        py: Python<'_>,
        device: Option<&Bound<'_, PyAny>>,
        options: [bool; 5],
    ) -> PyResult<Self> {
        let Some(device) = device else { return Self::unbound(py, None, options) };
        if let Ok(event) = device.cast::<Self>() {
            return event.get().same_without(options);
        }
        let device = devices::of_event(device)?;
        if let Ok(device) = device.cast::<Device>() {
            return Self::made(py, device.get().inner(), options);
        }
        Self::unbound(py, Some(device.extract()?), options)
    }

    pub(crate) fn over(held: Holder) -> Self {
        Self { event: Released::new(Arc::new(Named::over(held))), kind: None }
    }

    pub(crate) fn inner(&self) -> &syncpoint::Event {
        &self.event
    }

    /// Records it, on its device or on the first that it is used on. Without the interpreter's lock.
    fn record_on(&self, stream: &syncpoint::Stream) -> syncpoint::Result<()> {
        self.event.bind(stream.device())?;
        self.event.record(stream)
    }

    /// The same once more, which has its options.
    fn same_without(&self, options: [bool; 5]) -> PyResult<Self> {
        if options.contains(&true) {
            let words = "an event that is given has its options; give none beside it";
            return Err(PyTypeError::new_err(words));
        }
        Ok(Self { event: Released::new(Arc::clone(&self.event)), kind: self.kind.clone() })
    }

    /// Is of the device of this name, unless it is of one already.
    fn bind_to(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let device = devices::named(py, name)?;
        released(py, || self.event.bind(device.get().inner()))
    }

    fn exported<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let handle = released(py, || self.event.export())?;
        Ok(PyBytes::new(py, handle.as_bytes()))
    }
}

/// Whether an event may have been recorded: of one whose records are of others it is not known. No driver is asked.
pub(crate) fn is_recorded(event: &syncpoint::Event) -> bool {
    let refused = event.point().err();
    !refused.is_some_and(|error| matches!(error.kind(), Kind::Misuse(Reason::NotRecorded)))
}

#[pymethods]
impl Event {
    #[expect(
        clippy::fn_params_excessive_bools,
        clippy::too_many_arguments,
        reason = "keywords of Python"
    )]
    #[new]
    #[pyo3(
        signature = (device = None, *excess, enable_timing = false, blocking = false, interprocess = false, external = false, native_handle = false, **unknown),
        text_signature = "(device=None, *, enable_timing=False, blocking=False, interprocess=False, external=False, native_handle=False)"
    )]
    fn new(
        device: Option<&Bound<'_, PyAny>>,
        excess: &Bound<'_, PyTuple>,
        enable_timing: bool,
        blocking: bool,
        interprocess: bool,
        external: bool,
        native_handle: bool,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = excess.py();
        arguments::made_of_one("Event", excess, unknown)?;
        let options = [enable_timing, blocking, interprocess, external, native_handle];
        Self::given(py, device, options)
    }

    /// The device; `None` until it is recorded, where none was given.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.Event()
    /// >>> event.device, syncpoint.Stream("host").record_event(event).device
    /// (None, syncpoint.open("host:0"))
    #[getter]
    fn device(&self) -> Option<Device> {
        self.event.device().map(Device::of)
    }

    /// The id, never used again in this process; 0 until it is recorded, as with torch. An event of another process has it at
    /// once, so has an external one of a device that was named, and any other external one as soon as a stream was asked to record
    /// it.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.Event()
    /// >>> event.event_id, syncpoint.Stream("host").record_event(event).event_id > 0
    /// (0, True)
    #[getter]
    fn event_id(&self) -> u64 {
        let refused = self.event.point().err().map(|refused| refused.kind());
        let is_there =
            !matches!(refused, Some(Kind::Misuse(Reason::NotRecorded) | Kind::Unavailable));
        if is_there { self.event.id() } else { 0 }
    }

    /// The handle of the driver's event, of one that has it: see `native_handle` of the constructor.
    ///
    /// Raises `UnsupportedError` of any other.
    ///
    /// >>> import syncpoint
    /// >>> try:
    /// ...     syncpoint.Event("host").native_handle
    /// ... except syncpoint.Error as refused:
    /// ...     print(refused.kind)
    /// unsupported
    #[getter]
    fn native_handle(&self, py: Python<'_>) -> PyResult<usize> {
        released(py, || syncpoint::cuda::event_handle(&self.event)).map(|raw| raw.as_ptr().addr())
    }

    /// The 64 bytes by which another process opens it with `from_ipc_handle`, of an event made with `interprocess`. One that has
    /// no device yet is from then on of the current one of this thread and task.
    ///
    /// Raises `MisuseError` of any other, `UnsupportedError` where the machine or the device cannot.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.Event("host", interprocess=True)
    /// >>> event.record(syncpoint.Stream("host"))
    /// >>> len(event.ipc_handle())
    /// 64
    fn ipc_handle<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        if self.interprocess() && self.event.unbound().is_some() {
            self.bind_to(py, &current::device(py, self.kind.as_deref())?)?;
        }
        self.exported(py)
    }

    /// The same for whoever sends it: one that has no device yet is of the one that was current where it was made, since it is
    /// perhaps a thread of a queue's that asks.
    fn _sent_handle<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        if let Some(late) = self.event.unbound() {
            self.bind_to(py, late.current())?;
        }
        self.exported(py)
    }

    /// The event that another process exported, by its handle, for streams of a device to wait for, and for the host. It is
    /// recorded by its own process only.
    ///
    /// Raises `MisuseError` for bytes that are no handle, `TypeError` for what is no bytes, `FailedError` where the event is gone,
    /// or its process.
    ///
    /// >>> import syncpoint
    /// >>> ours = syncpoint.open("host:0").event(interprocess=True)
    /// >>> theirs = syncpoint.Event.from_ipc_handle("host", ours.ipc_handle())
    /// >>> theirs.query()
    /// True
    #[classmethod]
    fn from_ipc_handle<'py>(
        class: &Bound<'py, PyType>,
        device: &Bound<'py, PyAny>,
        handle: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let handle: Vec<u8> = PyMemoryView::from(handle)?.call_method0("tobytes")?.extract()?;
        let device = devices::resolved(py, Some(device))?.cast_into::<Device>()?.unbind();
        let imported =
            released(py, || device.get().inner().import_event(&IpcHandle::from_bytes(&handle)?))?;
        let event = Py::new(py, Self::over(Holder::Own(imported)))?;
        py.get_type::<Self>().call_method1("__new__", (class, event))
    }

    /// Whether it was made with `enable_timing`.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Event(enable_timing=True).enable_timing
    /// True
    #[getter]
    fn enable_timing(&self) -> bool {
        self.event.options().timing()
    }

    /// Whether it was made with `interprocess`.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Event("host").interprocess
    /// False
    #[getter]
    fn interprocess(&self) -> bool {
        self.event.options().interprocess()
    }

    /// Records the end of what `stream` was given so far, of the current stream where none is given. Does not wait.
    ///
    /// Raises `MisuseError` for a stream of another device. On a stream that has failed the event has failed too.
    ///
    /// >>> import syncpoint
    /// >>> event, stream = syncpoint.Event(), syncpoint.Stream("host")
    /// >>> event.record(stream)
    /// >>> event.synchronize(timeout=10)
    #[pyo3(signature = (stream = None))]
    fn record(&self, py: Python<'_>, stream: Option<Py<Stream>>) -> PyResult<()> {
        let stream = self.on(py, stream)?;
        self.recorded(py, stream.get())
    }

    /// What `stream` is given from now on waits for the latest record, the current stream where none is given; nothing waits where
    /// there is no record. This thread does not wait. A stream that has failed raises it, if it would have to wait.
    ///
    /// >>> import syncpoint
    /// >>> first, second = syncpoint.Stream("host"), syncpoint.Stream("host")
    /// >>> first.record_event().wait(second)
    /// >>> second.synchronize(timeout=10)
    #[pyo3(signature = (stream = None))]
    fn wait(&self, py: Python<'_>, stream: Option<Py<Stream>>) -> PyResult<()> {
        let stream = self.on(py, stream)?;
        self.waited(py, stream.get())
    }

    /// Whether its latest record is complete; true where there is none. Does not wait. Raises the failure of its stream.
    ///
    /// >>> import syncpoint
    /// >>> stream, gate = syncpoint.Stream("host"), syncpoint.Gate()
    /// >>> stream.wait(gate.point)
    /// >>> syncpoint.Event().query(), stream.record_event().query()
    /// (True, False)
    /// >>> gate.open()
    fn query(&self, py: Python<'_>) -> PyResult<bool> {
        queried(py, || self.event.query())
    }

    /// Waits on this thread for the latest record, and for none that comes meanwhile, at most `timeout` seconds; returns at
    /// once where there is none. Ctrl-C ends the wait and nothing else.
    ///
    /// Raises `TimedOutError` with the report of who waits for whom, the failure of its stream, `ValueError` for a timeout that
    /// is no time.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.Stream("host").record_event()
    /// >>> event.synchronize(timeout=10)
    /// >>> event.query()
    /// True
    #[pyo3(signature = (timeout = None))]
    fn synchronize(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        waits::one(py, Slices::event(&self.event), timeout)
    }

    /// Milliseconds from this event to `end_event`; negative where that came first. Does not wait.
    ///
    /// Raises `ValueError` where either was made without `enable_timing` or never recorded, `RuntimeError` where they are of
    /// different devices, where either is not complete, and for what is no event.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
    /// >>> start.record(stream); stream.delay(0.002); end.record(stream); end.synchronize(timeout=10)
    /// >>> start.elapsed_time(end) >= 1
    /// True
    #[pyo3(signature = (*end_event, **keywords), text_signature = "($self, end_event, /)")]
    fn elapsed_time(
        &self,
        end_event: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<f64> {
        let end_event = arguments::one("Event.elapsed_time", end_event, keywords)?;
        let Ok(end_event) = end_event.cast::<Self>() else {
            return Err(PyRuntimeError::new_err("expected other to be a torch.Event object"));
        };
        self.between(end_event.py(), end_event.get()).map(|span| span.milliseconds())
    }

    /// The time from `start` to this event, with its clock and that clock's resolution: see `Span`. It is refused as
    /// `elapsed_time` is.
    fn __sub__(&self, py: Python<'_>, start: &Bound<'_, Self>) -> PyResult<Span> {
        let start = start.get();
        start.between(py, self)
    }

    /// The point of the latest record, which stays that however often the event is recorded anew.
    ///
    /// Raises `MisuseError` where it was never recorded.
    ///
    /// >>> import syncpoint
    /// >>> stream, event = syncpoint.Stream("host"), syncpoint.Event()
    /// >>> event.record(stream)
    /// >>> before = event.point()
    /// >>> stream.delay(0.001); event.record(stream)
    /// >>> before == event.point()
    /// False
    fn point(&self, py: Python<'_>) -> PyResult<Point> {
        self.held_back().map_or_else(|| released(py, || self.event.point()).map(Point::of), Ok)
    }

    /// Calls `function` once its latest record is complete, or has failed: with `None`, or with the exception that tells of the
    /// failure. It is called on a thread of ours, under no lock; what it raises goes to `sys.unraisablehook`.
    /// Raises `UnavailableError` once the interpreter ends.
    ///
    /// >>> import queue, syncpoint
    /// >>> stream, told = syncpoint.open("host:0").stream(), queue.Queue()
    /// >>> event = stream.record_event()
    /// >>> notification = event.add_done_callback(told.put)
    /// >>> print(told.get(timeout=10))
    /// None
    fn add_done_callback(&self, py: Python<'_>, function: Py<PyAny>) -> PyResult<Notification> {
        if let Some(point) = self.held_back() {
            return point.add_done_callback(py, function);
        }
        notify::when_settled(py, function, &Weak::new(), |callback| {
            self.event.notify(move |outcome| callback.call(outcome))
        })
    }

    /// The completion of its latest record as a `concurrent.futures.Future`, whose result is `None`. To cancel it cancels
    /// nothing on the device. Raises `UnavailableError` once the interpreter ends.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.open("host:0").stream()
    /// >>> stream.record_event().future().result(timeout=10)
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

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf.as_any()))
    }

    fn __repr__(&self) -> String {
        let device = self.event.device();
        let (kind, index) = device.as_ref().map_or_else(
            || (self.kind.as_deref().unwrap_or("none"), "-1"),
            |device| parity::parts(device.name()),
        );
        format!(
            "syncpoint.Event device_type={kind}, device_index={index}, event_flag={}, event_id={}",
            u8::from(self.enable_timing()),
            self.event_id()
        )
    }
}

impl Event {
    fn between(&self, py: Python<'_>, end: &Self) -> PyResult<Span> {
        let kinds = [self.kind.as_deref(), end.kind.as_deref()];
        let span = py.detach(|| parity::between([&self.event, &end.event], kinds));
        span.map_err(|refused| match refused {
            NoTime::NotTimed | NoTime::NotRecorded => PyValueError::new_err(refused.to_string()),
            NoTime::Refused(error) => raised(py, &error),
            _ => PyRuntimeError::new_err(refused.to_string()),
        })
    }

    /// Records the end of what a stream was given so far. A stream of another device is refused as torch tells it.
    pub(crate) fn recorded(&self, py: Python<'_>, stream: &Stream) -> PyResult<()> {
        let (stream, room) = (stream.inner(), stream.behind().first());
        let device = stream.device();
        if self.kind.as_deref().is_some_and(|kind| kind != parity::kind(device.name())) {
            self.check(py, device)?;
        }
        let recorded = released(py, || self.record_on(stream));
        // Of the kind of device, which is all that the record itself does not look at, it is by now.
        recorded.map_err(|refused| self.check(py, device).err().unwrap_or(refused))?;
        self.event.note(stream, room);
        Ok(())
    }

    pub(crate) fn waited(&self, py: Python<'_>, stream: &Stream) -> PyResult<()> {
        let before = self.event.held_back();
        released(py, || stream.inner().wait_event(&self.event))?;
        // Of a record that came meanwhile it is not known whether the stream waits for that.
        if let Some(record) = before
            && self.event.held_back().is_some_and(|after| after == record)
        {
            stream.behind().add(&record.room);
        }
        Ok(())
    }

    /// The point of its latest record, where that is known to be behind a gate.
    fn held_back(&self) -> Option<Point> {
        let record = self.event.held_back()?;
        Some(Point::behind(self.event.point_of(&record)?, record.room))
    }

    fn check(&self, py: Python<'_>, stream: &syncpoint::Device) -> PyResult<()> {
        let device = self.event.device();
        let bound = device.as_ref().map(syncpoint::Device::name).or(self.kind.as_deref());
        let refused = bound.and_then(|bound| parity::other_device(bound, stream.name()));
        refused.map_or(Ok(()), |text| Err(misuse(py, &text, Reason::WrongDevice)))
    }

    /// The stream that is meant: this one, or the current one of the event's device.
    fn on(&self, py: Python<'_>, stream: Option<Py<Stream>>) -> PyResult<Py<Stream>> {
        if let Some(stream) = stream {
            return Ok(stream);
        }
        match self.event.device() {
            Some(device) => current::of(py, &device),
            None => current::named(py, self.kind.as_deref()),
        }
    }
}
