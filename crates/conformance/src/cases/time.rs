//! Cases of time: stamps of the device's own clock.

use std::time::Duration;

use syncpoint::{Clock, Device, Event, EventOptions, Gate, Kind, Reason, Result, TimedPoint};

use crate::bed::TestBed;
use crate::patience::{failure_of, refused, settle};
use crate::run::Verdict;

/// Catches a time taken when the record is asked for instead of when the stream comes to it, and one written after the
/// point is complete.
pub fn ordered_points_never_have_negative_time(bed: &TestBed) -> Verdict {
    let [first, second] = bed.streams()?;
    let mut points = vec![first.record_timed()?];
    for round in 0..100 {
        let (from, to) = if round % 2 == 0 { (&first, &second) } else { (&second, &first) };
        bed.work(from)?;
        points.push(from.record_timed()?);
        to.wait_stream(from)?;
        points.push(to.record_timed()?);
    }
    for pair in points.windows(2) {
        settle(&pair[1]);
        pair[1].elapsed_since(&pair[0])?;
    }
    a_time_is_that_of_the_device(bed)
}

/// What the record names comes long after the record was asked for.
fn a_time_is_that_of_the_device(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let start = stream.record_timed()?;
    stream.delay(DELAY)?;
    let end = stream.record_timed()?;
    let opener = bed.stream()?;
    opener.delay(DELAY)?;
    let opened = opener.record_timed()?;
    opener.open(&gate)?;
    settle(&end);
    assert!(end.elapsed_since(&start)? >= DELAY, "the stream let time pass between the two");
    start.elapsed_since(&opened)?;
    Ok(())
}

const DELAY: Duration = Duration::from_millis(3);

const HOUR: Duration = Duration::from_secs(3600);

/// Catches a clock that is nobody's, and times of two clocks that are subtracted.
pub fn a_time_says_its_clock_and_resolution(bed: &TestBed) -> Verdict {
    let stream = bed.stream()?;
    let (start, end) = a_delay_between(bed.device())?;
    for point in [&start, &end] {
        assert_eq!(point.clock(), bed.device().clock());
        says_its_resolution(point.clock());
    }
    let elapsed = end.elapsed_since(&start)?;
    let (from, to) = (start.timestamp()?, end.timestamp()?);
    assert!(to > from, "a time is a time of the clock");
    let signed = start.signed_elapsed_since(&end)?;
    assert_eq!(signed.abs(), elapsed);
    assert!(signed.as_nanos() < 0);

    for other in [bed.second_device(), bed.foreign_device()].into_iter().flatten() {
        assert_ne!(other.clock(), bed.device().clock());
        is_of_another_clock_than(&end, other)?;
    }
    drop(stream);
    Ok(())
}

fn says_its_resolution(clock: &Clock) {
    let resolution = clock.resolution();
    assert!(!clock.name().is_empty() && resolution > Duration::ZERO, "{clock}");
    assert!(clock.to_string().contains(&format!("{resolution:?}")), "{clock}");
    assert!(DELAY > 4 * resolution, "{clock} is too coarse to be tried");
    assert_eq!(clock.resolution_of(DELAY), resolution, "{clock}: a short span is no coarser");
    assert!(clock.resolution_of(HOUR) >= resolution, "{clock}: a long one is no finer");
}

/// A time of the other device is subtracted from none of this one's.
fn is_of_another_clock_than(end: &TimedPoint, other: &Device) -> Verdict {
    let there = other.stream()?;
    there.enqueue(|| ())?;
    let elsewhere = there.record_timed()?;
    settle(&elsewhere);
    for refusal in [elsewhere.elapsed_since(end), end.elapsed_since(&elsewhere)] {
        let error = refused(refusal, Kind::Misuse(Reason::WrongDevice));
        assert!(error.to_string().contains(elsewhere.clock().name()), "{error}");
    }
    refused(elsewhere.signed_elapsed_since(end), Kind::Misuse(Reason::WrongDevice));
    Ok(())
}

/// Two complete points with time between them.
fn a_delay_between(device: &Device) -> Result<(TimedPoint, TimedPoint)> {
    let stream = device.stream()?;
    let start = stream.record_timed()?;
    stream.delay(DELAY)?;
    let end = stream.record_timed()?;
    settle(&end);
    Ok((start, end))
}

/// Catches one error for several mistakes, and one that does not say which event or point it means.
pub fn each_timing_misuse_has_its_own_error(bed: &TestBed) -> Verdict {
    let (stream, gate) = (bed.stream()?, Gate::new());
    let (untimed, unrecorded) = (bed.device().event(), Event::new(EventOptions::timed()));
    let (done, pending) = (Event::new(EventOptions::timed()), Event::new(EventOptions::timed()));
    untimed.record(&stream)?;
    bed.work(&stream)?;
    done.record(&stream)?;
    settle(&done.point()?);
    bed.hold(&stream, &gate)?;
    pending.record(&stream)?;

    let pending_point = pending.point()?.to_string();
    for (event, reason, name) in [
        (&untimed, Reason::NotTimed, untimed.to_string()),
        (&unrecorded, Reason::NotRecorded, unrecorded.to_string()),
        (&pending, Reason::NotComplete, pending_point),
    ] {
        for refusal in [event.elapsed_since(&done), done.elapsed_since(event)] {
            let error = refused(refusal, Kind::Misuse(reason));
            assert!(error.to_string().contains(&name), "{error} must name {name}");
        }
    }
    gate.open()?;
    settle(&pending.point()?);
    pending.elapsed_since(&done)?;
    reversed(bed)?;
    the_failure_of_a_timed_point_is_its_own(bed)
}

/// Whatever orders the two points, or nothing: the end lies before the start.
fn reversed(bed: &TestBed) -> Verdict {
    let reversed = Kind::Misuse(Reason::Reversed);
    let (start, end) = a_delay_between(bed.device())?;
    refused(start.elapsed_since(&end), reversed);
    let idle = bed.stream()?;
    let early = idle.record_timed()?;
    settle(&early);
    let (_, later) = a_delay_between(bed.device())?;
    let late = idle.record_timed()?;
    settle(&late);
    late.elapsed_since(&early)?;
    refused(early.elapsed_since(&late), reversed);
    refused(early.elapsed_since(&later), reversed);
    Ok(())
}

fn the_failure_of_a_timed_point_is_its_own(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let sound = stream.record_timed()?;
    if !bed.runs_functions() {
        // A function that submits has returned before it is failed.
        gate.open()?;
        settle(&sound);
        return Ok(());
    }
    bed.fails(&stream)?;
    let failed = stream.record_timed()?;
    gate.open()?;
    let cause = failure_of(&failed);
    for refusal in [failed.elapsed_since(&sound), sound.elapsed_since(&failed)] {
        assert!(refused(refusal, Kind::Failed).is_same(&cause));
    }
    Ok(())
}
