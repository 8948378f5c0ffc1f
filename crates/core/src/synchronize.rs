//! Telling observers when a host wait begins and how it ended.

use syncpoint_trace::{Call, Operation, Outcome};

use crate::device::outcome_of;
use crate::error::{Kind, Result};
use crate::observe;
use crate::place::Place;
use crate::point::Point;
use crate::slices::{self, Told};
use crate::stream::Stream;
use crate::wait::{self, How};

/// Waits as `wait` does, told to observers as `call`.
#[inline]
pub(crate) fn told(call: impl FnOnce() -> Call, wait: impl FnOnce() -> Result<()>) -> Result<()> {
    if !observe::active() {
        return wait();
    }
    let call = call();
    let told = slices::begun(&call);
    if matches!(told, Told::Whole | Told::First) {
        observe::tell(|| Operation::Synchronizing { call: call.clone() });
    }
    let outcome = wait();
    let ended = outcome_of(&outcome);
    if told == Told::Whole || (told != Told::Over && ended != Outcome::TimedOut) {
        slices::over(&call);
        observe::tell(|| Operation::Synchronized { call, outcome: ended });
    }
    outcome
}

/// Waits for a point.
#[inline]
pub(crate) fn point(point: &Point, how: How) -> Result<()> {
    let call = || Call::Point { timeline: point.timeline().id(), value: point.value() };
    told(call, || wait::synchronize(point, &how))
}

/// Waits for everything enqueued so far on a stream.
pub(crate) fn stream(stream: &Stream, how: How, place: Place) -> Result<()> {
    let call = |point: &Point| Call::Stream { stream: stream.id(), value: point.value() };
    match stream.take_point_by(how.until(), place) {
        Ok(point) => told(|| call(&point), || wait::synchronize(&point, &how)),
        Err(full) if full.kind() == Kind::TimedOut => {
            let latest = stream.latest_point(place);
            told(|| call(&latest), || Err(how.run_out_of_room(full, &latest)))
        }
        Err(error) => Err(error),
    }
}

/// Waits for the latest point of an event, if it has one.
pub(crate) fn event(event: u64, point: Option<&Point>, how: How) -> Result<()> {
    let named = point.map(|point| (point.timeline().id(), point.value()));
    told(
        || Call::Event { event, point: named },
        || point.map_or(Ok(()), |point| wait::synchronize(point, &how)),
    )
}
