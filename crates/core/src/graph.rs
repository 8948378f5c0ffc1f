//! Who waits for whom: the known edges are stream order, outstanding waits, and gates whose opening is enqueued.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use crate::contract::{Edge, RawStream};
use crate::point::{Point, State};
use crate::timeline::{Owner, Timeline};

/// A way through the graph, for messages: `point 3 of stream 1 waits for gate 2, which stream 4 opens`.
#[derive(Clone, Debug)]
pub(crate) struct Path(Vec<Point>);

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, point) in self.0.iter().enumerate() {
            let arrow = if index == 0 { "" } else { " -> " };
            write!(formatter, "{arrow}{point} ({})", point.place())?;
        }
        Ok(())
    }
}

/// A way from `point` to the work of `value` on the timeline of this id, if the point depends on it by known edges.
pub(crate) fn path_to_work(point: &Point, timeline: u64, value: u64) -> Option<Path> {
    let reaches = |seen: &Point| seen.timeline().id() == timeline && seen.value() >= value;
    search(vec![point.clone()], reaches)
}

/// A way from what a stream waits for, up to its `value`, to the gate on `timeline`, if one exists.
pub(crate) fn path_to_gate(stream: &dyn RawStream, value: u64, gate: &Timeline) -> Option<Path> {
    let begin = stream.waits_upto(value).into_iter().map(|edge| edge.point).collect();
    search(begin, |seen| seen.timeline() == gate)
}

/// Depth first over pending points; each timeline is looked at again only for a larger value than before.
fn search(begin: Vec<Point>, reaches: impl Fn(&Point) -> bool) -> Option<Path> {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let mut trail: Vec<Vec<Point>> = vec![begin];
    let mut path: Vec<Point> = Vec::new();
    while let Some(choices) = trail.last_mut() {
        let Some(point) = choices.pop() else {
            trail.pop();
            path.pop();
            continue;
        };
        if !is_new(&mut seen, &point) {
            continue;
        }
        path.push(point.clone());
        if reaches(&point) {
            return Some(Path(path));
        }
        trail.push(behind(&point));
    }
    None
}

fn is_new(seen: &mut HashMap<u64, u64>, point: &Point) -> bool {
    let largest = seen.entry(point.timeline().id()).or_insert(0);
    let new = point.value() > *largest;
    *largest = point.value().max(*largest);
    new
}

/// The points that a pending point depends on by known edges, besides what its own timeline completes before it.
fn behind(point: &Point) -> Vec<Point> {
    if !matches!(point.known(), State::Pending) {
        return Vec::new();
    }
    match point.timeline().owner() {
        Owner::Gate(gate) => gate.opener().into_iter().collect(),
        Owner::Stream(_) => edges(point).into_iter().map(|edge| edge.point).collect(),
    }
}

/// The outstanding waits of a point's stream that hold the point back, oldest first.
pub(crate) fn edges(point: &Point) -> Vec<Edge> {
    let stream = point.timeline().stream();
    stream.map(|stream| stream.waits_upto(point.value())).unwrap_or_default()
}

/// Tells the stream behind a point that somebody sleeps until the point settles.
pub(crate) fn expect(point: &Point) {
    if let Some((stream, value)) = stream_behind(point) {
        stream.expect(value);
    }
}

/// Moves the device of the stream behind a point on, where it has no thread of its own; `sleeper` is woken when it may
/// move again.
pub(crate) fn drive(point: &Point, sleeper: &Waker) {
    if let Some((stream, value)) = stream_behind(point) {
        stream.drive(value, sleeper);
    }
}

/// The same for every stream that the point depends on.
pub(crate) fn drive_all(point: &Point, sleeper: &Waker) {
    let drive_and_go_on = |seen: &Point| {
        drive(seen, sleeper);
        false
    };
    let _reaches_nothing = search(vec![point.clone()], drive_and_go_on);
}

/// The stream whose progress completes a point, and the value to come to: of a gate, the stream that opens it.
pub(crate) fn stream_behind(point: &Point) -> Option<(Arc<dyn RawStream>, u64)> {
    match point.timeline().owner() {
        Owner::Stream(_) => Some((point.timeline().stream()?, point.value())),
        Owner::Gate(gate) => {
            let opener = gate.opener()?;
            Some((opener.timeline().stream()?, opener.value()))
        }
    }
}
