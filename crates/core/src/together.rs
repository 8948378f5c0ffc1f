//! Waiting on this thread for several points at once: for all of them, or for the first.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::blocking;
use crate::error::{Error, Reason, Result};
use crate::exit;
use crate::graph;
use crate::park::{Parker, Waiting};
use crate::place::Place;
use crate::point::Point;
use crate::report::{self, WaitReport};
use crate::synchronize;
use crate::wait::{self, How};

/// Waits on this thread until every point is complete; of no points, returns at once. Helps as
/// [`Point::synchronize`] does.
///
/// # Errors
/// The first failure in the order of the points; the others are waited for all the same.
///
/// # Examples
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// let device = syncpoint::open("host:0")?;
/// let (a, b) = (device.stream()?, device.stream()?);
/// a.enqueue(|| { /* one half */ })?;
/// b.enqueue(|| { /* the other */ })?;
/// syncpoint::wait_all(&[a.record()?, b.record()?])
/// # }
/// ```
#[track_caller]
pub fn wait_all(points: &[Point]) -> Result<()> {
    let place = Place::caller();
    settle(points, |point| synchronize::point(point, How::helping(place)))
}

/// Waits at most this long altogether until every point is complete. Runs no work on this thread.
///
/// # Errors
/// As [`wait_all`], and `TimedOut` with the report of the first point that was late.
#[track_caller]
pub fn wait_all_timeout(points: &[Point], timeout: Duration) -> Result<()> {
    let place = Place::caller();
    let how = How::timeout(timeout, place);
    settle(points, |point| synchronize::point(point, how))
}

/// Waits until this instant at most for every point to be complete. Runs no work on this thread.
///
/// # Errors
/// As [`wait_all_timeout`].
#[track_caller]
pub fn wait_all_deadline(points: &[Point], deadline: Instant) -> Result<()> {
    let how = How::deadline(deadline, Place::caller());
    settle(points, |point| synchronize::point(point, how))
}

/// Waits for each point, and gives the first failure once all are waited for.
fn settle(points: &[Point], wait: impl Fn(&Point) -> Result<()>) -> Result<()> {
    let outcomes: Vec<Result<()>> = points.iter().map(wait).collect();
    outcomes.into_iter().collect()
}

/// The first of several points to settle. That `wait_any` returned it says nothing of success: look at `outcome`.
#[derive(Debug)]
#[non_exhaustive]
pub struct First {
    /// Its place among the points, from 0. Of several that have settled, the smallest.
    pub index: usize,
    /// What has become of it: its failure too is found here, and not in the result of `wait_any`.
    pub outcome: Result<()>,
}

/// Waits on this thread until one of several points is complete or failed; which of the two, [`First::outcome`] says. Runs
/// no work on this thread.
///
/// # Errors
/// `Misuse(OutOfRange)`: of no points, none will ever settle. `Misuse(WouldDeadlock)`: from inside work that every one
/// of the points depends on.
///
/// # Examples
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use syncpoint::Gate;
///
/// let (never, soon) = (Gate::new(), Gate::new());
/// soon.open()?;
/// let first = syncpoint::wait_any(&[never.point(), soon.point()])?;
/// assert_eq!(first.index, 1);
/// first.outcome
/// # }
/// ```
#[track_caller]
pub fn wait_any(points: &[Point]) -> Result<First> {
    first(points, Until::Settled, Place::caller())
}

/// Waits at most this long until one of several points is complete or failed. Zero asks once.
///
/// # Errors
/// As [`wait_any`], and `TimedOut` with the report of the first point.
#[track_caller]
pub fn wait_any_timeout(points: &[Point], timeout: Duration) -> Result<First> {
    // A time that no clock can tell is for ever.
    let until = Instant::now().checked_add(timeout).map_or(Until::Settled, Until::At);
    first(points, until, Place::caller())
}

/// Waits until this instant at most for one of several points to be complete or failed.
///
/// # Errors
/// As [`wait_any_timeout`].
#[track_caller]
pub fn wait_any_deadline(points: &[Point], deadline: Instant) -> Result<First> {
    first(points, Until::At(deadline), Place::caller())
}

/// How long a wait for the first of several points lasts.
#[derive(Clone, Copy)]
enum Until {
    Settled,
    At(Instant),
}

impl Until {
    /// What is left, where there is an end.
    fn left(self) -> Option<Duration> {
        match self {
            Self::Settled => None,
            Self::At(instant) => Some(instant.saturating_duration_since(Instant::now())),
        }
    }
}

fn first(points: &[Point], until: Until, place: Place) -> Result<First> {
    if let Some(first) = settled(points) {
        return Ok(first);
    }
    let Some(foremost) = points.first() else { return Err(of_nothing()) };
    refuse_own(points, place)?;
    let begin = Instant::now();
    sleep(points, until, place)
        .ok_or_else(|| Error::timed_out(begin.elapsed(), WaitReport::of(foremost)))
}

#[cold]
fn of_nothing() -> Error {
    let message = "of no points none will ever settle; name at least one point";
    Error::misuse(Reason::OutOfRange, message)
}

/// Refuses to wait, inside work, where every point comes after that work.
fn refuse_own(points: &[Point], place: Place) -> Result<()> {
    let mut refusals = points.iter().map(|point| wait::refuse_own(point, place));
    if refusals.clone().any(|refusal| refusal.is_ok()) {
        return Ok(());
    }
    refusals.next().unwrap_or(Ok(()))
}

fn settled(points: &[Point]) -> Option<First> {
    let outcomes = points.iter().map(Point::outcome).enumerate();
    let mut settled = outcomes.filter_map(|(index, outcome)| Some((index, outcome?)));
    let (index, outcome) = settled.next()?;
    if outcome.is_ok() {
        points[index].tell_complete();
    }
    Some(First { index, outcome })
}

/// The process exits on this thread: no point is waited for any more.
fn refused() -> Option<First> {
    exit::refusal().map(|error| First { index: 0, outcome: Err(error) })
}

/// Sleeps until a point has settled or the deadline has passed (`None`).
fn sleep(points: &[Point], until: Until, place: Place) -> Option<First> {
    let parker = Parker::of_this_thread();
    let sleeper = Waker::from(Arc::clone(&parker));
    let _listed = points.first().map(|point| report::list_host_wait(point, place));
    let _told = blocking::tell();
    let _waiting: Vec<Waiting<'_>> =
        points.iter().map(|point| Waiting::list(point, &parker)).collect();
    loop {
        if let Some(first) = settled(points).or_else(refused) {
            return Some(first);
        }
        let left = until.left();
        if left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        for point in points {
            graph::drive_all(point, &sleeper);
        }
        parker.park(left.unwrap_or(wait::SLICE).min(wait::SLICE));
    }
}
