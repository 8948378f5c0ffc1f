//! What devices can do, how many there are, and which one is meant.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use crate::device::Device;
use crate::error::released;

/// What a device can do: ask it before using what not every device has. Two of equal devices are equal.
///
/// >>> import syncpoint
/// >>> host = syncpoint.capabilities("host")
/// >>> host.timing, host.interprocess, host.external, host.native_handle
/// (True, True, False, False)
#[pyclass(frozen, get_all, module = "syncpoint", eq)]
#[derive(PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(crate) struct Capabilities {
    /// Whether it times its work.
    ///
    /// >>> import syncpoint
    /// >>> device = syncpoint.open("host:0")
    /// >>> device.event(enable_timing=device.capabilities.timing).enable_timing
    /// True
    timing: bool,
    /// Whether its events go to other processes.
    ///
    /// >>> import syncpoint
    /// >>> device = syncpoint.open("host:0")
    /// >>> device.event(interprocess=device.capabilities.interprocess).interprocess
    /// True
    interprocess: bool,
    /// Whether events are recorded and waited for by launches of graphs.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.capabilities("host").external
    /// False
    external: bool,
    /// Whether an event can own a handle of the driver's.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.capabilities("host").native_handle
    /// False
    native_handle: bool,
    /// The least and the greatest priority of streams: a smaller number is more urgent.
    ///
    /// >>> import syncpoint
    /// >>> least, greatest = syncpoint.capabilities("host").priority_range
    /// >>> syncpoint.Stream("host", priority=least).priority == least
    /// True
    priority_range: (i32, i32),
    /// The clock that times its work.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.capabilities("host").clock == syncpoint.capabilities("sim").clock
    /// False
    clock: String,
    /// The step of that clock, in seconds.
    ///
    /// >>> import syncpoint
    /// >>> 0 < syncpoint.capabilities("host").resolution < 0.001
    /// True
    resolution: f64,
}

impl Capabilities {
    pub(crate) fn of(device: &syncpoint::Device) -> Self {
        let (can, clock) = (device.capabilities(), device.clock());
        Self {
            timing: can.timing,
            interprocess: can.interprocess,
            external: can.external,
            native_handle: can.native_handle,
            priority_range: (can.priorities.least(), can.priorities.greatest()),
            clock: clock.name().to_owned(),
            resolution: clock.resolution().as_secs_f64(),
        }
    }
}

#[pymethods]
impl Capabilities {
    fn __repr__(&self) -> String {
        let (least, greatest) = self.priority_range;
        let said = |can: bool| if can { "True" } else { "False" };
        format!(
            "Capabilities(timing={}, interprocess={}, external={}, native_handle={}, \
             priority_range=({least}, {greatest}), clock={:?}, resolution={:e})",
            said(self.timing),
            said(self.interprocess),
            said(self.external),
            said(self.native_handle),
            self.clock,
            self.resolution
        )
    }
}

/// How many devices of a kind are here. Begins the driver that counts them.
///
/// # Errors
/// The driver's; `Unavailable` where there is none.
#[pyfunction]
pub(crate) fn _device_count(py: Python<'_>, kind: &str) -> PyResult<u32> {
    released(py, || match kind {
        "cuda" => syncpoint::cuda::count(),
        "vulkan" => syncpoint::vulkan::count(),
        "metal" => syncpoint::metal::count(),
        "sim" => Ok(syncpoint::sim::DEVICES),
        _ => Ok(1),
    })
}

/// The device on which a stream is made, by what users give.
pub(crate) fn of_stream<'py>(
    py: Python<'py>,
    device: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    static RESOLVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RESOLVE.import(py, "syncpoint._devices", "of_stream")?.call1((device,))
}

/// The device that is meant by what users give, as an object of `Device`.
pub(crate) fn resolved<'py>(
    py: Python<'py>,
    device: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    static RESOLVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RESOLVE.import(py, "syncpoint._devices", "resolved")?.call1((device,))
}

/// The device of a name.
pub(crate) fn named(py: Python<'_>, name: &str) -> PyResult<Py<Device>> {
    let device = resolved(py, Some(&PyString::new(py, name)))?;
    Ok(device.cast_into::<Device>()?.unbind())
}

/// The device that an event is for, or the name of its kind where no index was given.
pub(crate) fn of_event<'py>(device: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static RESOLVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RESOLVE.import(device.py(), "syncpoint._devices", "of_event")?.call1((device,))
}

/// Neither streams nor events are copied: a copy would be another name of the same, and in another process of nothing.
pub(crate) fn not_pickled(object: &Bound<'_, PyAny>) -> PyErr {
    let of = object.get_type();
    // As torch tells it: of the classes of Rust with the package, of those of Python without.
    let is_ours = of.module().is_ok_and(|module| module == "syncpoint");
    let name = if is_ours { of.fully_qualified_name() } else { of.name() };
    let name = name.map_or_else(|_| "syncpoint object".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("cannot pickle '{name}' object"))
}
