//! Cases of events: names that move from point to point.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};

use syncpoint::trace::{Operation, Record};
use syncpoint::{
    Event, EventOptions, EventState, Gate, Kind, Mode, Point, Reason, Result, Stream, observe,
};

use crate::bed::TestBed;
use crate::patience::{assert_held, failure_of, promptly, refused, settle};
use crate::run::Verdict;
use crate::turn::turn;

/// The last of the cases that PyTorch's simulated device gets wrong: there the end of the first record marks the
/// second complete.
///
/// Catches an event that remembers that it was complete, and one that answers for an earlier point.
pub fn an_event_names_its_latest_point(bed: &TestBed) -> Verdict {
    let (stream, gate) = (bed.stream()?, Gate::new());
    let event = bed.device().event_with(EventOptions::timed())?;
    bed.work(&stream)?;
    event.record(&stream)?;
    let first = event.timed_point()?;
    bed.hold(&stream, &gate)?;
    event.record(&stream)?;
    let second = event.timed_point()?;
    assert!(second.value() > first.value(), "each record has a point of its own");

    settle(&first);
    assert!(!event.query()?, "its first record is done, its second is not");
    assert!(!event.query_recorded()?);
    assert!(matches!(event.state(), EventState::Pending));
    assert_held(&event.point()?);

    gate.open()?;
    settle(&event.point()?);
    assert!(event.query()? && event.query_recorded()?);
    assert!(matches!(event.state(), EventState::Complete));
    let start = bed.device().event_with(EventOptions::timed())?;
    start.record(&stream)?;
    event.record(&stream)?;
    settle(&event.point()?);
    let named = event.timed_point()?.elapsed_since(&start.timed_point()?)?;
    assert_eq!(event.elapsed_since(&start)?, named, "the time is that of the latest points");
    Ok(())
}

/// Catches an error, a hang or a created point where nothing was recorded.
pub fn an_event_never_recorded_is_a_state_not_an_error(bed: &TestBed) -> Verdict {
    let device_event = bed.device().event_with(EventOptions::timed())?;
    for event in [Event::new(EventOptions::timed()), device_event] {
        assert!(matches!(event.state(), EventState::NeverRecorded));
        assert!(event.query()?, "true in the form of CUDA");
        assert!(!event.query_recorded()?, "false in the form of Metal");
        let stream = bed.stream()?;
        let event = promptly(move || event.synchronize().map(|()| event))?;
        stream.wait_event(&event)?;
        assert_eq!(stream.timeline().enqueued(), 0, "there is nothing to wait for");
        bed.work(&stream)?;
        settle(&stream.record()?);
        refused(event.point(), Kind::Misuse(Reason::NotRecorded));
        refused(event.timed_point(), Kind::Misuse(Reason::NotRecorded));
        assert!(matches!(event.state(), EventState::NeverRecorded), "asking records nothing");
        event.record(&stream)?;
        settle(&event.point()?);
    }
    Ok(())
}

/// Catches an event that moves to another device, that is bound by a refused record, or that cannot be waited for
/// elsewhere.
pub fn an_event_belongs_to_the_device_of_its_first_record(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let event = Event::new(EventOptions::new());
    assert!(event.device().is_none(), "it belongs to no device before its first record");
    assert_eq!(bed.device().event().device().as_ref(), Some(bed.device()));
    event.record(&stream)?;
    assert_eq!(event.device().as_ref(), Some(bed.device()));
    let named = event.point()?;

    for other in [bed.second_device(), bed.foreign_device()].into_iter().flatten() {
        let elsewhere = other.stream()?;
        let wrong = Kind::Misuse(Reason::WrongDevice);
        let error = refused(event.record(&elsewhere), wrong);
        for name in [bed.device(), other] {
            assert!(error.to_string().contains(name.name()), "{error} must name {name}");
        }
        refused(other.event().record(&stream), wrong);
        refused(other.event().record_once(&stream), wrong);
        assert_eq!((event.point()?, event.device()), (named.clone(), Some(bed.device().clone())));
        elsewhere.wait_event(&event)?;
        assert!(!elsewhere.query()?, "waiting elsewhere is legal");
    }
    gate.open()?;
    settle(&named);
    a_refused_record_binds_nothing(bed)
}

fn a_refused_record_binds_nothing(bed: &TestBed) -> Verdict {
    let (broken, event) = (bed.stream()?, Event::new(EventOptions::timed()));
    bed.fails(&broken)?;
    failure_of(&broken.record()?);
    refused(event.record(&broken), Kind::Failed);
    assert!(event.device().is_none() && event.point().is_err(), "the record was refused");
    if let Some(other) = bed.second_device() {
        event.record(&other.stream()?)?;
    }
    Ok(())
}

/// Catches a name that falls back to an older point, and one made of two.
pub fn two_threads_recording_leave_one_record_whole(bed: &TestBed) -> Verdict {
    of_two_on_one_stream_the_later_stays(bed)?;
    of_two_on_two_streams_one_stays_whole(bed)
}

/// More threads than cores, so that some are cut short between taking a point and naming it.
fn of_two_on_one_stream_the_later_stays(bed: &TestBed) -> Verdict {
    let (stream, event, newest) = (bed.stream()?, bed.device().event(), AtomicU64::new(0));
    // Where others launch on the stream too, each function makes the device and the host wait for one another.
    let rounds = if stream.mode() == Mode::Managed { 6000 } else { 300 };
    on_threads(THREADS, |_| {
        for round in 0..rounds {
            bed.work(&stream)?;
            event.record(&stream)?;
            // A slow machine is never behind by more than it does while somebody waits.
            if round % (rounds / 12) == 0 {
                settle(&stream.record()?);
            }
            // Acquire and release: what was named before this value was told stays behind it.
            let known = newest.load(Ordering::Acquire);
            let named = event.point()?.value();
            assert!(named >= known, "an older record, {named}, came over a newer, {known}");
            newest.fetch_max(named, Ordering::AcqRel);
        }
        Ok(())
    })?;
    let (last, end) = (event.point()?.value(), stream.record()?);
    assert!(
        end.value() - last < THREADS as u64,
        "{last} must be one of the last records, at {end}"
    );
    settle(&end);
    Ok(())
}

const THREADS: usize = 8;

/// What a third thread sees is always a point of one of the two, with a time of its own.
fn of_two_on_two_streams_one_stays_whole(bed: &TestBed) -> Verdict {
    let event = bed.device().event_with(EventOptions::timed())?;
    let (own, seen): ([Stream; 2], _) = (bed.streams()?, Mutex::new(Vec::new()));
    event.record(&own[0])?;
    on_threads(3, |number| {
        for _ in 0..300 {
            match own.get(number) {
                Some(stream) => event.record(stream)?,
                None => look(&event, &seen)?,
            }
        }
        Ok(())
    })?;
    let known = own.each_ref().map(Stream::timeline);
    for (point, nanos) in seen.into_inner().unwrap_or_else(PoisonError::into_inner) {
        assert!(known.contains(&point.timeline()), "{point} was recorded by one of the threads");
        assert!(nanos > 0, "{point} has a time of its own");
    }
    event.record(&own[0])?;
    assert_eq!(event.point()?.timeline(), own[0].timeline(), "nothing older comes back");
    Ok(())
}

fn look(event: &Event, seen: &Mutex<Vec<(Point, u64)>>) -> Result<()> {
    let point = event.timed_point()?;
    if point.query()? {
        let nanos = point.timestamp()?.nanos;
        seen.lock().unwrap_or_else(PoisonError::into_inner).push((point.point().clone(), nanos));
    }
    Ok(())
}

/// Runs this on several threads that begin together.
fn on_threads(count: usize, code: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let (barrier, code) = (Barrier::new(count), &code);
    let run = |number| {
        barrier.wait();
        code(number)
    };
    let run = &run;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || run(number))).collect();
        let mut ended = threads.into_iter().map(ScopedJoinHandle::join);
        ended.try_for_each(|outcome| outcome.expect("the thread ran to its end"))
    })
}

/// Catches a check and a record that another thread gets between, a caller that returns before there is a point, and a
/// lock held while observers are told, who may record once themselves.
pub fn record_once_records_once(bed: &TestBed) -> Verdict {
    let _turn = turn();
    let event = Arc::new(bed.device().event());
    let stream = Arc::new(bed.stream()?);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let watch = observe({
        let (event, stream, heard) = (Arc::clone(&event), Arc::clone(&stream), Arc::clone(&heard));
        move |record: &Record| {
            if let Operation::PointRecorded { event: Some(id), value, .. } = record.operation
                && id == event.id()
            {
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(value);
                // Comes back into the very call that it is told of.
                drop(event.record_once(&stream));
            }
        }
    });
    let puts = bed.puts();
    let points = promptly(move || {
        let points = Mutex::new(Vec::new());
        let recorded = on_threads(8, |_| {
            puts(&stream)?;
            event.record_once(&stream)?;
            points.lock().unwrap_or_else(PoisonError::into_inner).push(event.point()?);
            Ok(())
        });
        recorded.map(|()| points.into_inner().unwrap_or_else(PoisonError::into_inner))
    })?;
    drop(watch);
    let recorded = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(recorded.len(), 1, "one of eight records: {recorded:?}");
    assert!(points.iter().all(|point| point.value() == recorded[0]), "all see it: {points:?}");
    Ok(())
}
