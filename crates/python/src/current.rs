//! The current stream of a device, of this thread and task, as calls look for it: Python sets it (`_current.py`).

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::device::Device;
use crate::stream::Stream;

/// The stream that is meant on a device where none is named.
pub(crate) fn of(py: Python<'_>, device: &syncpoint::Device) -> PyResult<Py<Stream>> {
    let state = state(py)?;
    in_state(py, state.as_ref(), device)
}

/// The stream that is meant where no device is named either, only its kind.
pub(crate) fn of_kind(py: Python<'_>, kind: &Bound<'_, PyAny>) -> PyResult<Py<Stream>> {
    static DEVICES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static OPEN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let state = state(py)?;
    let index = state.as_ref().map_or(Ok(0), |state| index(state, kind))?;
    let opened = DEVICES.import(py, "syncpoint", "_devices")?;
    let opened = opened.getattr(pyo3::intern!(py, "_opened"))?.cast_into::<PyDict>()?;
    let device =
        opened.get_item((kind, index))?.and_then(|device| device.cast_into::<Device>().ok());
    let device: Bound<'_, Device> = match device {
        Some(device) if !device.get().inner().is_spent() => device,
        _ => OPEN.import(py, "syncpoint._devices", "opened")?.call1((kind, index))?.cast_into()?,
    };
    in_state(py, state.as_ref(), device.get().inner())
}

/// The same of a device, or of the current one of a kind.
pub(crate) fn named<'py>(py: Python<'py>, device: impl IntoPyObject<'py>) -> PyResult<Py<Stream>> {
    static NAMED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let named = NAMED.import(py, "syncpoint._current", "current_stream")?;
    Ok(named.call1((device,))?.cast_into::<Stream>()?.unbind())
}

/// The name of the device that is the current one of a kind now, of the default backend's where none is named. None is opened.
pub(crate) fn device(py: Python<'_>, kind: Option<&str>) -> PyResult<String> {
    static DEVICE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DEVICE.import(py, "syncpoint._devices", "current_name")?.call1((kind,))?.extract()
}

#[pyfunction]
pub(crate) fn _current_stream(py: Python<'_>, device: &Device) -> PyResult<Py<Stream>> {
    of(py, device.inner())
}

/// The stream on which a thread begins, where that is the current one.
#[pyfunction]
pub(crate) fn _default_if_current(py: Python<'_>, device: &Device) -> PyResult<Option<Py<Stream>>> {
    let (default, current) = (default(py, device.inner())?, of(py, device.inner())?);
    let is_current = current.get().inner().id() == default.get().inner().id();
    Ok(is_current.then_some(default))
}

/// The number of this thread, which no other has, nor will have after its end.
#[pyfunction(name = "_thread")]
pub(crate) fn thread() -> u64 {
    /// It orders nothing.
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static NUMBER: u64 = NUMBERS.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

/// What was made current by this thread and task, if anything: a `_State`.
fn state(py: Python<'_>) -> PyResult<Option<Bound<'_, PyTuple>>> {
    static GET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let state = GET.import(py, "syncpoint._current", "_get")?.call0()?;
    let Ok(state) = state.cast_into::<PyTuple>() else { return Ok(None) };
    let is_ours = state.get_item(THREAD)?.extract::<u64>()? == thread();
    Ok(is_ours.then_some(state))
}

/// The places of a `_State`.
const THREAD: usize = 0;
const STREAMS: usize = 1;
const INDICES: usize = 2;

fn index(state: &Bound<'_, PyTuple>, kind: &Bound<'_, PyAny>) -> PyResult<u32> {
    let indices = state.get_item(INDICES)?.cast_into::<PyDict>()?;
    indices.get_item(kind)?.map_or(Ok(0), |index| index.extract())
}

fn in_state(
    py: Python<'_>,
    state: Option<&Bound<'_, PyTuple>>,
    device: &syncpoint::Device,
) -> PyResult<Py<Stream>> {
    let set = state.map_or(Ok(None), |state| set(state, device))?;
    set.map_or_else(|| default(py, device), Ok)
}

/// The stream that was made current on a device.
fn set(state: &Bound<'_, PyTuple>, device: &syncpoint::Device) -> PyResult<Option<Py<Stream>>> {
    let streams = state.get_item(STREAMS)?.cast_into::<PyDict>()?;
    let Some(set) = streams.get_item(device.name())? else { return Ok(None) };
    let set = set.cast_into::<PyTuple>()?;
    if set.get_item(0)?.cast::<Device>()?.get().inner() != device {
        // It is of before a fork.
        return Ok(None);
    }
    Ok(Some(set.get_item(1)?.cast_into::<Stream>()?.unbind()))
}

/// The stream on which a thread begins: the one that was asked for last is at hand, and Python keeps it for ever as well. Who
/// finds it locked, as a child of a fork may always, asks Python.
fn default(py: Python<'_>, device: &syncpoint::Device) -> PyResult<Py<Stream>> {
    static LATEST: Mutex<Option<Py<Stream>>> = Mutex::new(None);
    static DEFAULT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let latest = LATEST.try_lock().ok().and_then(|latest| Some(latest.as_ref()?.clone_ref(py)));
    if let Some(latest) = latest.filter(|latest| latest.get().inner().device() == device) {
        return Ok(latest);
    }
    let default = DEFAULT.import(py, "syncpoint._current", "default_stream")?;
    let default = default.call1((Device::of(device.clone()),))?.cast_into::<Stream>()?.unbind();
    let kept = default.clone_ref(py);
    let replaced = LATEST.try_lock().ok().and_then(|mut latest| latest.replace(kept));
    // It ends after the lock, since that lets go of the interpreter's.
    drop(replaced);
    Ok(default)
}
