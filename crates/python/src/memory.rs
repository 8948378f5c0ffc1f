//! Memory of a device, in parts.

use std::ops::Range;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PySlice};

use crate::device::Device;
use crate::devices::not_pickled;
use crate::error::released;
use crate::released::Released;

/// Memory of a device, or a part of it, in bytes: `device.buffer(size)` makes one, `device.host_buffer(size)` one of the host's
/// memory that the device reaches, and a slice (`buffer[8:16]`) is a part, which is the same memory. It lives until nobody
/// has it and every operation on it is complete.
///
/// >>> import syncpoint
/// >>> device = syncpoint.open("host:0")
/// >>> stream, buffer = device.stream(), device.buffer(8)
/// >>> stream.fill(buffer, 1); stream.fill(buffer[4:], 2)
/// >>> stream.synchronize(timeout=10)
/// >>> buffer.to_bytes(), len(buffer[2:6]), buffer[2:6].offset
/// (b'\x01\x01\x01\x01\x02\x02\x02\x02', 4, 2)
#[pyclass(frozen, module = "syncpoint", weakref)]
pub(crate) struct Buffer {
    memory: Released<syncpoint::Buffer>,
    range: Range<u64>,
}

impl Buffer {
    pub(crate) fn of(memory: syncpoint::Buffer) -> Self {
        let range = 0..memory.len();
        Self { memory: Released::new(memory), range }
    }

    fn length(&self) -> u64 {
        self.range.end - self.range.start
    }
}

#[pymethods]
impl Buffer {
    /// The device that it is memory of, or that reaches it.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.open("host:0").buffer(4).device
    /// syncpoint.open("host:0")
    #[getter]
    fn device(&self) -> Device {
        Device::of(self.memory.device().clone())
    }

    /// Where the part begins, in bytes from the begin of the memory that was made.
    ///
    /// >>> import syncpoint
    /// >>> buffer = syncpoint.open("host:0").buffer(8)
    /// >>> buffer.offset, buffer[4:].offset, buffer[4:][2:].offset
    /// (0, 4, 6)
    #[getter]
    fn offset(&self) -> u64 {
        self.range.start
    }

    /// The length in bytes.
    ///
    /// >>> import syncpoint
    /// >>> buffer = syncpoint.open("host:0").buffer(8)
    /// >>> buffer.nbytes, buffer[4:].nbytes, len(buffer[4:6])
    /// (8, 4, 2)
    #[getter]
    fn nbytes(&self) -> u64 {
        self.length()
    }

    /// The bytes, as they are now: synchronize the work that writes them first. May block for the device, never for a stream.
    ///
    /// Raises what the driver says: `DeviceLostError` or `DriverError`.
    ///
    /// >>> import syncpoint
    /// >>> device = syncpoint.open("host:0")
    /// >>> stream, buffer = device.stream(), device.buffer(3)
    /// >>> stream.fill(buffer, 255); stream.synchronize(timeout=10)
    /// >>> buffer.to_bytes()
    /// b'\xff\xff\xff'
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = released(py, || self.memory.to_vec(self.range.clone()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes the bytes of an array of the host, from the begin of the part on, now: synchronize the work that uses it first. May
    /// block for the device, never for a stream.
    ///
    /// Raises `ValueError` where they are more than the part has room for, or do not lie in one piece.
    ///
    /// >>> import syncpoint
    /// >>> buffer = syncpoint.open("host:0").buffer(4)
    /// >>> buffer[1:].write(bytearray(b"abc"))
    /// >>> buffer.to_bytes()
    /// b'\x00abc'
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        static BYTES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = data.py();
        let data = BYTES.import(py, "syncpoint._memory", "_bytes")?.call1((data,))?;
        let data: &[u8] = data.extract()?;
        if data.len() as u64 > self.length() {
            let message = format!(
                "{} bytes do not fit into {} of {}; write a part of them",
                data.len(),
                self.length(),
                *self.memory
            );
            return Err(PyValueError::new_err(message));
        }
        released(py, || self.memory.write(self.range.start, data))
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.length()).unwrap_or(usize::MAX)
    }

    /// A part, by a slice of step 1.
    fn __getitem__(&self, part: &Bound<'_, PySlice>) -> PyResult<Self> {
        let length = isize::try_from(self.length()).unwrap_or(isize::MAX);
        let part = part.indices(length)?;
        if part.step != 1 {
            let message =
                format!("a part has a step of 1, not {}; copy in several parts", part.step);
            return Err(PyValueError::new_err(message));
        }
        let [start, length] = [part.start.unsigned_abs() as u64, part.slicelength as u64];
        let start = self.range.start + start;
        Ok(Self { memory: Released::new((*self.memory).clone()), range: start..start + length })
    }

    fn __eq__(&self, other: &Self) -> bool {
        *self.memory == *other.memory && self.range == other.range
    }

    fn __hash__(&self) -> u64 {
        self.memory.id()
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf.as_any()))
    }

    fn __repr__(&self) -> String {
        let Range { start, end } = self.range;
        format!("<syncpoint.Buffer {start}..{end} of {}>", *self.memory)
    }
}

/// Fills a part with a byte, in the order of a stream.
pub(crate) fn fill(
    py: Python<'_>,
    stream: &syncpoint::Stream,
    target: &Buffer,
    value: u8,
) -> PyResult<()> {
    released(py, || stream.fill(&target.memory, target.range.clone(), value))
}

/// Copies one part to another, in the order of a stream.
pub(crate) fn copy(
    py: Python<'_>,
    stream: &syncpoint::Stream,
    source: &Buffer,
    target: &Buffer,
) -> PyResult<()> {
    released(py, || {
        let (from, to) = (source.range.clone(), target.range.clone());
        stream.copy(&source.memory, from, &target.memory, to)
    })
}

/// Refuses a byte that is none.
pub(crate) fn byte(value: i64) -> PyResult<u8> {
    u8::try_from(value).map_err(|_| {
        PyTypeError::new_err(format!("a fill is of one byte, from 0 to 255, and not {value}"))
    })
}
