//! Telling observers when a host wait begins and how it ended.

use syncpoint_trace::{Call, Operation};

use crate::contract::Line;
use crate::device::outcome_of;
use crate::error::{Error, Kind, Result};
use crate::observe;
use crate::point::Point;
use crate::stream::Stream;
use crate::wait::{self, How};

/// Waits as `wait` does, told to observers as `call`.
#[inline]
pub(crate) fn told(call: impl FnOnce() -> Call, wait: impl FnOnce() -> Result<()>) -> Result<()> {
    if !observe::active() {
        return wait();
    }
    let call = call();
    observe::tell(|| Operation::Synchronizing { call: call.clone() });
    let outcome = wait();
    observe::tell(|| Operation::Synchronized { call, outcome: outcome_of(&outcome) });
    outcome
}

/// Waits for a point.
#[inline]
pub(crate) fn point(point: &Point, how: How) -> Result<()> {
    told(|| call_of_point(point), || wait::synchronize(point, &how))
}

/// How observers hear a wait for a point.
pub(crate) fn call_of_point(point: &Point) -> Call {
    Call::Point { timeline: point.timeline().id(), value: point.value() }
}

/// Waits for everything enqueued so far on a stream.
pub(crate) fn stream(stream: &Stream, how: How) -> Result<()> {
    let call = |point: &Point| Call::Stream { stream: stream.id(), value: point.value() };
    match take_point(stream, &how, &mut Line::default()) {
        Ok(point) => told(|| call(&point), || wait::synchronize(&point, &how)),
        Err((late, Some(latest))) => told(|| call(&latest), || Err(late)),
        Err((error, None)) => Err(error),
    }
}

/// The point that a wait for everything enqueued so far waits for.
///
/// # Errors
/// The refusal, and, where the wait has run out before there was room for a record, the latest point that there is.
pub(crate) fn take_point(
    stream: &Stream,
    how: &How,
    line: &mut Line,
) -> Result<Point, (Error, Option<Point>)> {
    let taken = stream.take_point_by(how.until(), how.place(), line);
    taken.map_err(|refused| {
        if refused.kind() != Kind::TimedOut {
            return (refused, None);
        }
        let latest = stream.latest_point(how.place());
        (how.run_out_of_room(refused, &latest), Some(latest))
    })
}

/// Waits for the latest point of an event, if it has one.
pub(crate) fn event(event: u64, point: Option<&Point>, how: How) -> Result<()> {
    told(
        || call_of_event(event, point),
        || point.map_or(Ok(()), |point| wait::synchronize(point, &how)),
    )
}

/// How observers hear a wait for an event.
pub(crate) fn call_of_event(event: u64, point: Option<&Point>) -> Call {
    let point = point.map(|point| (point.timeline().id(), point.value()));
    Call::Event { event, point }
}
