//! Waits of the host for several points or events at once.

use std::time::Instant;

use pyo3::prelude::*;
use syncpoint::{Error, First};

use crate::error::{raised, released};
use crate::event::Event;
use crate::point::Point;
use crate::released::Released;
use crate::waits;

/// What can be waited for beside others.
#[derive(FromPyObject)]
pub(crate) enum Awaited {
    Point(Py<Point>),
    Event(Py<Event>),
}

impl Awaited {
    /// `None` of an event that has nothing to wait for, as one that was never recorded: it is complete.
    fn point(&self) -> Result<Option<syncpoint::Point>, Error> {
        match self {
            Self::Point(point) => Ok(Some(point.get().inner().clone())),
            Self::Event(event) => event.get().inner().awaited(),
        }
    }
}

/// Waits on this thread until every one of some points or events is complete, at most `timeout` seconds. An event stands for
/// its latest record. Raises the first failure once all are waited for, `TimedOutError`, and `ValueError` for a timeout that is
/// no time.
///
/// >>> import syncpoint
/// >>> device = syncpoint.open("host:0")
/// >>> syncpoint.wait_all([device.stream().record() for _ in range(3)], timeout=10)
#[pyfunction]
#[pyo3(signature = (awaited, timeout = None))]
pub(crate) fn wait_all(
    py: Python<'_>,
    awaited: Vec<Awaited>,
    timeout: Option<f64>,
) -> PyResult<()> {
    let points = points(py, awaited)?;
    let points: Points = Released::new(points.into_iter().flatten().collect());
    waits::all(py, &points, timeout)
}

/// Waits on this thread until the first of some points or events has settled, at most `timeout` seconds; gives its place
/// among them. Raises its failure, with that place as `index`, `TimedOutError`, `ValueError` for a timeout that is no time, and
/// `MisuseError` for none at all.
///
/// >>> import syncpoint
/// >>> never, soon = syncpoint.Gate(), syncpoint.Gate()
/// >>> soon.open()
/// >>> syncpoint.wait_any([never.point, soon.point], timeout=10)
/// 1
#[pyfunction]
#[pyo3(signature = (awaited, timeout = None))]
pub(crate) fn wait_any(
    py: Python<'_>,
    awaited: Vec<Awaited>,
    timeout: Option<f64>,
) -> PyResult<usize> {
    let points = points(py, awaited)?;
    if let Some(complete) = points.iter().position(Option::is_none) {
        return Ok(complete);
    }
    let points: Points = Released::new(points.into_iter().flatten().collect());
    let First { index, outcome, .. } = waits::until(py, timeout, |until| first(&points, until))?;
    let Err(failure) = outcome else { return Ok(index) };
    let failure = raised(py, &failure);
    failure.value(py).setattr("index", index)?;
    Err(failure)
}

/// They may be the last names of their streams.
type Points = Released<Vec<syncpoint::Point>>;

fn first(points: &[syncpoint::Point], until: Instant) -> Result<First, Error> {
    syncpoint::wait_any_deadline(points, until)
}

fn points(py: Python<'_>, awaited: Vec<Awaited>) -> PyResult<Vec<Option<syncpoint::Point>>> {
    let points = released(py, || awaited.iter().map(Awaited::point).collect());
    // Under the interpreter's lock again.
    drop(awaited);
    points
}
