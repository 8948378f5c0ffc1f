//! Cases of failure: whom it reaches, what it stops, and how it ends.

use std::time::Duration;

use syncpoint::{Device, Error, Gate, Kind, Point, Reason, Result, Stream};

use crate::bed::TestBed;
use crate::journal::Journal;
use crate::patience::{PATIENCE, failure_of, promptly, refused, settle, until};
use crate::run::Verdict;
use crate::waiters::{Told, Waiters};

/// Catches a failure that stops at an edge (a wait, an opening, a device), that is told in other words, or behind which
/// work runs; and a wait for a failed point left out because a later point of a recovered stream is waited for.
pub fn failure_reaches_every_dependant_with_its_first_cause(bed: &TestBed) -> Verdict {
    let devices = [Some(bed.device()), bed.second_device(), bed.foreign_device()];
    for far in devices.into_iter().flatten() {
        for fault in [returns_an_error, panics, waits_for_a_failed_gate] {
            reaches_through_every_edge(bed, far, fault)?;
        }
    }
    a_later_era_hides_no_failure(bed)?;
    a_wait_that_ran_out_is_no_failure_but_its_cause(bed)
}

/// Whoever hears that a wait ran out waits again, and so no failure says that.
fn a_wait_that_ran_out_is_no_failure_but_its_cause(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let behind = stream.record()?;
    gate.fail(Error::new(Kind::TimedOut, "the input is late"))?;
    let failure = failure_of(&behind);
    assert_eq!(failure.kind(), Kind::Failed, "{failure}");
    assert!(failure.message().contains("the input is late"), "{failure}");
    assert!(failure_of(&gate.point()).is_same(&failure));
    Ok(())
}

/// Gives the gate that has to fail, once everything is enqueued.
type Fault = fn(&Stream) -> Result<Option<Gate>>;

fn returns_an_error(stream: &Stream) -> Result<Option<Gate>> {
    stream.enqueue(|| Err::<(), _>("the first cause")).map(|()| None)
}

fn panics(stream: &Stream) -> Result<Option<Gate>> {
    let panics = || -> () { std::panic::resume_unwind(Box::new("the first cause")) };
    stream.enqueue(panics).map(|()| None)
}

fn waits_for_a_failed_gate(stream: &Stream) -> Result<Option<Gate>> {
    let gate = Gate::new();
    stream.wait(&gate.point()).map(|()| Some(gate))
}

fn fail(gate: Option<Gate>) -> Result<()> {
    gate.map_or(Ok(()), |gate| gate.fail(Error::failed("the first cause")))
}

/// Stream order, a wait, an opening in stream order, and a wait on another device, all enqueued before the fault.
fn reaches_through_every_edge(bed: &TestBed, far: &Device, fault: Fault) -> Result<()> {
    let ([first, second, third], distant) = (bed.streams()?, far.stream()?);
    let (begin, promised, journal) = (Gate::new(), Gate::new(), Journal::default());
    first.wait(&begin.point())?;
    let sound = first.record()?;
    let failing = fault(&first)?;
    second.wait_stream(&first)?;
    second.open(&promised)?;
    third.wait(&promised.point())?;
    distant.wait_stream(&third)?;
    let streams = [&first, &second, &third, &distant];
    for stream in streams {
        journal.work(stream, "ran behind a failure")?;
    }
    let points = streams.map(Stream::record).into_iter().collect::<Result<Vec<_>>>()?;

    fail(failing)?;
    begin.open()?;
    settle(&sound);
    let cause = failure_of(&points[0]);
    assert!(cause.to_string().contains("the first cause"), "{cause}");
    for point in points.iter().chain([&promised.point()]) {
        let failure = failure_of(point);
        assert!(failure.is_same(&cause), "{point} must fail with the first cause: {failure}");
    }
    journal.assert_reads(&[]);
    Ok(())
}

/// A wait for a failed point is no wait for what its stream did after it recovered.
fn a_later_era_hides_no_failure(bed: &TestBed) -> Verdict {
    let [source, waiting] = bed.streams()?;
    source.enqueue(|| Err::<(), _>("of the first era"))?;
    let failed = source.record()?;
    let cause = failure_of(&failed);
    source.recover()?;
    let gate = Gate::new();
    source.wait(&gate.point())?;
    let later = source.record()?;
    waiting.wait(&later)?;
    waiting.wait(&failed)?;
    let end = waiting.record()?;
    gate.open()?;
    settle(&later);
    assert!(failure_of(&end).is_same(&cause));
    Ok(())
}

/// Catches a failure that wakes nobody, only the first, or only those who wait for the value that failed; and one that is
/// told before what fails with it has failed, so that who is told sleeps for what only the same thread would fail.
pub fn failure_wakes_every_waiter(bed: &TestBed) -> Verdict {
    let faults: [Fault; 2] = [returns_an_error, waits_for_a_failed_gate];
    for fault in faults {
        let (stream, gate) = bed.held_stream()?;
        let to_fail = fault(&stream)?;
        let failing = stream.record()?;
        bed.work(&stream)?;
        let behind = stream.record()?;
        let waiters = [Waiters::of(&failing, bed)?, Waiters::of(&behind, bed)?];
        fail(to_fail)?;
        gate.open()?;
        let cause = failure_of(&failing);
        for (waiter, outcome) in waiters.into_iter().flat_map(Waiters::outcomes) {
            let failure = refused(outcome, Kind::Failed);
            assert!(failure.is_same(&cause), "{waiter} must hear the first cause: {failure}");
        }
        who_is_told_may_wait_for_what_fails_too(bed, fault)?;
    }
    a_dropped_gate_leaves_nobody_blocked(bed)?;
    who_is_told_of_a_shutdown_may_wait_for_what_fails_with_it(bed)
}

/// Each for the other stream and for its gate, so that one is told first whatever the order is.
fn who_is_told_of_a_shutdown_may_wait_for_what_fails_with_it(bed: &TestBed) -> Verdict {
    let ([first, second], promised) =
        ([bed.held_stream()?, bed.held_stream()?], [Gate::new(), Gate::new()]);
    let mut points = Vec::new();
    for ((stream, _gate), promised) in [&first, &second].into_iter().zip(&promised) {
        bed.work(stream)?;
        points.push(stream.record()?);
        stream.open(promised)?;
    }
    let of_each = |of: usize, other: usize| {
        [&points[other], &promised[other].point()].map(|other| Told::of(&points[of], other))
    };
    let told = [of_each(0, 1), of_each(1, 0)];
    bed.device().shutdown(PATIENCE)?;
    for told in told.iter().flatten() {
        refused(told.outcome(), Kind::Failed);
    }
    Ok(())
}

/// For a gate that was to open behind the failure, and for a stream that waits for what has failed.
fn who_is_told_may_wait_for_what_fails_too(bed: &TestBed, fault: Fault) -> Verdict {
    let ((stream, gate), dependant, promised) = (bed.held_stream()?, bed.stream()?, Gate::new());
    let to_fail = fault(&stream)?;
    let failing = stream.record()?;
    stream.open(&promised)?;
    dependant.wait(&failing)?;
    let fail_too = [promised.point(), dependant.record()?];
    let told = fail_too.each_ref().map(|point| Told::of(&failing, point));
    fail(to_fail)?;
    gate.open()?;
    let cause = failure_of(&failing);
    for (told, point) in told.into_iter().zip(&fail_too) {
        let failure = refused(told.outcome(), Kind::Failed);
        assert!(
            failure.is_same(&cause),
            "{point} must have failed with the first cause: {failure}"
        );
    }
    Ok(())
}

fn a_dropped_gate_leaves_nobody_blocked(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let waiters = Waiters::of(&stream.record()?, bed)?;
    drop(gate);
    for (_waiter, outcome) in waiters.outcomes() {
        refused(outcome, Kind::Misuse(Reason::GateDropped));
    }
    Ok(())
}

/// Catches a failed stream that takes work, that forgets its failure without being told to, whose old points recover
/// with it, or whose new points inherit the failure; that counts what was abandoned; and one whose device was shut down
/// while it had nothing to do, and that gives points as if nothing had happened, or the device new streams and buffers.
pub fn a_failed_stream_stays_failed(bed: &TestBed) -> Verdict {
    let stream = bed.stream()?;
    bed.work(&stream)?;
    let sound = stream.record()?;
    returns_an_error(&stream)?;
    let failed = stream.record()?;
    let cause = failure_of(&failed);
    for outcome in each_addition(bed, &stream)? {
        let failure = refused(outcome, Kind::Failed);
        assert!(failure.is_same(&cause), "a failed stream refuses with its failure: {failure}");
    }
    let while_failed = stream.record()?;
    assert!(failure_of(&while_failed).is_same(&cause));
    assert_eq!(stream.statistics().queued, 0, "what has failed is not queued");
    assert!(stream.failure().is_some_and(|failure| failure.is_same(&cause)));

    let recovered = stream.recover()?;
    assert!(recovered.is_some_and(|failure| failure.is_same(&cause)), "recovery tells the failure");
    assert!(stream.recover()?.is_none(), "and tells it once");
    assert!(stream.failure().is_none());
    settle(&stream.record()?);
    settle(stream.record_timed()?.point());
    bed.work(&stream)?;
    let fresh = stream.record()?;
    settle(&fresh);
    for point in [&failed, &while_failed] {
        assert!(failure_of(point).is_same(&cause), "{point} stays failed");
    }
    settle(&sound);
    assert!(stream.query()?);
    a_second_failure_is_its_own(&stream, &fresh, &cause)?;
    a_shutdown_fails_what_is_idle_too(bed)
}

fn a_second_failure_is_its_own(stream: &Stream, fresh: &Point, first: &Error) -> Verdict {
    panics(stream)?;
    let second = failure_of(&stream.record()?);
    assert!(!second.is_same(first), "each era has its own cause");
    settle(fresh);
    Ok(())
}

fn a_shutdown_fails_what_is_idle_too(bed: &TestBed) -> Verdict {
    let [fresh, used] = bed.streams()?;
    bed.work(&used)?;
    let sound = used.record()?;
    settle(&sound);
    bed.device().shutdown(PATIENCE)?;
    refused(bed.device().stream(), Kind::Unavailable);
    refused(bed.device().buffer(8), Kind::Unavailable);
    for stream in [fresh, used] {
        let while_failed = stream.record()?;
        let cause = failure_of(&while_failed);
        let refusal = refused(stream.enqueue(|| ()), Kind::Failed);
        assert!(refusal.is_same(&cause), "a failed stream refuses with its failure: {refusal}");
        assert!(stream.recover()?.is_none(), "a shutdown has no recovery");
        assert!(failure_of(&stream.record()?).is_same(&cause));
        assert_eq!(stream.statistics().queued, 0, "what has failed is not queued");
    }
    settle(&sound);
    Ok(())
}

/// Every call that adds work, each of which a failed stream refuses.
fn each_addition(bed: &TestBed, stream: &Stream) -> Result<Vec<Result<()>>> {
    let (_held, gate) = bed.held_stream()?;
    let pending = Gate::new();
    let buffer = bed.device().buffer(8)?;
    let outcomes = vec![
        stream.enqueue(|| ()),
        stream.submit(|_| ()),
        stream.fill(&buffer, 0..8, 1),
        stream.copy(&buffer, 0..4, &buffer, 4..8),
        stream.delay(Duration::ZERO),
        stream.open(&gate),
        stream.wait(&pending.point()),
        stream.record_timed().map(drop),
    ];
    gate.open()?;
    Ok(outcomes)
}

/// Catches a failure kept anywhere but on what it reaches: on the device, the thread, or the next call.
pub fn a_callers_error_is_never_somebody_elses(bed: &TestBed) -> Verdict {
    let [broken, sound] = bed.streams()?;
    let event = bed.device().event();
    event.record(&broken)?;
    let before = event.point()?;
    bed.fails(&broken)?;
    let cause = failure_of(&broken.record()?);

    sound.wait(&before)?;
    bed.work(&sound)?;
    sound.delay(Duration::ZERO)?;
    let timed = sound.record_timed()?;
    settle(&timed);
    timed.timestamp()?;
    assert!(event.query()? && sound.query()?);
    event.record(&sound)?;
    bed.work(&bed.stream()?)?;
    bed.device().buffer(4)?.to_vec(0..4)?;
    let refusal = refused(bed.work(&broken), Kind::Failed);
    assert!(refusal.is_same(&cause));
    let origin = refusal.origin().expect("a failure of work says where it began");
    let began = if bed.runs_functions() { "enqueue" } else { "submit" };
    assert_eq!(origin.operation(), began);
    assert!(origin.object().contains(&broken.id().to_string()), "{origin}");
    assert!(origin.place().to_string().contains(file!()), "{origin}");

    let device = bed.device().clone();
    let told = promptly(move || device.synchronize_timeout(PATIENCE));
    assert!(refused(told, Kind::Failed).is_same(&cause), "the device tells of its streams");
    drop(broken);
    settle(&sound.record()?);
    // Whoever of ours has served the broken one may hold it for a moment longer.
    until("the end of the broken stream", || bed.device().synchronize_timeout(PATIENCE).is_ok());
    Ok(())
}
