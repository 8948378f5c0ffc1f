//! Cases of gates: openings, failures, and cycles.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use syncpoint::{End, Error, Gate, Kind, Reason, Result, State, Stream};

use crate::bed::TestBed;
use crate::journal::Journal;
use crate::patience::{PATIENCE, assert_held, failure_of, heard, promptly, refused, say, settle};
use crate::run::Verdict;

/// Catches a gate that opens twice, at once instead of in stream order, or never; and a drop that leaves its waiters.
pub fn a_stream_may_wait_for_a_gate_not_yet_open(bed: &TestBed) -> Verdict {
    let (by_host, by_stream, journal) = (Gate::new(), Gate::new(), Journal::default());
    let [waiting, opener] = bed.streams()?;
    waiting.wait(&by_stream.point())?;
    journal.work(&waiting, "waited")?;
    let end = waiting.record()?;
    opener.wait(&by_host.point())?;
    journal.work(&opener, "before the opening")?;
    opener.open(&by_stream)?;
    for gate in [&by_host, &by_stream] {
        assert!(!gate.point().query()?, "{gate:?} is closed");
    }
    assert_held(&end);
    by_host.open()?;
    settle(&end);
    journal.assert_reads(&["before the opening", "waited"]);
    for gate in [&by_host, &by_stream] {
        assert!(gate.point().query()?, "{gate:?} is open");
        is_used_up(gate, &opener)?;
    }
    a_gate_fails(bed)?;
    a_promise_is_kept_or_failed(bed)
}

/// A gate is for one opening.
fn is_used_up(gate: &Gate, stream: &Stream) -> Result<()> {
    let used = Kind::Misuse(Reason::GateUsed);
    let state = gate.point().state();
    refused(gate.open(), used);
    refused(gate.fail(Error::failed("too late")), used);
    refused(stream.open(gate), used);
    let unchanged = matches!(
        (state, gate.point().state()),
        (State::Complete, State::Complete)
            | (State::Failed(_), State::Failed(_))
            | (State::Pending, State::Pending)
    );
    assert!(unchanged, "a refused opening changes nothing");
    settle(&stream.record()?);
    Ok(())
}

fn a_gate_fails(bed: &TestBed) -> Verdict {
    let failed = Gate::new();
    let stream = bed.stream()?;
    stream.wait(&failed.point())?;
    failed.fail(Error::failed("the host gave up"))?;
    let cause = failure_of(&stream.record()?);
    assert!(cause.message().contains("the host gave up"), "{cause}");
    assert!(failure_of(&failed.point()).is_same(&cause));
    is_used_up(&failed, &bed.stream()?)?;

    let dropped = Gate::new();
    let (point, line) = (dropped.point(), line!() - 1);
    drop(dropped);
    let error = failure_of(&point);
    assert_eq!(error.kind(), Kind::Misuse(Reason::GateDropped));
    let place = format!("{}:{line}", file!());
    assert!(error.to_string().contains(&place), "{error} must say where the gate was made");
    Ok(())
}

fn a_promise_is_kept_or_failed(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let (kept, failed) = (Gate::new(), Gate::new());
    stream.open(&kept)?;
    bed.fails(&stream)?;
    stream.open(&failed)?;
    is_used_up(&kept, &bed.stream()?)?;
    let points = [kept.point(), failed.point()];
    drop((kept, failed));
    assert_held(&points[0]);
    gate.open()?;
    settle(&points[0]);
    let cause = failure_of(&stream.record()?);
    assert!(failure_of(&points[1]).is_same(&cause));
    Ok(())
}

/// Catches an edge that the search does not follow, a refusal that leaves something behind, a refusal where no cycle
/// is, and a report that does not lead to the gate.
pub fn a_cycle_is_named(bed: &TestBed) -> Verdict {
    let (first, gate) = bed.held_stream()?;
    let [second, third] = bed.streams()?;
    second.wait_stream(&first)?;
    let between = Gate::new();
    second.open(&between)?;
    third.wait(&between.point())?;
    for stream in [&first, &second, &third] {
        closes_a_cycle(stream, &gate);
    }
    let after = Gate::new();
    third.open(&after)?;
    closes_no_cycle(bed)?;

    the_report_leads_to(&gate, &third, bed)?;
    gate.open()?;
    settle(&third.record()?);
    settle(&after.point());
    Ok(())
}

fn closes_a_cycle(stream: &Stream, gate: &Gate) {
    let enqueued = stream.timeline().enqueued();
    let error = refused(stream.open(gate), Kind::Misuse(Reason::WouldDeadlock));
    for name in [stream.timeline().to_string(), gate.point().to_string()] {
        assert!(error.to_string().contains(&name), "{error} must name {name}");
    }
    assert_eq!(stream.timeline().enqueued(), enqueued, "a refused opening is not enqueued");
    assert!(gate.point().opener().is_none(), "a refused opening promises nothing");
}

/// The wait comes after the opening, or is over.
fn closes_no_cycle(bed: &TestBed) -> Result<()> {
    let ([first, second], gate) = (bed.streams()?, Gate::new());
    let over = Gate::new();
    first.wait(&over.point())?;
    over.open()?;
    settle(&first.record()?);
    first.open(&gate)?;
    first.wait(&gate.point())?;
    second.wait(&gate.point())?;
    first.wait_stream(&second)?;
    settle(&first.record()?);
    Ok(())
}

/// A gate that only the host can open is named, with the thread that waits meanwhile.
fn the_report_leads_to(gate: &Gate, stream: &Stream, bed: &TestBed) -> Verdict {
    let (other, held) = bed.held_stream()?;
    let (sender, receiver) = channel();
    let awaited = other.record()?;
    let builder = thread::Builder::new().name("a thread that waits".to_owned());
    let waits = awaited.clone();
    let spawned = builder.spawn(move || say(&sender, waits.synchronize_timeout(PATIENCE)));
    drop(spawned.expect("the machine has room for a thread"));
    let end = stream.record()?;
    let report = promptly(move || {
        loop {
            let error = refused(end.synchronize_timeout(Duration::from_millis(1)), Kind::TimedOut);
            let report = error.report().cloned().expect("a wait that ran out reports");
            if report.host_waits().iter().any(|wait| wait.point == awaited) {
                return report;
            }
        }
    });
    assert_eq!(*report.end(), End::Unopened(gate.point().place()), "{report}");
    assert!(report.to_string().contains("a thread that waits"), "{report}");
    held.open()?;
    heard(&receiver, "the end of the other wait")?;
    Ok(())
}
