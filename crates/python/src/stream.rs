//! Streams: work in order.

use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use syncpoint::{Slices, StreamOptions};

use crate::arguments;
use crate::device::Device;
use crate::devices::{self, not_pickled};
use crate::error::{self, queried, raised, released};
use crate::event::Event;
use crate::memory::{self, Buffer};
use crate::parity;
use crate::point::Point;
use crate::released::Released;
use crate::room::Behind;
use crate::{waits, work};

/// Work in order, on a device. What is enqueued runs behind what was before, and beside other streams. Any thread may use it;
/// `with stream:` makes it the current one of its device, and that the current device, for this thread and task.
///
/// It is of `device`, and nobody else has it: of the current device where none is given, of the one with that number, or name;
/// given a stream it is another object of the same. A smaller `priority` is more urgent; one out of the device's range is
/// clamped.
///
/// Raises `UnavailableError` where the device is not there, `MisuseError` for a number that none has, `RuntimeError` for a name
/// that is none, `TypeError` for what is no device, and for a priority beside a stream.
///
/// >>> import syncpoint
/// >>> stream = syncpoint.Stream("host", priority=-1)
/// >>> stream.device, stream.query()
/// (syncpoint.open("host:0"), True)
/// >>> with stream:
/// ...     syncpoint.current_stream("host") == stream
/// True
#[expect(clippy::struct_field_names, reason = "the stream itself is what the class is round")]
#[pyclass(frozen, subclass, module = "syncpoint", weakref)]
pub(crate) struct Stream {
    stream: Released<Arc<syncpoint::Stream>>,
    share: Share,
    behind: Arc<Behind>,
}

/// Who else may have a stream.
#[derive(Clone, Copy)]
pub(crate) enum Share {
    /// Nobody.
    Own,
    /// Anybody: a default stream, or one of others.
    Common,
    /// Every 32nd that asks for one of its priority: where it lies in the ring.
    Ring { level: usize, index: usize },
}

impl Stream {
    pub(crate) fn of(stream: Arc<syncpoint::Stream>, share: Share) -> Self {
        Self { stream: Released::new(stream), share, behind: Arc::default() }
    }

    /// One of several objects of a stream that is asked for again and again.
    pub(crate) fn ring(
        stream: Arc<syncpoint::Stream>,
        behind: Arc<Behind>,
        [level, index]: [usize; 2],
    ) -> Self {
        Self { behind, ..Self::of(stream, Share::Ring { level, index }) }
    }

    pub(crate) fn common(stream: Arc<syncpoint::Stream>) -> Self {
        Self::of(stream, Share::Common)
    }

    pub(crate) fn made(
        py: Python<'_>,
        device: &syncpoint::Device,
        priority: i32,
    ) -> PyResult<Self> {
        let options = StreamOptions::new().clamped_priority(priority);
        let made = released(py, || device.stream_with(options))?;
        Ok(Self::of(Arc::new(made), Share::Own))
    }

    /// The same once more, which has its priority.
    fn same_without(&self, priority: i32) -> PyResult<Self> {
        if priority != 0 {
            let words = "a stream that is given has its priority; give none beside it";
            return Err(PyTypeError::new_err(words));
        }
        let behind = Arc::clone(&self.behind);
        Ok(Self { behind, ..Self::of(Arc::clone(&self.stream), self.share) })
    }

    pub(crate) fn inner(&self) -> &syncpoint::Stream {
        &self.stream
    }

    pub(crate) fn behind(&self) -> &Behind {
        &self.behind
    }
}

#[pymethods]
impl Stream {
    #[new]
    #[pyo3(
        signature = (device = None, *excess, priority = 0, **unknown),
        text_signature = "(device=None, *, priority=0)"
    )]
    fn new(
        device: Option<&Bound<'_, PyAny>>,
        excess: &Bound<'_, PyTuple>,
        priority: i32,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = excess.py();
        arguments::made_of_one("Stream", excess, unknown)?;
        if let Some(stream) = device.and_then(|device| device.cast::<Self>().ok()) {
            return stream.get().same_without(priority);
        }
        let device = devices::of_stream(py, device)?;
        Self::made(py, device.cast::<Device>()?.get().inner(), priority)
    }

    /// The device on which it runs.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("sim:1").device.name
    /// 'sim:1'
    #[getter]
    fn device(&self) -> Device {
        Device::of(self.stream.device().clone())
    }

    /// The id: never used again in this process.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> stream.stream_id == syncpoint.Stream(stream).stream_id != syncpoint.Stream("host").stream_id
    /// True
    #[getter]
    fn stream_id(&self) -> u64 {
        self.stream.id()
    }

    /// The same, also where a subclass tells torch's number as its `stream_id`.
    #[getter]
    fn _id(&self) -> u64 {
        self.stream.id()
    }

    /// The number of the device among those of its kind.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("sim:1").device_index
    /// 1
    #[getter]
    fn device_index(&self) -> u32 {
        Device::of(self.stream.device().clone()).number()
    }

    /// The number that torch has for the kind of device: 0 of the host, 1 of CUDA.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("host").device_type
    /// 0
    #[getter]
    fn device_type(&self) -> u8 {
        parity::device_type(self.stream.device().name())
    }

    /// Whether others may have this stream too: what they enqueue comes between.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("host").is_shared, syncpoint.default_stream("host").is_shared
    /// (False, True)
    #[getter]
    fn is_shared(&self) -> bool {
        !matches!(self.share, Share::Own)
    }

    /// Where it lies in the ring of shared streams: the level of its priority, and the place.
    #[getter]
    fn _place(&self) -> Option<(usize, usize)> {
        match self.share {
            Share::Ring { level, index } => Some((level, index)),
            _ => None,
        }
    }

    /// How it came here: `"managed"`, `"exposed"` once its handle was given out, or `"borrowed"` from others.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("host").mode
    /// 'managed'
    #[getter]
    fn mode(&self) -> &'static str {
        match self.stream.mode() {
            syncpoint::Mode::Managed => "managed",
            syncpoint::Mode::Exposed => "exposed",
            _ => "borrowed",
        }
    }

    /// Whether others capture it into a graph now. May enter the driver.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("host").is_capturing()
    /// False
    fn is_capturing(&self, py: Python<'_>) -> PyResult<bool> {
        released(py, || self.stream.is_capturing())
    }

    /// The driver's stream, as a number: others may launch on it from now on, so nothing of it is held on the host any more.
    ///
    /// Raises `UnsupportedError` where the device's driver has no such number, `MisuseError` where it holds work on the host.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("host").native_handle
    /// Traceback (most recent call last):
    /// ...
    /// syncpoint.UnsupportedError: host backend doesn't support getting stream native handle.
    #[getter]
    fn native_handle(&self, py: Python<'_>) -> PyResult<usize> {
        let kind = parity::kind(self.stream.device().name());
        if kind != "cuda" {
            let text = format!("{kind} backend doesn't support getting stream native handle.");
            return Err(error::unsupported(py, &text));
        }
        released(py, || syncpoint::cuda::expose(&self.stream)).map(|raw| raw.as_ptr().addr())
    }

    /// The priority, within the device's range: a smaller number is more urgent.
    ///
    /// >>> import syncpoint
    /// >>> least, greatest = syncpoint.open("host:0").priority_range
    /// >>> syncpoint.Stream("host", priority=-99).priority == greatest
    /// True
    #[getter]
    fn priority(&self) -> i32 {
        self.stream.priority()
    }

    /// The protocol by which programs of CUDA take in each other's streams: its version and the driver's handle, which is given
    /// out as by `native_handle`, and refused as that.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.Stream("host").__cuda_stream__()
    /// Traceback (most recent call last):
    /// ...
    /// syncpoint.UnsupportedError: host backend doesn't support getting stream native handle.
    fn __cuda_stream__(&self, py: Python<'_>) -> PyResult<(u32, usize)> {
        self.native_handle(py).map(|handle| (0, handle))
    }

    /// Whether everything enqueued so far is complete. Does not wait. Raises the stream's failure.
    ///
    /// >>> import syncpoint
    /// >>> stream, gate = syncpoint.Stream("host"), syncpoint.Gate()
    /// >>> stream.wait(gate.point)
    /// >>> stream.query()
    /// False
    /// >>> gate.open()
    fn query(&self, py: Python<'_>) -> PyResult<bool> {
        queried(py, || self.stream.query())
    }

    /// Waits on this thread until everything enqueued so far is complete, at most `timeout` seconds. Ctrl-C ends the wait and
    /// nothing else.
    ///
    /// Raises `TimedOutError` with the report of who waits for whom, the stream's failure, `ValueError` for a timeout that is no
    /// time.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> work = stream.enqueue(sum, [1, 2, 3])
    /// >>> stream.synchronize(timeout=10)
    /// >>> work.done()
    /// True
    #[pyo3(signature = (timeout = None))]
    fn synchronize(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        waits::one(py, Slices::stream(&self.stream), timeout)
    }

    /// The end of the work enqueued so far. Does not wait. The point of a stream that has failed has failed too.
    ///
    /// >>> import syncpoint
    /// >>> first, second = syncpoint.Stream("host"), syncpoint.Stream("host")
    /// >>> first.delay(0.001); second.wait(first.record())
    /// >>> second.synchronize(timeout=10)
    /// >>> first.query()
    /// True
    fn record(&self, py: Python<'_>) -> PyResult<Point> {
        let behind = self.behind.first();
        released(py, || self.stream.record()).map(|point| Point::behind(point, behind))
    }

    /// Records an event here, a new one without timing where none is given, and gives it.
    ///
    /// Raises `MisuseError` for an event of another device, `RuntimeError` for what is no event. On a stream that has failed the
    /// event has failed too.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> event = stream.record_event()
    /// >>> event.synchronize(timeout=10)
    #[pyo3(signature = (event = None))]
    fn record_event(
        &self,
        py: Python<'_>,
        event: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Event>> {
        let event = match event.map(|event| event.cast::<Event>()) {
            Some(Ok(event)) => event.clone().unbind(),
            Some(Err(_)) => return Err(PyRuntimeError::new_err(NO_EVENT)),
            None => Py::new(py, Event::made(py, self.stream.device(), [false; 5])?)?,
        };
        event.get().recorded(py, self)?;
        Ok(event)
    }

    /// What is enqueued from now on waits for the event's latest record. One that was never recorded is not waited for. This
    /// thread does not wait. Where the record fails, this stream does; one that has failed raises it, if it would have to wait.
    ///
    /// >>> import syncpoint
    /// >>> first, second = syncpoint.Stream("host"), syncpoint.Stream("host")
    /// >>> second.wait_event(first.record_event())
    /// >>> second.synchronize(timeout=10)
    fn wait_event(&self, py: Python<'_>, event: &Event) -> PyResult<()> {
        event.waited(py, self)
    }

    /// What is enqueued from now on waits for all that `stream` was given so far. This thread does not wait. Where that
    /// fails, this stream does; one that has failed raises it, if it would have to wait.
    ///
    /// >>> import syncpoint
    /// >>> first, second = syncpoint.Stream("host"), syncpoint.Stream("sim")
    /// >>> second.wait_stream(first)
    /// >>> second.synchronize(timeout=10)
    fn wait_stream(&self, py: Python<'_>, stream: &Self) -> PyResult<()> {
        let rooms = stream.behind.all();
        released(py, || self.stream.wait_stream(&stream.stream))?;
        self.behind.add_all(&rooms);
        Ok(())
    }

    /// What is enqueued from now on waits for a point, of whichever device. This thread does not wait. Where the point
    /// fails, this stream does; one that has failed raises it, if it would have to wait.
    ///
    /// >>> import syncpoint
    /// >>> stream, gate = syncpoint.Stream("host"), syncpoint.Gate()
    /// >>> stream.wait(gate.point)
    /// >>> work = stream.enqueue(abs, -3)
    /// >>> work.done(), gate.open(), work.result(timeout=10)
    /// (False, None, 3)
    fn wait(&self, py: Python<'_>, point: &Point) -> PyResult<()> {
        released(py, || self.stream.wait(point.inner()))?;
        self.behind.add(point.room());
        Ok(())
    }

    /// Lets `seconds` pass on the device, behind what was enqueued so far. This thread does not wait.
    ///
    /// Raises `ValueError` for a time that is none, the stream's failure.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> stream.delay(0.001)
    /// >>> stream.synchronize(timeout=10)
    fn delay(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let duration = std::time::Duration::try_from_secs_f64(seconds)
            .map_err(|refused| pyo3::exceptions::PyValueError::new_err(refused.to_string()))?;
        released(py, || self.stream.delay(duration))
    }

    /// Fills `target` with a byte, in the order of the stream: a `Buffer` of its device, or an array of the host (of `numpy`, or
    /// whatever gives its memory as one piece), whose memory is kept and not to be looked at until the work is complete.
    ///
    /// Raises `ValueError` for an array that cannot be written or does not lie in one piece, `MisuseError` for a buffer of another
    /// device.
    ///
    /// >>> import syncpoint
    /// >>> stream, memory = syncpoint.open("host:0").stream(), bytearray(3)
    /// >>> stream.fill(memory, 7); stream.synchronize(timeout=10)
    /// >>> memory
    /// bytearray(b'\x07\x07\x07')
    fn fill(slf: &Bound<'_, Self>, target: &Bound<'_, PyAny>, value: i64) -> PyResult<()> {
        static FILL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let (py, value) = (slf.py(), memory::byte(value)?);
        if let Ok(target) = target.cast::<Buffer>() {
            return memory::fill(py, &slf.get().stream, target.get(), value);
        }
        let fill = FILL.import(py, "syncpoint._memory", "_fill")?;
        fill.call1((slf, target, value)).map(drop)
    }

    /// Copies `source` to `target`, which are of equal length, in the order of the stream. Each is a `Buffer` of its device, or
    /// an array of the host as with `fill`; one that cannot be written is read as well. Raises as `fill` does, and `ValueError`
    /// where the lengths differ.
    ///
    /// >>> import syncpoint
    /// >>> device = syncpoint.open("host:0")
    /// >>> stream, buffer, memory = device.stream(), device.buffer(5), bytearray(5)
    /// >>> stream.copy(b"hello", buffer); stream.copy(buffer, memory); stream.synchronize(timeout=10)
    /// >>> memory
    /// bytearray(b'hello')
    fn copy(
        slf: &Bound<'_, Self>,
        source: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        static COPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = slf.py();
        if let (Ok(source), Ok(target)) = (source.cast::<Buffer>(), target.cast::<Buffer>()) {
            return memory::copy(py, &slf.get().stream, source.get(), target.get());
        }
        let copy = COPY.import(py, "syncpoint._memory", "_copy")?;
        copy.call1((slf, source, target)).map(drop)
    }

    /// Makes it the current stream of its device, and that the current device, until the matching end.
    fn __enter__(slf: Py<Self>, py: Python<'_>) -> PyResult<Py<Self>> {
        static ENTER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        ENTER.import(py, "syncpoint._current", "entered")?.call1((&slf,))?;
        Ok(slf)
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(slf: &Bound<'_, Self>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        static LEAVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        LEAVE.import(slf.py(), "syncpoint._current", "left")?.call1((slf,)).map(drop)
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf.as_any()))
    }

    /// Calls `function(*args, **kwargs)` in the order of the stream, on a thread of ours and never on one that waits; gives
    /// the `concurrent.futures.Future` of its result. What follows waits for it. If it raises, the future has the exception
    /// and the stream fails: what is behind it is not run, and whoever waits is raised `FailedError`, until `recover()`.
    /// A future that is cancelled before its turn is passed over; one whose call has begun cannot be cancelled.
    ///
    /// Raises `UnavailableError` once the interpreter ends, the failure of a stream that has failed.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.open("host:0").stream()
    /// >>> stream.enqueue(max, 3, 4).result(timeout=10)
    /// 4
    #[pyo3(signature = (function, /, *args, **kwargs))]
    fn enqueue(
        &self,
        function: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        work::enqueue(function.py(), (&self.stream, &self.behind), function, args, kwargs)
    }

    /// Ends the failure of the stream: what is enqueued from now on runs. Gives the failure as an exception, or `None` where
    /// the stream had not failed.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.open("host:0").stream()
    /// >>> stream.enqueue(int, "three").exception(timeout=10)
    /// ValueError("invalid literal for int() with base 10: 'three'")
    /// >>> syncpoint.wait_all([stream.record()])
    /// Traceback (most recent call last):
    /// ...
    /// syncpoint.FailedError: work on stream ...
    /// >>> failure = stream.recover()
    /// >>> stream.enqueue(int, "3").result(timeout=10)
    /// 3
    fn recover(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let failure = released(py, || self.stream.recover())?;
        Ok(failure.map(|failure| {
            self.behind.clear();
            raised(py, &failure).into_value(py).into_any()
        }))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().stream.id() == self.stream.id())
    }

    fn __hash__(&self) -> u64 {
        self.stream.id()
    }

    fn __repr__(&self) -> String {
        let (kind, index) = parity::parts(self.stream.device().name());
        let id = self.stream.id();
        format!("syncpoint.Stream device_type={kind}, device_index={index}, stream_id={id}")
    }
}

/// As torch says it.
const NO_EVENT: &str = "expected event to be a torch.Event object";
