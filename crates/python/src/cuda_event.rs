//! What `syncpoint.cuda.Event` is made of: the calls that programs make most, as `torch.cuda` has them.

use pyo3::PyClassInitializer;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::current;
use crate::event::Event;
use crate::stream::Stream;

/// An event that is recorded and waited for on the current stream of the current device of CUDA, or of the backend that stands in for
/// it, where none is named, and that refuses in the words of `torch.cuda`.
#[pyclass(frozen, subclass, extends = Event, name = "_CudaEvent", module = "syncpoint")]
pub(crate) struct CudaEvent;

#[pymethods]
impl CudaEvent {
    #[expect(
        clippy::fn_params_excessive_bools,
        clippy::too_many_arguments,
        reason = "keywords of Python"
    )]
    #[new]
    #[pyo3(signature = (device = None, *, enable_timing = false, blocking = false, interprocess = false, external = false, native_handle = false))]
    fn new(
        device: Option<&Bound<'_, PyAny>>,
        py: Python<'_>,
        enable_timing: bool,
        blocking: bool,
        interprocess: bool,
        external: bool,
        native_handle: bool,
    ) -> PyResult<PyClassInitializer<Self>> {
        let options = [enable_timing, blocking, interprocess, external, native_handle];
        Event::given(py, device, options)
            .map(|event| PyClassInitializer::from(event).add_subclass(Self))
    }

    /// Records the end of what `stream` was given so far, of the current stream where none is given.
    ///
    /// Raises `MisuseError` for a stream of another device, `RuntimeError` for what is no stream. On a stream that has failed
    /// the event has failed too.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.set_default_backend("host")
    /// >>> event = syncpoint.cuda.Event()
    /// >>> event.record(syncpoint.cuda.Stream())
    /// >>> event.synchronize(timeout=10)
    #[pyo3(signature = (stream = None))]
    fn record(slf: &Bound<'_, Self>, stream: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let py = slf.py();
        let stream = meant(py, stream)?;
        let recorded = slf.as_super().get().recorded(py, stream.get());
        recorded.map_err(|refused| told(slf, refused, &stream))
    }

    /// What `stream` is given from now on waits for the latest record, the current stream where none is given; nothing waits
    /// where there is no record. This thread does not wait.
    ///
    /// Raises `RuntimeError` for what is no stream, and the failure of a stream that would have to wait and has failed.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.set_default_backend("host")
    /// >>> event, stream = syncpoint.cuda.Stream().record_event(), syncpoint.cuda.Stream()
    /// >>> event.wait(stream)
    /// >>> stream.synchronize(timeout=10)
    #[pyo3(signature = (stream = None))]
    fn wait(slf: &Bound<'_, Self>, stream: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let py = slf.py();
        let stream = meant(py, stream)?;
        slf.as_super().get().waited(py, stream.get())
    }
}

/// The stream that is meant: this one, or the current one of the backend that is meant by CUDA.
fn meant<'py>(py: Python<'py>, stream: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, Stream>> {
    static DEVICES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Some(stream) = stream {
        let stream = stream.cast::<Stream>().map_err(|_| PyRuntimeError::new_err(NO_STREAM))?;
        return Ok(stream.clone());
    }
    let devices = DEVICES.import(py, "syncpoint", "_devices")?;
    let backend = devices.getattr(pyo3::intern!(py, "_default"))?;
    let kind = if backend.is_none() { pyo3::intern!(py, "cuda").as_any() } else { &backend };
    let stream = current::of_kind(py, kind).map_err(|refused| absent(py, &refused))?;
    Ok(stream.into_bound(py))
}

/// A refusal of the current stream, where there is no CUDA or it stayed with the parent of a fork in the words of `torch.cuda`.
#[cold]
fn absent(py: Python<'_>, refused: &PyErr) -> PyErr {
    let told = py.import("syncpoint.cuda._backend");
    let told = told.and_then(|backend| backend.call_method1("told", (refused.value(py),)));
    told.map_or_else(|other| other, PyErr::from_value)
}

/// As torch says it.
const NO_STREAM: &str = "expected stream to be a torch.Stream or torch.cuda.Stream object";

/// A refusal of a record, in the words of `torch.cuda`.
#[cold]
fn told(event: &Bound<'_, CudaEvent>, refused: PyErr, stream: &Bound<'_, Stream>) -> PyErr {
    let refused = refused.into_value(event.py());
    let told = event.call_method1(pyo3::intern!(event.py(), "_told"), (refused, stream));
    told.map_or_else(|other| other, PyErr::from_value)
}
