//! Devices, by name.

use std::sync::Arc;

use pyo3::prelude::*;
use syncpoint::Slices;

use crate::devices::Capabilities;
use crate::error::released;
use crate::event::Event;
use crate::external;
use crate::memory::Buffer;
use crate::parity;
use crate::released::Released;
use crate::stream::Stream;
use crate::waits;

/// A device: what runs streams. `syncpoint.open(name)` gives one, which any thread may use.
///
/// >>> import syncpoint
/// >>> device = syncpoint.open("host:0")
/// >>> device.stream().device == device, str(device)
/// (True, 'host:0')
#[pyclass(frozen, module = "syncpoint", weakref)]
pub(crate) struct Device(Released<syncpoint::Device>);

/// Opens a device by its name: `host:0`, `cuda:0`, `vulkan:0`, `metal:0`, `sim:0`. The same name gives the same device. May
/// begin a driver.
///
/// Raises `UnavailableError` where there is no driver, with what was searched; `MisuseError` for a name that is none and a number
/// that no device has; `UnsupportedError` for a backend that this system never has.
///
/// >>> import syncpoint
/// >>> syncpoint.open("host:0") == syncpoint.open("host:0")
/// True
#[pyfunction]
pub(crate) fn open(py: Python<'_>, name: &str) -> PyResult<Device> {
    released(py, || syncpoint::open(name)).map(Device::of)
}

/// The names of the devices that are here, those of `sim` left out. May enter drivers; one that is not there adds no name.
///
/// >>> import syncpoint
/// >>> "host:0" in syncpoint.devices()
/// True
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> Vec<String> {
    py.detach(syncpoint::devices)
}

impl Device {
    pub(crate) fn of(device: syncpoint::Device) -> Self {
        Self(Released::new(device))
    }

    pub(crate) fn inner(&self) -> &syncpoint::Device {
        &self.0
    }

    /// The number in the name: `cuda:1`, or `cuda:1 context 5` of one over another context.
    pub(crate) fn number(&self) -> u32 {
        parity::parts(self.0.name()).1.parse().unwrap_or(0)
    }
}

#[pymethods]
impl Device {
    /// The name, `cuda:0` say.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.open("sim:1").name
    /// 'sim:1'
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The kind of device, as PyTorch says it: `cuda` of `cuda:0`.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.open("sim:1").type
    /// 'sim'
    #[getter(r#type)]
    fn kind(&self) -> &str {
        self.0.name().split(':').next().unwrap_or_default()
    }

    /// The number of the device among those of its kind.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.open("sim:1").index
    /// 1
    #[getter]
    fn index(&self) -> u32 {
        self.number()
    }

    /// Whether its name gives another from now on, since it is lost.
    #[getter]
    fn _is_spent(&self) -> bool {
        self.0.is_spent()
    }

    /// The range of priorities, the least and the greatest: a smaller number is more urgent.
    ///
    /// >>> import syncpoint
    /// >>> least, greatest = syncpoint.open("host:0").priority_range
    /// >>> greatest <= 0 <= least
    /// True
    #[getter]
    fn priority_range(&self) -> (i32, i32) {
        let range = self.0.priority_range();
        (range.least(), range.greatest())
    }

    /// A stream of its own, which nobody else uses; a `priority` out of range is clamped. May enter the driver.
    ///
    /// Raises what the driver says: `ExhaustedError`, `DeviceLostError` or `DriverError`.
    ///
    /// >>> import syncpoint
    /// >>> device = syncpoint.open("host:0")
    /// >>> device.stream() == device.stream()
    /// False
    #[pyo3(signature = (*, priority = 0))]
    fn stream(&self, py: Python<'_>, priority: i32) -> PyResult<Stream> {
        Stream::made(py, &self.0, priority)
    }

    /// An event of this device, which is recorded on no other: see `syncpoint.Event`, also for what is raised.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.open("sim:0").event()
    /// >>> event.record(syncpoint.Stream("sim:1"))
    /// Traceback (most recent call last):
    /// ...
    /// syncpoint.MisuseError: Event device index 0 does not match recording stream's device index 1.
    #[expect(
        clippy::fn_params_excessive_bools,
        clippy::too_many_arguments,
        reason = "keywords of Python"
    )]
    #[pyo3(signature = (*, enable_timing = false, blocking = false, interprocess = false, external = false))]
    fn event(
        &self,
        py: Python<'_>,
        enable_timing: bool,
        blocking: bool,
        interprocess: bool,
        external: bool,
    ) -> PyResult<Event> {
        let options = [enable_timing, blocking, interprocess, external, false];
        Event::made(py, &self.0, options)
    }

    /// Memory of the device, of so many bytes, all zero. May block for the device, never for a stream.
    ///
    /// Raises `ExhaustedError` where there is no room.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.open("host:0").buffer(4).to_bytes()
    /// b'\x00\x00\x00\x00'
    fn buffer(&self, py: Python<'_>, nbytes: u64) -> PyResult<Buffer> {
        released(py, || self.0.buffer(nbytes)).map(Buffer::of)
    }

    /// Memory of the host that the device reaches (pinned, on CUDA): copies between it and the device's own wait for nobody.
    ///
    /// Raises `ExhaustedError` where there is no room.
    ///
    /// >>> import syncpoint
    /// >>> device = syncpoint.open("host:0")
    /// >>> stream, near, far = device.stream(), device.host_buffer(2), device.buffer(2)
    /// >>> near.write(b"ab"); stream.copy(near, far); stream.synchronize(timeout=10)
    /// >>> far.to_bytes()
    /// b'ab'
    fn host_buffer(&self, py: Python<'_>, nbytes: u64) -> PyResult<Buffer> {
        released(py, || self.0.host_buffer(nbytes)).map(Buffer::of)
    }

    /// Waits on this thread until everything enqueued so far on every stream of the device is complete, and for nothing that
    /// comes meanwhile. `timeout` in seconds. Ctrl-C ends the wait and nothing else.
    ///
    /// Raises `TimedOutError` with the report of who waits for whom, `FailedError` where a stream has failed, `ValueError` for a
    /// timeout that is no time.
    ///
    /// >>> import syncpoint
    /// >>> device = syncpoint.open("host:0")
    /// >>> points = [device.stream().record() for _ in range(3)]
    /// >>> device.synchronize(timeout=10)
    /// >>> [point.query() for point in points]
    /// [True, True, True]
    #[pyo3(signature = (timeout = None))]
    fn synchronize(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        waits::one(py, Slices::device(&self.0), timeout)
    }

    /// What the device can do, asked of no driver.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.open("host:0").capabilities.timing
    /// True
    #[getter]
    fn capabilities(&self) -> Capabilities {
        Capabilities::of(&self.0)
    }

    /// The stream that is meant on this device by whoever names none: of CUDA the driver's own, the legacy stream, so that
    /// what others launch without a stream is among its work; elsewhere a new one.
    fn _default_stream(&self, py: Python<'_>) -> PyResult<Stream> {
        if parity::kind(self.0.name()) == "cuda" {
            return released(py, || syncpoint::cuda::legacy_stream(&self.0)).map(Stream::common);
        }
        released(py, || self.0.stream()).map(|stream| Stream::common(Arc::new(stream)))
    }

    /// The stream of the driver's that a pointer stands for: it must be one for as long as `owner` lives, which is kept until
    /// nothing of ours is on its way there.
    #[pyo3(signature = (pointer, owner = None))]
    fn _external_stream(
        &self,
        py: Python<'_>,
        pointer: usize,
        owner: Option<Py<PyAny>>,
    ) -> PyResult<Stream> {
        external::stream(py, &self.0, pointer, owner).map(Stream::common)
    }

    fn __eq__(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.name().hash(&mut hasher);
        hasher.finish()
    }

    fn __str__(&self) -> &str {
        self.0.name()
    }

    fn __repr__(&self) -> String {
        format!("syncpoint.open({:?})", self.0.name())
    }
}
