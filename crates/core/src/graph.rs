//! Who waits for whom: the known edges are stream order, outstanding waits, and gates whose opening is enqueued.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use crate::contract::{Edge, RawStream};
use crate::point::{Point, State};
use crate::sync::process::{AtomicBool, Ordering};
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
    let begin = stream.waits_between(0, value).into_iter().map(|edge| edge.point).collect();
    search(begin, |seen| seen.timeline() == gate)
}

/// Depth first over pending points; each timeline is looked at again only for a larger value than before, and then only
/// for the waits that come with it: no wait is looked at twice.
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
        let Some(before) = note(&mut seen, &point) else { continue };
        path.push(point.clone());
        if reaches(&point) {
            return Some(Path(path));
        }
        trail.push(behind(&point, before));
    }
    None
}

/// Up to which value the timeline of a point was seen before; `None`: the point was seen with it.
fn note(seen: &mut HashMap<u64, u64>, point: &Point) -> Option<u64> {
    let largest = seen.entry(point.timeline().id()).or_insert(0);
    let before = *largest;
    *largest = point.value().max(before);
    (before < point.value()).then_some(before)
}

/// The points that a pending point depends on by known edges, besides those that its own timeline completes before it
/// and those that this value of its timeline depends on.
fn behind(point: &Point, before: u64) -> Vec<Point> {
    if !matches!(point.known(), State::Pending) {
        return Vec::new();
    }
    match point.timeline().owner() {
        Owner::Gate(gate) => gate.opener().into_iter().collect(),
        Owner::Capture(_) | Owner::Foreign(_) => Vec::new(),
        Owner::Stream(_) => edges(point, before).into_iter().map(|edge| edge.point).collect(),
    }
}

/// The outstanding waits of a point's stream above a value that hold the point back, oldest first.
pub(crate) fn edges(point: &Point, after: u64) -> Vec<Edge> {
    let stream = point.timeline().stream();
    stream.map(|stream| stream.waits_between(after, point.value())).unwrap_or_default()
}

/// Tells the stream behind a point, or who asks others for it, that somebody sleeps until the point settles.
pub(crate) fn expect(point: &Point) {
    match stream_behind(point) {
        Some((stream, value)) => stream.expect(value),
        None => point.timeline().expect_others(),
    }
}

/// Moves the device of the stream behind a point on, where it has no thread of its own; `sleeper` is woken when it may
/// move again.
pub(crate) fn drive(point: &Point, sleeper: &Waker) {
    if let Some((stream, value)) = stream_behind(point) {
        stream.drive(value, sleeper);
    }
}

/// Whether some device has no thread of its own. Set, and never reset.
static DRIVEN: AtomicBool = AtomicBool::new(false);

/// Says that a device has no thread of its own, so that waiters look for it behind whatever they wait for. Called before
/// the device is given out.
pub fn set_driven() {
    // Release: pairs with the acquire in `drive_all`. Whoever waits for something of the device has heard of it anyway.
    DRIVEN.store(true, Ordering::Release);
}

/// The same for every stream that the point depends on: none has to be looked for while every device moves by itself,
/// which spares a wait the walk through a graph of any size.
pub(crate) fn drive_all(point: &Point, sleeper: &Waker) {
    if !DRIVEN.load(Ordering::Acquire) {
        return;
    }
    let drive_and_go_on = |seen: &Point| {
        drive(seen, sleeper);
        false
    };
    let _reaches_nothing = search(vec![point.clone()], drive_and_go_on);
}

/// The stream whose progress completes a point, and the value to come to: of a gate, the stream that opens it.
pub(crate) fn stream_behind(point: &Point) -> Option<(Arc<dyn RawStream>, u64)> {
    match point.timeline().owner() {
        Owner::Capture(_) | Owner::Foreign(_) => None,
        Owner::Stream(_) => Some((point.timeline().stream()?, point.value())),
        Owner::Gate(gate) => {
            let opener = gate.opener()?;
            Some((opener.timeline().stream()?, opener.value()))
        }
    }
}
