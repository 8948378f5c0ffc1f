//! Spans: what lies between two events, with the clock that says so.

use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use syncpoint::TimedPoint;

/// The time from one event to another, on the clock of their device: `end - start`. Negative where the end came first.
///
/// >>> import syncpoint
/// >>> stream = syncpoint.Stream("host")
/// >>> start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
/// >>> start.record(stream); stream.delay(0.001); end.record(stream)
/// >>> end.synchronize(timeout=10)
/// >>> span = end - start
/// >>> span.milliseconds >= 1, span.resolution <= 0.001, (start - end) < span
/// (True, True, True)
#[pyclass(frozen, module = "syncpoint")]
pub(crate) struct Span {
    nanoseconds: i64,
    /// The name of the clock.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.Stream("host").record_event(syncpoint.Event(enable_timing=True))
    /// >>> event.synchronize(timeout=10)
    /// >>> (event - event).clock == syncpoint.capabilities("host").clock
    /// True
    #[pyo3(get)]
    clock: String,
    /// How far the time may be off by the clock's steps, in seconds.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.Stream("host").record_event(syncpoint.Event(enable_timing=True))
    /// >>> event.synchronize(timeout=10)
    /// >>> 0 < (event - event).resolution < 0.001
    /// True
    #[pyo3(get)]
    resolution: f64,
}

impl Span {
    pub(crate) fn between(start: &TimedPoint, end: &TimedPoint) -> syncpoint::Result<Self> {
        let span = end.signed_elapsed_since(start)?;
        let resolution = end.clock().resolution_of(span.abs()).as_secs_f64();
        Ok(Self { nanoseconds: span.as_nanos(), clock: end.clock().name().to_owned(), resolution })
    }
}

#[pymethods]
impl Span {
    /// The time in whole nanoseconds.
    ///
    /// >>> import syncpoint
    /// >>> event = syncpoint.Stream("host").record_event(syncpoint.Event(enable_timing=True))
    /// >>> event.synchronize(timeout=10)
    /// >>> (event - event).nanoseconds
    /// 0
    #[getter]
    fn nanoseconds(&self) -> i64 {
        self.nanoseconds
    }

    /// The time in milliseconds, as `elapsed_time` gives it.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
    /// >>> start.record(stream); end.record(stream); end.synchronize(timeout=10)
    /// >>> (end - start).milliseconds == start.elapsed_time(end)
    /// True
    #[expect(clippy::cast_precision_loss, reason = "52 bits are what a float of Python's has")]
    #[getter]
    pub(crate) fn milliseconds(&self) -> f64 {
        self.nanoseconds as f64 / 1e6
    }

    /// The time in seconds.
    ///
    /// >>> import syncpoint
    /// >>> stream = syncpoint.Stream("host")
    /// >>> start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
    /// >>> start.record(stream); stream.delay(0.002); end.record(stream); end.synchronize(timeout=10)
    /// >>> 0.001 < (end - start).seconds < 10
    /// True
    #[getter]
    fn seconds(&self) -> f64 {
        self.milliseconds() / 1e3
    }

    fn __richcmp__(&self, other: &Self, compared: CompareOp) -> bool {
        compared.matches(self.nanoseconds.cmp(&other.nanoseconds))
    }

    fn __hash__(&self) -> u64 {
        self.nanoseconds.cast_unsigned()
    }

    fn __repr__(&self) -> String {
        let (span, step) = (self.milliseconds(), self.resolution * 1e9);
        format!("<syncpoint.Span {span} ms on {}, in steps of {step} ns>", self.clock)
    }
}
