//! The ring of a device's shared streams: 32 of each priority, given out in turn, as torch does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use syncpoint::StreamOptions;

use crate::device::Device;
use crate::error::released;
use crate::released::Released;
use crate::room::Behind;
use crate::stream::Stream;

/// As many as torch has of each priority.
const LENGTH: usize = 32;

/// Priorities as torch has them: 0 and three that are more urgent, as far as the device tells them apart.
const LEVELS: usize = 4;

/// The shared streams of a device. The 33rd that is asked for is the first once more, and says that it `is_shared`. Each is
/// made when its turn comes first.
///
/// Raises `RuntimeError` for a name that no device has, `MisuseError` for a number that none has, `UnavailableError` where it is
/// not there.
///
/// >>> import syncpoint
/// >>> streams = syncpoint.SharedStreams("host")
/// >>> first = streams.next()
/// >>> [streams.next() for _ in range(32)][-1] == first
/// True
#[pyclass(frozen, module = "syncpoint")]
pub(crate) struct SharedStreams {
    device: Py<Device>,
    levels: Released<[Level; LEVELS]>,
}

#[derive(Default)]
struct Level {
    /// The turns taken so far. It orders nothing else.
    turns: AtomicUsize,
    streams: [OnceLock<Made>; LENGTH],
}

/// A stream, and the gates that it is behind, whichever object of it has waited.
type Made = (Arc<syncpoint::Stream>, Arc<Behind>);

#[pymethods]
impl SharedStreams {
    #[new]
    #[pyo3(signature = (device = None))]
    fn new(py: Python<'_>, device: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let device = crate::devices::resolved(py, device)?.cast_into::<Device>()?.unbind();
        Ok(Self { device, levels: Released::new(Default::default()) })
    }

    /// The device of every one of them.
    ///
    /// >>> import syncpoint
    /// >>> syncpoint.SharedStreams("host").device
    /// syncpoint.open("host:0")
    #[getter]
    fn device(&self, py: Python<'_>) -> Py<Device> {
        self.device.clone_ref(py)
    }

    /// The next stream of a priority, which is clamped to those that the device has. May enter the driver, and raises what
    /// `Device.stream` does.
    ///
    /// >>> import syncpoint
    /// >>> streams = syncpoint.SharedStreams("host")
    /// >>> streams.next().is_shared, streams.next() == streams.next()
    /// (True, False)
    #[pyo3(signature = (priority = 0))]
    fn next(&self, py: Python<'_>, priority: i32) -> PyResult<Stream> {
        let most = self.device.get().inner().priority_range().greatest();
        let level = usize::try_from(-priority.clamp(most.min(0), 0)).unwrap_or(0).min(LEVELS - 1);
        let index = self.levels[level].turns.fetch_add(1, Ordering::Relaxed) % LENGTH;
        self.at(py, level, index)
    }

    /// The stream of a level (0 is the least urgent) at a place from 0 to 31, made if it is not there. May enter the driver.
    ///
    /// Raises `IndexError` where there is no such level or place, and what `Device.stream` does.
    ///
    /// >>> import syncpoint
    /// >>> streams = syncpoint.SharedStreams("host")
    /// >>> streams.at(0, 0) == streams.next()
    /// True
    /// >>> streams.at(0, 32)
    /// Traceback (most recent call last):
    /// ...
    /// IndexError: no stream 32 of level 0; there are 32 of 4 levels
    fn at(&self, py: Python<'_>, level: usize, index: usize) -> PyResult<Stream> {
        let place = self.levels.get(level).and_then(|level| level.streams.get(index));
        let place = place.ok_or_else(|| {
            PyIndexError::new_err(format!(
                "no stream {index} of level {level}; there are {LENGTH} of {LEVELS} levels"
            ))
        })?;
        let (stream, behind) = released(py, || self.made(place, level))?;
        Ok(Stream::ring(stream, behind, [level, index]))
    }
}

impl SharedStreams {
    /// Two threads that come first may make one each: one of the two is kept.
    fn made(&self, place: &OnceLock<Made>, level: usize) -> syncpoint::Result<Made> {
        if let Some(made) = place.get() {
            return Ok(made.clone());
        }
        let priority = i32::try_from(level).map_or(0, |level| -level);
        let options = StreamOptions::new().clamped_priority(priority);
        let made = Arc::new(self.device.get().inner().stream_with(options)?);
        Ok(place.get_or_init(|| (made, Arc::default())).clone())
    }
}
