//! Host waits: how a thread waits for a point, until when, and what it finds out when that runs out.

use std::sync::Arc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint_base::is_exiting;

use crate::error::{Error, Reason, Result};
use crate::exit;
use crate::graph;
use crate::park::{Parker, Waiting};
use crate::place::Place;
use crate::point::{Point, State};
use crate::report::WaitReport;
use crate::sync::process::{AtomicU64, Ordering};
use crate::{blocking, observe, report, running};

/// How a host thread waits. It changes what the host does, never what a stream does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// Helps where the backend and the call allow it, spins for at most 20 µs where the process may use more than two
    /// cores, then sleeps.
    #[default]
    Adaptive,
    /// Spins until the end: the shortest latency for a whole core. Never runs work on this thread.
    Spin,
    /// Gives way to other threads between looks. Never runs work on this thread.
    Yield,
    /// Sleeps at once. Never runs work on this thread.
    Block,
    /// As `Adaptive`, but never runs work on this thread.
    NoHelp,
}

/// One host wait: in which way, until when, and where in the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    wait: Wait,
    deadline: Deadline,
    place: Place,
}

/// Until when a wait lasts.
#[derive(Clone, Copy, Debug)]
enum Deadline {
    /// For ever; the thread may help.
    Helping,
    /// For ever, as far as a clock can tell; the thread does not help.
    Never,
    /// Until an instant; the first is when the wait began.
    At(Instant, Instant),
}

impl How {
    /// Adaptive, for ever, helping.
    pub(crate) fn helping(place: Place) -> Self {
        Self { wait: Wait::Adaptive, deadline: Deadline::Helping, place }
    }

    /// Adaptive, at most this long; one that no clock can tell is for ever.
    pub(crate) fn timeout(timeout: Duration, place: Place) -> Self {
        let now = Instant::now();
        let deadline =
            now.checked_add(timeout).map_or(Deadline::Never, |until| Deadline::At(now, until));
        Self { wait: Wait::Adaptive, deadline, place }
    }

    /// Adaptive, until an instant.
    pub(crate) fn deadline(until: Instant, place: Place) -> Self {
        Self { wait: Wait::Adaptive, deadline: Deadline::At(Instant::now(), until), place }
    }

    /// In a way of the caller's choice.
    pub(crate) fn chosen(wait: Wait, timeout: Option<Duration>, place: Place) -> Self {
        let how = match timeout {
            Some(timeout) => Self::timeout(timeout, place),
            None => Self::helping(place),
        };
        how.by(wait)
    }

    /// As long, in another way.
    pub(crate) fn by(self, wait: Wait) -> Self {
        Self { wait, ..self }
    }

    /// Where in the source the wait was asked for.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    fn left(&self) -> Duration {
        match self.deadline {
            Deadline::Helping | Deadline::Never => SLICE,
            Deadline::At(_, until) => until.saturating_duration_since(Instant::now()),
        }
    }

    /// Until when, where it is not for ever.
    pub(crate) fn until(&self) -> Option<Instant> {
        match self.deadline {
            Deadline::Helping | Deadline::Never => None,
            Deadline::At(_, until) => Some(until),
        }
    }

    /// The wait for a point has run out.
    #[cold]
    pub(crate) fn run_out(&self, point: &Point) -> Error {
        Error::timed_out(self.elapsed(), WaitReport::of(point))
    }

    /// The wait has run out before there was a point to wait for. What is before that is told as well where it is the
    /// stream's own: up to its latest.
    #[cold]
    pub(crate) fn run_out_of_room(&self, full: Error, latest: &Point) -> Error {
        let told =
            full.told_as(&format!("the wait ran out after {:?}; nothing changed", self.elapsed()));
        if matches!(latest.known(), State::Pending) {
            return told.reporting(WaitReport::of(latest));
        }
        told
    }

    fn elapsed(&self) -> Duration {
        match self.deadline {
            Deadline::Helping | Deadline::Never => Duration::ZERO,
            Deadline::At(begin, _) => begin.elapsed(),
        }
    }

    fn helps(&self) -> bool {
        matches!((self.wait, self.deadline), (Wait::Adaptive, Deadline::Helping))
            && !running::in_work()
            && !is_exiting()
            // What an observer helped with would be told to nobody.
            && !observe::is_telling()
    }
}

/// The longest sleep: "for ever" is a loop of bounded waits, which see a failure that no waker told. Of backends' threads
/// inside a driver too: it is shorter than the end of the process waits for them.
pub const SLICE: Duration = Duration::from_millis(50);

/// How long `Adaptive` spins: somewhat longer than one wake across cores takes (`gate opened to work begun` and its rival
/// in `docs/costs.md`). Who would sleep for less than that wakes later for it.
const SPIN: Duration = Duration::from_micros(20);

/// Waits for a point.
pub(crate) fn synchronize(point: &Point, how: &How) -> Result<()> {
    if let Some(outcome) = settled(point) {
        return outcome;
    }
    refuse_own(point, how.place)?;
    let outcome = help(point, how).or_else(|| point.outcome());
    let outcome = outcome.or_else(|| spin(point, how)).or_else(|| sleep(point, how));
    outcome.unwrap_or_else(|| Err(how.run_out(point)))
}

/// The outcome as far as it is known without asking the driver.
#[inline]
fn settled(point: &Point) -> Option<Result<()>> {
    if point.timeline().is_complete(point.value()) {
        return Some(Ok(()));
    }
    match point.known() {
        State::Complete => Some(Ok(())),
        State::Failed(error) => Some(Err(error)),
        State::Pending => None,
    }
}

/// Why a wait ends before its time: the point has settled, or the process exits on this thread.
fn outcome(point: &Point) -> Option<Result<()>> {
    point.outcome().or_else(|| exit::refusal().map(Err))
}

/// Refuses to wait, inside work, for what comes after that work.
pub(crate) fn refuse_own(point: &Point, place: Place) -> Result<()> {
    if !running::in_work() {
        return Ok(());
    }
    for (timeline, value) in running::current() {
        if let Some(path) = graph::path_to_work(point, timeline, value) {
            let message = format!(
                "work {value} of stream {timeline} waits at {place} for {point}, which comes after it ({path}); \
                 wait outside the work, or let a stream wait"
            );
            return Err(Error::misuse(Reason::WouldDeadlock, message));
        }
    }
    Ok(())
}

/// Runs on this thread what the point depends on, where the wait allows it.
fn help(point: &Point, how: &How) -> Option<Result<()>> {
    if !how.helps() {
        return None;
    }
    let (stream, value) = graph::stream_behind(point)?;
    stream.help(value);
    settled(point)
}

/// Spins as the policy says. `None`: not settled yet.
fn spin(point: &Point, how: &How) -> Option<Result<()>> {
    let (longest, pause) = spinning(how.wait, cores)?;
    graph::expect(point);
    let _listed = (longest > SPIN).then(|| report::list_host_wait(point, how.place));
    let begin = Instant::now();
    let mut drive: fn(&Point, &Waker) = graph::drive;
    loop {
        if let Some(outcome) = outcome(point) {
            return Some(outcome);
        }
        // A slice of looks costs less than one look at the clock.
        for _ in 0..16 {
            pause();
        }
        drive(point, Waker::noop());
        // What the stream waits for may be on a device that only its waiters move.
        drive = graph::drive_all;
        if begin.elapsed() >= longest || how.left().is_zero() {
            return None;
        }
    }
}

/// How long a policy spins at most, and what it does between two looks. `None`: it does not spin.
fn spinning(wait: Wait, cores: impl FnOnce() -> u64) -> Option<(Duration, fn())> {
    match wait {
        Wait::Block => None,
        // With two, one is the worker's: spinning would take it from somebody who works.
        Wait::Adaptive | Wait::NoHelp => (cores() > 2).then_some((SPIN, std::hint::spin_loop)),
        Wait::Spin => Some((Duration::MAX, std::hint::spin_loop)),
        Wait::Yield => Some((Duration::MAX, thread::yield_now)),
    }
}

/// How many cores the process may use; 0 where nobody has counted them.
static CORES: AtomicU64 = AtomicU64::new(0);

/// Has waits spin as they do where the process may use so many cores. For tests, on machines that have too few to see it.
#[doc(hidden)]
pub fn wait_as_with(cores: u64) {
    CORES.store(cores, Ordering::Relaxed);
}

/// How many cores the process may use.
fn cores() -> u64 {
    // Counted twice rather than waited for: who counts may be a thread that a fork left with the parent.
    // Relaxed: a number that is the same whoever counts.
    match CORES.load(Ordering::Relaxed) {
        0 => {
            let counted = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
            // What a test has said meanwhile stays.
            let first = CORES.compare_exchange(0, counted, Ordering::Relaxed, Ordering::Relaxed);
            first.err().unwrap_or(counted)
        }
        cores => cores,
    }
}

/// Sleeps until the point is settled or the deadline has passed (`None`).
fn sleep(point: &Point, how: &How) -> Option<Result<()>> {
    let parker = Parker::of_this_thread();
    let listed = report::list_host_wait(point, how.place);
    let _told = blocking::tell();
    let waiting = Waiting::list(point, &parker);
    let outcome = sleep_in_slices(point, how, &parker);
    drop(waiting);
    drop(listed);
    outcome
}

fn sleep_in_slices(point: &Point, how: &How, parker: &Arc<Parker>) -> Option<Result<()>> {
    let sleeper = Waker::from(Arc::clone(parker));
    let mut drive: fn(&Point, &Waker) = graph::drive;
    loop {
        if let Some(outcome) = outcome(point) {
            return Some(outcome);
        }
        if how.left().is_zero() {
            return None;
        }
        drive(point, &sleeper);
        parker.park(how.left().min(SLICE));
        // What the point depends on is looked for only once the first sleep was in vain: few devices need it.
        drive = graph::drive_all;
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    /// How long a policy spins on a machine of so many cores.
    fn longest(wait: Wait, cores: u64) -> Option<Duration> {
        spinning(wait, || cores).map(|(longest, _)| longest)
    }

    #[test]
    fn a_wait_that_may_sleep_spins_for_twenty_microseconds_and_only_beside_two_cores_of_others() {
        for wait in [Wait::Adaptive, Wait::NoHelp] {
            assert_eq!([1, 2].map(|cores| longest(wait, cores)), [None; 2]);
            assert_eq!(longest(wait, 3), Some(Duration::from_micros(20)));
        }
    }

    #[test]
    fn a_wait_that_is_told_how_does_so_on_every_machine() {
        for cores in [1, 2, 64] {
            assert_eq!(longest(Wait::Block, cores), None);
            assert_eq!(longest(Wait::Spin, cores), Some(Duration::MAX));
            assert_eq!(longest(Wait::Yield, cores), Some(Duration::MAX));
        }
    }
}
