//! Cases of order: what runs before what, and what a wait holds back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use syncpoint::{Device, Event, EventOptions, Gate, Point, Result, Stream};

use crate::bed::TestBed;
use crate::journal::Journal;
use crate::patience::{assert_held, failure_of, promptly, settle};
use crate::run::Verdict;

/// The first of the cases that PyTorch's simulated device gets wrong: the wait comes before a re-record on the stream
/// that waits, and there the two wait for each other for ever.
///
/// Catches a wait that looks at its event when the stream comes to it instead of when it was asked for.
pub fn a_wait_is_pinned_to_its_point(bed: &TestBed) -> Verdict {
    let (held, gate) = bed.held_stream()?;
    let [waiting, idle] = bed.streams()?;
    let event = Event::new(EventOptions::new());
    event.record(&held)?;
    waiting.wait_event(&event)?;
    event.record(&waiting)?;
    let behind = waiting.record()?;

    event.record(&idle)?;
    // A device comes to it in its own time where others launch on the stream too.
    settle(&event.point()?);
    assert!(event.query()?, "the event names a complete point now");
    assert_held(&behind);

    let later = Gate::new();
    bed.hold(&held, &later)?;
    event.record(&held)?;
    gate.open()?;
    settle(&behind);
    assert!(!event.query()?, "the event names the later point, which nobody has let come");
    later.open()?;
    settle(&event.point()?);
    Ok(())
}

/// Catches a stream that takes its newest work first, and one that two threads run at once.
pub fn work_on_a_stream_runs_in_order(bed: &TestBed) -> Verdict {
    let streams: [Stream; 3] = bed.streams()?;
    let rows: Vec<_> = streams.iter().map(|_| Arc::new(Row::default())).collect();
    for number in 0..300 {
        for (stream, row) in streams.iter().zip(&rows) {
            let row = Arc::clone(row);
            bed.calls(stream, move || row.step(number))?;
        }
    }
    for (stream, row) in streams.iter().zip(&rows) {
        settle(&stream.record()?);
        assert_eq!(row.next.load(Ordering::Relaxed), 300, "each piece of work runs once");
    }
    Ok(())
}

/// What the work of one stream may see of itself.
#[derive(Default)]
struct Row {
    runs: AtomicBool,
    next: AtomicUsize,
}

impl Row {
    /// Relaxed throughout: the order of the stream alone makes it visible.
    fn step(&self, number: usize) -> Result<(), String> {
        if self.runs.swap(true, Ordering::Relaxed) {
            return Err(format!("work {number} began before the one before it had ended"));
        }
        let next = self.next.load(Ordering::Relaxed);
        self.next.store(next + 1, Ordering::Relaxed);
        self.runs.store(false, Ordering::Relaxed);
        if next == number { Ok(()) } else { Err(format!("work {number} ran in place {next}")) }
    }
}

/// Catches a record whose value is one too small, which completes before the wait in front of it, or one too large,
/// which waits for work enqueued after it.
pub fn a_point_completes_after_all_earlier_work_of_its_stream(bed: &TestBed) -> Verdict {
    let stream = bed.stream()?;
    let (count, gate) = (Arc::new(AtomicUsize::new(0)), Gate::new());
    for _ in 0..100 {
        let count = Arc::clone(&count);
        // Relaxed: what a complete point makes visible is just what is tried.
        bed.calls(&stream, move || {
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            Ok(())
        })?;
    }
    let counted = stream.record()?;
    bed.hold(&stream, &gate)?;
    let behind_the_wait = stream.record()?;
    let timed_behind_the_wait = stream.record_timed()?;
    bed.work(&stream)?;
    let last = stream.record()?;

    settle(&counted);
    assert_eq!(count.load(Ordering::Relaxed), 100);
    for point in [&behind_the_wait, &timed_behind_the_wait, &last] {
        assert_held(point);
    }
    gate.open()?;
    for point in [&behind_the_wait, &timed_behind_the_wait, &last] {
        settle(point);
    }
    points_in_a_row_complete_in_order(bed)
}

/// A point seen complete says so of every point before it.
fn points_in_a_row_complete_in_order(bed: &TestBed) -> Verdict {
    let stream = bed.stream()?;
    let mut points = Vec::new();
    for _ in 0..200 {
        bed.work(&stream)?;
        points.push(stream.record()?);
    }
    for (index, point) in points.iter().enumerate().rev().step_by(7) {
        settle(point);
        for earlier in &points[..index] {
            assert!(earlier.query()?, "{earlier} comes before {point}, which is complete");
        }
    }
    Ok(())
}

/// Catches a wait, or anything else that adds work, which sits out the point on the caller's thread.
pub fn a_wait_never_blocks_the_caller(bed: &TestBed) -> Verdict {
    let (held, gate) = bed.held_stream()?;
    let [waiting, forked, joined] = bed.streams()?;
    let event = Event::new(EventOptions::new());
    let (device, puts) = (bed.device().clone(), bed.puts());
    let (end, streams) = promptly(move || {
        let added = || -> Result<Point> {
            puts(&held)?;
            event.record(&held)?;
            waiting.wait_event(&event)?;
            puts(&waiting)?;
            waiting.record_timed()?;
            waiting.fork([&forked])?;
            joined.join([&forked, &held])?;
            joined.wait_stream(&waiting)?;
            let buffer = device.buffer(4)?;
            joined.fill(&buffer, 0..4, 1)?;
            joined.record()
        };
        (added(), [held, waiting, forked, joined])
    });
    let end = end?;
    assert_held(&end);
    gate.open()?;
    settle(&end);
    drop(streams);
    Ok(())
}

/// Catches a wait that holds back what came before it, one that holds back nothing, and one that holds back what another
/// stream is given.
pub fn a_wait_holds_back_later_work_only(bed: &TestBed) -> Verdict {
    let (stream, gate, journal) = (bed.stream()?, Gate::new(), Journal::default());
    let other = bed.stream()?;
    journal.work(&stream, "before")?;
    let before = stream.record()?;
    stream.wait(&gate.point())?;
    journal.work(&stream, "after")?;
    let after = stream.record()?;

    settle(&before);
    assert_held(&after);
    journal.work(&other, "of another")?;
    settle(&other.record()?);
    journal.write("opened");
    gate.open()?;
    settle(&after);
    journal.assert_reads(&["before", "of another", "opened", "after"]);
    Ok(())
}

/// Catches an elision missed, and one too many: a wait for a point *beyond* one already waited for.
pub fn a_wait_on_a_complete_or_own_point_costs_nothing(bed: &TestBed) -> Verdict {
    let (held, first) = bed.held_stream()?;
    let near = held.record()?;
    let second = Gate::new();
    bed.hold(&held, &second)?;
    let far = held.record()?;
    let [waiting, done] = bed.streams()?;
    bed.work(&done)?;
    let complete = done.record()?;
    settle(&complete);

    assert_costs(&waiting, &near, Cost::Operation)?;
    assert_costs(&waiting, &near, Cost::Nothing)?;
    assert_costs(&waiting, &far, Cost::Operation)?;
    assert_costs(&waiting, &near, Cost::Nothing)?;
    assert_costs(&waiting, &far, Cost::Nothing)?;
    assert_costs(&waiting, &complete, Cost::Nothing)?;
    let own = waiting.record()?;
    assert_costs(&waiting, &own, Cost::Nothing)?;

    first.open()?;
    settle(&near);
    assert_held(&waiting.record()?);
    assert_costs(&waiting, &near, Cost::Nothing)?;
    second.open()?;
    settle(&waiting.record()?);
    a_failure_behind_it_changes_nothing(bed, &waiting, (&complete, &done))?;
    one_of_many_waits_covers(bed)
}

/// A point that is complete costs nothing, although its stream fails behind it, and recovers.
fn a_failure_behind_it_changes_nothing(
    bed: &TestBed,
    waiting: &Stream,
    (complete, done): (&Point, &Stream),
) -> Verdict {
    bed.fails(done)?;
    failure_of(&done.record()?);
    assert_costs(waiting, complete, Cost::Nothing)?;
    done.recover()?;
    assert_costs(waiting, complete, Cost::Nothing)?;
    Ok(())
}

/// Eight outstanding waits, for as many streams; each covers its point and the one before.
fn one_of_many_waits_covers(bed: &TestBed) -> Verdict {
    let (waiting, gate) = (bed.stream()?, Gate::new());
    let pairs: Vec<[Point; 2]> =
        (0..8).map(|_| two_held_points(bed, &gate)).collect::<Result<_>>()?;
    for [_, far] in &pairs {
        assert_costs(&waiting, far, Cost::Operation)?;
    }
    for point in pairs.iter().flatten() {
        assert_costs(&waiting, point, Cost::Nothing)?;
    }
    gate.open()?;
    settle(&waiting.record()?);
    Ok(())
}

fn two_held_points(bed: &TestBed, gate: &Gate) -> Result<[Point; 2]> {
    let stream = bed.stream()?;
    bed.hold(&stream, gate)?;
    bed.work(&stream)?;
    let near = stream.record()?;
    bed.work(&stream)?;
    Ok([near, stream.record()?])
}

/// What a wait may cost.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Cost {
    Nothing,
    Operation,
}

#[track_caller]
fn assert_costs(stream: &Stream, point: &Point, cost: Cost) -> Result<()> {
    let (before, enqueued) = (stream.statistics(), stream.timeline().enqueued());
    stream.wait(point)?;
    let (after, grown) = (stream.statistics(), stream.timeline().enqueued() - enqueued);
    let elided = after.elided - before.elided;
    let expected = if cost == Cost::Nothing { (1, 0) } else { (0, 1) };
    assert_eq!((elided, grown), expected, "elided waits and operations of a wait for {point}");
    if cost == Cost::Nothing {
        assert_eq!(after.driver_calls, before.driver_calls, "driver calls of a wait for {point}");
    }
    Ok(())
}

/// Catches a stream that keeps a worker while it waits, and work that keeps all of them while it blocks.
pub fn a_blocked_stream_holds_back_no_other(bed: &TestBed) -> Verdict {
    let gate = Gate::new();
    let held = (0..bed.standing(600)).map(|_| hold(bed, &gate)).collect::<Result<Vec<_>>>()?;
    let blocking = (0..bed.standing(4)).map(|_| bed.stream()).collect::<Result<Vec<_>>>()?;
    let busy = blocking.iter().map(|stream| bed.busy(stream)).collect::<Result<Vec<_>>>()?;

    let free = bed.stream()?;
    bed.work(&free)?;
    settle(&free.record()?);

    drop(busy);
    gate.open()?;
    for stream in held.iter().chain(&blocking) {
        settle(&stream.record()?);
    }
    Ok(())
}

fn hold(bed: &TestBed, gate: &Gate) -> Result<Stream> {
    let stream = bed.stream()?;
    stream.wait(&gate.point())?;
    bed.work(&stream)?;
    Ok(stream)
}

/// Catches a device that does not notice what another completes, in either direction.
pub fn a_wait_crosses_devices_and_backends(bed: &TestBed) -> Verdict {
    let others = [bed.second_device(), bed.foreign_device()];
    for other in others.into_iter().flatten() {
        there_and_back(bed, other)?;
    }
    Ok(())
}

/// Two hops to the other device and back, behind a gate that the first opens in its order.
fn there_and_back(bed: &TestBed, other: &Device) -> Result<()> {
    let (here, there) = (bed.stream()?, other.stream()?);
    let (journal, gate) = (Journal::default(), Gate::new());
    here.wait(&gate.point())?;
    journal.work(&here, "one")?;
    there.wait_stream(&here)?;
    journal.work(&there, "two")?;
    here.wait_stream(&there)?;
    journal.work(&here, "three")?;
    let promised = Gate::new();
    there.wait(&promised.point())?;
    journal.work(&there, "four")?;
    here.open(&promised)?;
    let end = there.record()?;

    assert_held(&end);
    journal.write("opened");
    gate.open()?;
    settle(&end);
    journal.assert_reads(&["opened", "one", "two", "three", "four"]);
    Ok(())
}
