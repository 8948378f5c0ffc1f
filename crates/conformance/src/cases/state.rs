//! Cases of state: pending, complete and failed, and who hears of them.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use syncpoint::{End, Event, EventOptions, Gate, Kind, Point, Result, State, Stream, Wait};

use crate::bed::TestBed;
use crate::patience::{PATIENCE, assert_held, heard, promptly, refused, say, settle};
use crate::run::Verdict;
use crate::waiters::{self, Waiters};

/// One of the cases that PyTorch's simulated device gets wrong: its query looks at the queue, which is empty while the
/// last piece of work runs.
///
/// Catches a value completed when its work begins.
pub fn a_busy_stream_is_not_idle(bed: &TestBed) -> Verdict {
    if !bed.runs_functions() {
        return a_held_stream_is_not_idle(bed);
    }
    let stream = Arc::new(bed.stream()?);
    let (sender, receiver) = channel();
    let own = Arc::clone(&stream);
    stream.enqueue(move || say(&sender, own.query()))?;
    assert!(!heard(&receiver, "the answer of the work itself")?, "the stream's work still runs");
    settle(&stream.record()?);
    assert!(stream.query()?);

    let Some(busy) = bed.busy(&stream)? else { return Ok(()) };
    let end = stream.record()?;
    assert!(!stream.query()?, "the last piece of work still runs");
    assert_held(&end);
    busy.let_go();
    settle(&end);
    assert!(stream.query()?);
    Ok(())
}

/// What runs is work of others.
fn a_held_stream_is_not_idle(bed: &TestBed) -> Verdict {
    let (held, gate) = bed.held_stream()?;
    let end = held.record()?;
    assert!(!held.query()?, "the last piece of work still runs");
    assert_held(&end);
    gate.open()?;
    settle(&end);
    assert!(held.query()?);
    Ok(())
}

/// Catches completion that is used up by who sees it, or taken back by a failure, a recovery or a drop.
pub fn complete_stays_complete(bed: &TestBed) -> Verdict {
    let stream = bed.stream()?;
    let event = bed.device().event();
    bed.work(&stream)?;
    event.record(&stream)?;
    let point = event.point()?;
    settle(&point);
    let is_still_complete = |after: &str| {
        for _ in 0..100 {
            assert!(matches!(point.query(), Ok(true)), "{point} after {after}");
        }
        assert!(point.synchronize_timeout(Duration::ZERO).is_ok(), "{point} after {after}");
    };
    is_still_complete("being seen");
    bed.fails(&stream)?;
    let failed = stream.record()?;
    refused(failed.synchronize_timeout(PATIENCE), Kind::Failed);
    is_still_complete("a later failure");
    stream.recover()?;
    is_still_complete("a recovery");
    let gate = Gate::new();
    bed.hold(&stream, &gate)?;
    event.record(&stream)?;
    is_still_complete("another record under the same name");
    drop((stream, event, gate));
    is_still_complete("the drop of its stream and event");
    Ok(())
}

/// Catches a query under a lock that is held while users' functions or wakers run, and a failure told as pending.
pub fn query_never_blocks_and_pending_is_an_answer(bed: &TestBed) -> Verdict {
    let (held, gate) = bed.held_stream()?;
    let (point, busy_stream) = (held.record()?, bed.stream()?);
    let busy = bed.busy(&busy_stream)?;
    let mut asked = vec![point.clone()];
    if busy.is_some() {
        asked.push(busy_stream.record()?);
    }
    promptly(move || {
        for point in &asked {
            assert!(matches!(point.query(), Ok(false)), "{point} is pending");
            assert!(matches!(point.state(), State::Pending), "{point} is pending");
        }
        drop(busy);
    });
    let (sender, receiver) = channel();
    let _future =
        waiters::polled(&point, &Waker::from(Arc::new(AsksWhenWoken(point.clone(), sender))));
    gate.open()?;
    assert!(heard(&receiver, "the answer of the waker"), "whoever is woken sees it complete");

    bed.fails(&held)?;
    let failed = held.record()?;
    refused(failed.synchronize_timeout(PATIENCE), Kind::Failed);
    refused(failed.query(), Kind::Failed);
    refused(held.query(), Kind::Failed);
    Ok(())
}

/// A waker that asks, inside its wake, whether what it was woken for is so.
struct AsksWhenWoken(Point, Sender<bool>);

impl Wake for AsksWhenWoken {
    fn wake(self: Arc<Self>) {
        say(&self.1, matches!(self.0.query(), Ok(true)));
    }
}

/// Catches a wake that only the first, the last or one kind of waiter gets.
pub fn every_waiter_wakes(bed: &TestBed) -> Verdict {
    let (held, gate) = bed.held_stream()?;
    let point = held.record()?;
    let waiters = Waiters::of(&point, bed)?;
    assert_held(&point);
    gate.open()?;
    for (waiter, outcome) in waiters.outcomes() {
        assert!(outcome.is_ok(), "{waiter} must go on: {outcome:?}");
    }
    let late = Waiters::of(&point, bed)?;
    for (waiter, outcome) in late.outcomes() {
        assert!(outcome.is_ok(), "{waiter} that comes late must go on: {outcome:?}");
    }
    Ok(())
}

/// Catches a wait that runs out late or never, one that completes or frees what it gave up on, and a report that is
/// missing or follows the wrong stream.
pub fn a_timeout_changes_nothing_and_explains_itself(bed: &TestBed) -> Verdict {
    let ([held, waiting], gate) = (bed.streams()?, Gate::new());
    // The report has to know it: nobody knows what others launched.
    held.wait(&gate.point())?;
    bed.work(&waiting)?;
    settle(&waiting.record()?);
    let completed = waiting.timeline().completed();
    waiting.wait_stream(&held)?;
    bed.work(&waiting)?;
    let point = waiting.record()?;
    for outcome in each_bounded_wait(&waiting, &point)? {
        let error = refused(outcome, Kind::TimedOut);
        let report = error.report().expect("a wait that ran out reports");
        assert_eq!(report.awaited().timeline(), point.timeline(), "{report}");
        let links: Vec<_> = report.links().iter().map(|link| link.needed.timeline()).collect();
        assert_eq!(links, [waiting.timeline(), held.timeline()], "{report}");
        assert_eq!(report.links()[0].completed, completed, "{report}");
        assert_eq!(*report.end(), End::Unopened(gate.point().place()), "{report}");
        assert!(error.to_string().contains(file!()), "{error} must say where");
        assert!(matches!(point.state(), State::Pending));
    }
    gate.open()?;
    settle(&point);
    Ok(())
}

/// Every wait that can run out, none of which may take long.
fn each_bounded_wait(stream: &Stream, point: &Point) -> Result<Vec<Result<()>>> {
    let event = Event::new(EventOptions::new());
    event.record(stream)?;
    let short = Duration::from_millis(2);
    let mut outcomes = vec![
        point.synchronize_timeout(Duration::ZERO),
        point.synchronize_timeout(short),
        point.synchronize_deadline(Instant::now()),
        point.synchronize_deadline(Instant::now() + short),
        stream.synchronize_timeout(short),
        event.synchronize_timeout(short),
        event.synchronize_deadline(Instant::now() + short),
    ];
    for wait in [Wait::Adaptive, Wait::Spin, Wait::Yield, Wait::Block, Wait::NoHelp] {
        outcomes.push(point.synchronize_with(wait, Some(short)));
    }
    Ok(outcomes)
}
