//! Cases of life: dropping, ids, and the end of a process.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::Waker;

use syncpoint::{Event, EventOptions, EventPool, EventState, Gate, Result, Stream, StreamPool};

use crate::bed::TestBed;
#[cfg(unix)]
use crate::child::{self, Ended};
#[cfg(unix)]
use crate::exits;
#[cfg(unix)]
use crate::inherited::{Busybody, Inherited};
use crate::journal::Journal;
use crate::patience::{PATIENCE, failure_of, heard, promptly, say, settle, until};
use crate::run::Verdict;
#[cfg(unix)]
use crate::turn::turn;
use crate::waiters;

#[cfg(not(unix))]
pub use super::unforked::{a_fork_child_is_told_so, exit_never_hangs};

/// Catches a drop that waits, that panics, or that needs what was dropped before it.
pub fn drop_is_quick_silent_and_in_any_order(bed: &TestBed) -> Verdict {
    for rotation in 0..8 {
        let (parts, gate) = one_of_everything(bed)?;
        promptly(move || drop_rotated(parts, rotation));
        gate.open()?;
    }
    for rotation in 0..8 {
        let (parts, gate) = one_of_everything(bed)?;
        gate.open()?;
        promptly(move || drop_rotated(parts, rotation));
    }
    a_stream_may_be_dropped_by_its_own_work(bed)?;
    bed.device().synchronize_timeout(PATIENCE)?;
    Ok(())
}

type Part = Box<dyn Send>;

/// Objects that hang together, on a stream that is held by the gate.
fn one_of_everything(bed: &TestBed) -> Result<(Vec<Part>, Gate)> {
    let (stream, gate) = bed.held_stream()?;
    let (event, waiting) = (bed.device().event(), bed.stream()?);
    bed.work(&stream)?;
    event.record(&stream)?;
    let point = stream.record_timed()?;
    waiting.wait(&point)?;
    let buffer = bed.device().buffer(16)?;
    stream.fill(&buffer, 0..16, 3)?;
    let promised = Gate::new();
    stream.open(&promised)?;
    let future = waiters::polled(&point, Waker::noop());
    let notification = point.notify(drop)?;
    let parts: Vec<Part> = vec![
        Box::new(stream),
        Box::new(event),
        Box::new(point),
        Box::new(waiting),
        Box::new(buffer),
        Box::new(promised),
        Box::new(future),
        Box::new((notification, bed.device().clone())),
    ];
    Ok((parts, gate))
}

fn drop_rotated(mut parts: Vec<Part>, rotation: usize) {
    parts.rotate_left(rotation);
    for part in parts {
        drop(part);
    }
}

fn a_stream_may_be_dropped_by_its_own_work(bed: &TestBed) -> Result<()> {
    let (held, gate) = bed.held_stream()?;
    let stream = Arc::new(held);
    let own = Arc::clone(&stream);
    stream.enqueue(move || drop(own))?;
    let end = stream.record()?;
    drop(stream);
    gate.open()?;
    settle(&end);
    Ok(())
}

/// Catches a drop that forgets what is queued, fails it, or waits for it.
pub fn a_dropped_stream_finishes_its_work(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let journal = Journal::default();
    journal.work(&stream, "ran")?;
    let point = stream.record()?;
    let promised = Gate::new();
    stream.open(&promised)?;
    let waiting = bed.stream()?;
    waiting.wait(&promised.point())?;
    journal.work(&waiting, "ran behind it")?;
    let behind = waiting.record()?;
    let (sender, receiver) = channel();
    point.notify(move |outcome| say(&sender, outcome))?;
    let streams = [stream, waiting];
    promptly(move || drop(streams));
    drop(promised);

    journal.assert_reads(&[]);
    gate.open()?;
    settle(&behind);
    settle(&point);
    journal.assert_reads(&["ran", "ran behind it"]);
    heard(&receiver, "the callback of a dropped stream")?;
    Ok(())
}

/// Catches an id that a new object takes over from a dropped one.
pub fn ids_are_never_reused(bed: &TestBed) -> Verdict {
    let mut seen = HashSet::new();
    for _ in 0..200 {
        let (stream, gate) = bed.held_stream()?;
        let event = Event::new(EventOptions::new());
        let ids = [stream.id(), gate.id(), event.id(), bed.device().event().id()];
        let ids = ids.into_iter().chain([bed.device().buffer(1)?.id()]);
        for id in ids {
            assert!(seen.insert(id), "{id} was the id of another object");
        }
        assert_eq!(stream.timeline().id(), stream.id());
        gate.open()?;
    }
    streams_are_told_apart(bed)
}

fn streams_are_told_apart(bed: &TestBed) -> Verdict {
    let streams: [Stream; 64] = bed.streams()?;
    for (index, stream) in streams.iter().enumerate() {
        assert!(!streams[..index].contains(stream), "no stream is another's alias");
    }
    Ok(())
}

/// Catches a pool that lends one thing to two, a stream whose work is not done or that has failed, or an event that
/// still names a point.
pub fn a_lent_object_comes_clean(bed: &TestBed) -> Verdict {
    let (pool, priority) = (StreamPool::new(bed.device()), bed.device().priority_range().least());
    let (busy, failing, other) =
        (pool.stream(priority)?, pool.stream(priority)?, pool.stream(priority)?);
    let (ids, gate) = ([busy.id(), failing.id(), other.id()], Gate::new());
    busy.wait(&gate.point())?;
    busy.wait(&gate.point())?;
    bed.work(&busy)?;
    let end = busy.record()?;
    failing.wait(&gate.point())?;
    bed.fails(&failing)?;
    let failed = failing.record()?;
    drop((busy, failing, other));

    let lent = [pool.stream(priority)?, pool.stream(priority)?];
    assert_eq!(lent[0].id(), ids[2], "what is clean is lent again");
    assert!(!ids.contains(&lent[1].id()), "what is not clean yet is not lent");
    gate.open()?;
    settle(&end);
    failure_of(&failed);
    until("the return of what is clean", || pool.statistics().in_use == lent.len());
    let lent_now = [pool.stream(priority)?, pool.stream(priority)?];
    for stream in &lent_now {
        assert_ne!(stream.id(), ids[1], "a failed stream is not lent again");
        assert!(stream.failure().is_none() && stream.query()?, "{stream:?} comes clean");
        assert_eq!(stream.statistics().elided, 0, "{stream:?} counts what its last holder did");
    }
    assert_eq!(pool.statistics().given_up, 1);
    events_come_clean(bed)
}

fn events_come_clean(bed: &TestBed) -> Verdict {
    let pool = EventPool::new();
    let (stream, gate) = bed.held_stream()?;
    let lent = pool.event(bed.device(), EventOptions::new())?;
    lent.record(&stream)?;
    let point = lent.point()?;
    stream.wait_event(&lent)?;
    drop(lent);
    let again = pool.event(bed.device(), EventOptions::new())?;
    assert!(matches!(again.state(), EventState::NeverRecorded), "{again:?} comes clean");
    assert!(!point.query()?, "the point of before is not touched");
    let other = pool.event(bed.device(), EventOptions::new())?;
    assert_ne!(again.id(), other.id(), "each is lent to one holder");
    gate.open()?;
    settle(&point);
    Ok(())
}

/// Catches an inherited object that answers, or that blocks on a lock whose holder stayed with the parent; a drop that
/// does something; a child that cannot begin anew; and harm to the parent.
#[cfg(unix)]
pub fn a_fork_child_is_told_so(bed: &TestBed) -> Verdict {
    // The busybody observes.
    let _turn = turn();
    let (stream, gate) = bed.held_stream()?;
    let journal = Journal::default();
    journal.work(&stream, "ran in the parent")?;
    let end = stream.record()?;
    let inherited = Inherited::new(bed, stream, gate)?;
    let busybody = Busybody::with(&inherited);
    for _ in 0..10 {
        let (parts, gate) = one_of_everything(bed)?;
        let ended = child::forked(|| {
            inherited.assert_stayed();
            drop((parts, gate));
            inherited.assert_child_can_work(bed);
            0
        });
        assert_eq!(ended, Ended::silently(0), "a child of {bed}");
    }
    busybody.end();
    inherited.gate.open()?;
    settle(&end);
    journal.assert_reads(&["ran in the parent"]);
    Ok(())
}

/// Catches an exit that waits for work which will never end, that begins more of it, or that says something.
#[cfg(unix)]
pub fn exit_never_hangs(bed: &TestBed) -> Verdict {
    bed.stream()?;
    for (way, exit) in exits::WAYS {
        let ended = child::forked(|| exit(bed).unwrap_or(1));
        assert_eq!(ended, Ended::silently(exits::EXIT), "exit {way} on {bed}");
    }
    Ok(())
}
