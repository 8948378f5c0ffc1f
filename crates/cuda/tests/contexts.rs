//! Contexts and their streams: who makes one, which streams are of it, and how they stand to each other.

mod fake;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use syncpoint::cuda::{event_handle, expose, legacy_stream, per_thread_stream};
use syncpoint::{Device, EventOptions, Result, StreamOptions};
use syncpoint_conformance::journal::Journal;
use syncpoint_conformance::patience::{settle, until};

use fake::{Fake, Green};

fn device() -> Result<Device> {
    syncpoint::cuda::open(0)
}

/// So long that a busy machine asks before it is over.
const LONG: Duration = Duration::from_millis(300);

#[test]
fn reading_never_makes_a_context() {
    Fake::alone("reading_never_makes_a_context", |fake| {
        fake.script("devices=2");
        assert!(syncpoint::devices().contains(&"cuda:1".to_owned()));
        assert!(syncpoint::available().iter().any(|each| each.backend == "cuda"));
        assert_eq!(syncpoint::cuda::count()?, 2);
        assert_eq!(fake.alive("all"), 0);

        let (device, host) = (device()?, syncpoint::open("host:0")?);
        let (stream, event) = (device.stream()?, device.event());
        let (start, end) = (stream.record_timed()?, stream.record_timed()?);
        settle(&end);
        assert!(device.capabilities().timing && !device.clock().name().is_empty());
        assert_eq!(stream.priority(), device.priority_range().clamp(0));
        assert!(stream.query()? && start.query()? && end.query()?);
        end.elapsed_since(&start)?;
        end.timestamp()?;
        drop((event.state(), event.query(), host.stream()?.wait(&end)?));
        assert_eq!(fake.count("cuDevicePrimaryCtxRetain"), 1, "the one that was opened");
        assert_eq!((fake.alive("contexts"), fake.current()), (1, 0));
        Ok(())
    });
}

#[test]
fn streams_of_a_green_context_are_taken_in_with_a_device_of_its_own() {
    Fake::alone("streams_of_a_green_context_are_taken_in_with_a_device_of_its_own", |fake| {
        let device = device()?;
        let green = Green::made(fake);
        let (theirs, other) = (green.stream(fake), green.stream(fake));
        let own = fake.open_context(green.context, ())?;
        let (stream, ours) = (fake.borrow_unowned(&own, theirs)?, own.stream()?);
        assert!(Arc::ptr_eq(&stream, &fake.borrow_unowned(&own, theirs)?));
        assert_ne!(stream, fake.borrow_unowned(&own, other)?);
        let buffer = own.buffer(8)?;
        stream.fill(&buffer, 0..8, 7)?;
        ours.wait(&stream.record()?)?;
        device.stream()?.wait(&ours.record()?)?;
        settle(&ours.record()?);
        assert_eq!(buffer.to_vec(0..8)?, [7; 8]);
        Ok(())
    });
}

#[test]
fn the_legacy_stream_holds_back_blocking_streams_of_others_and_none_of_ours() {
    Fake::alone(
        "the_legacy_stream_holds_back_blocking_streams_of_others_and_none_of_ours",
        |fake| {
            let device = device()?;
            fake.make_current(0);
            let mut blocking = 0_usize;
            let room = (&raw mut blocking).expose_provenance();
            assert_eq!(fake.call("cuStreamCreate", room, 0), 0);
            let (theirs, ours) = (fake.borrow_unowned(&device, blocking)?, device.stream()?);
            let legacy = legacy_stream(&device)?;
            let buffer = device.buffer(8)?;
            settle(&ours.record()?);
            legacy.delay(LONG)?;
            let (before, behind) = (legacy.record()?, {
                theirs.fill(&buffer, 0..8, 1)?;
                theirs.record()?
            });
            ours.fill(&buffer, 0..8, 2)?;
            settle(&ours.record()?);
            assert!(!before.query()? && !behind.query()?, "ours went on, theirs did not");
            settle(&behind);
            assert!(before.query()?);
            Ok(())
        },
    );
}

#[test]
fn default_streams_are_never_destroyed() {
    Fake::alone("default_streams_are_never_destroyed", |fake| {
        let device = device()?;
        let streams = [legacy_stream(&device)?, per_thread_stream(&device)?];
        for stream in &streams {
            stream.delay(Duration::from_micros(1))?;
            stream.synchronize()?;
        }
        drop((streams, device));
        until("the end of the context", || fake.alive("contexts") == 0);
        assert_eq!(fake.count("cuStreamDestroy_v2"), 1, "the backend's own");
        assert_eq!(syncpoint::cuda::unheard(), 0);
        Ok(())
    });
}

#[test]
fn a_stream_made_anew_under_an_old_handle_is_another() {
    Fake::alone("a_stream_made_anew_under_an_old_handle_is_another", |fake| {
        fake.script("reuse");
        let device = device()?;
        let made = fake.make_stream(0);
        let handle = made.again();
        let first = fake.borrow_unowned(&device, handle)?;
        drop(made);
        let anew = fake.make_stream(0);
        assert_eq!(anew.again(), handle, "the driver uses it again");
        let second = fake.borrow(&device, anew)?;
        assert_ne!(first.id(), second.id());
        second.delay(Duration::from_micros(1))?;
        settle(&second.record()?);
        Ok(())
    });
}

#[test]
fn the_driver_knows_the_priority_that_was_asked_for() {
    Fake::alone("the_driver_knows_the_priority_that_was_asked_for", |fake| {
        let device = device()?;
        let range = device.priority_range();
        assert!(range.greatest() < range.least());
        for priority in range.greatest()..=range.least() {
            let stream = device.stream_with(StreamOptions::new().with_priority(priority))?;
            let raw = expose(&stream)?.as_ptr().addr();
            let mut told = 77_i32;
            let room = (&raw mut told).expose_provenance();
            assert_eq!(fake.call("cuStreamGetPriority", raw, room), 0);
            assert_eq!((told, stream.priority()), (priority, priority));
            assert_eq!(fake.borrow_unowned(&device, raw)?.priority(), priority);
        }
        Ok(())
    });
}

#[test]
fn an_event_of_the_driver_notes_its_time_only_where_that_was_asked_for() {
    Fake::alone("an_event_of_the_driver_notes_its_time_only_where_that_was_asked_for", |fake| {
        const INVALID_HANDLE: i32 = 400;
        let device = device()?;
        let stream = device.stream()?;
        let untimed = EventOptions::builder().native_handle().build()?;
        let timed = EventOptions::builder().native_handle().timing().build()?;
        for (options, expected) in [(untimed, INVALID_HANDLE), (timed, 0)] {
            let event = device.event_with(options)?;
            event.record(&stream)?;
            event.synchronize()?;
            let (handle, mut time) = (event_handle(&event)?.as_ptr().addr(), 0_f32);
            until("the record beside the point", || fake.call("cuEventQuery", handle, 0) == 0);
            let room = (&raw mut time).expose_provenance();
            let asked = fake.call_with("cuEventElapsedTime_v2", [room, handle, handle, 0]);
            assert_eq!(asked, expected, "{options:?}");
        }
        Ok(())
    });
}

#[test]
fn no_mark_of_a_stream_notes_its_time_unless_a_time_was_asked_for() {
    Fake::alone("no_mark_of_a_stream_notes_its_time_unless_a_time_was_asked_for", |fake| {
        let device = device()?;
        let (stream, other, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
        let ours = expose(&other)?;
        for _ in 0..100 {
            stream.fill(&buffer, 0..8, 1)?;
            other.wait(&stream.record()?)?;
            other.fill(&buffer, 0..8, 2)?;
        }
        settle(&other.record()?);
        assert!(!ours.as_ptr().is_null() && fake.alive("events") > 0);
        assert_eq!(fake.alive("timed events"), 0, "nobody asked for a time");
        let timed = stream.record_timed()?;
        assert!(fake.alive("timed events") > 0);
        settle(&timed);
        let pooled = fake.alive("timed events");
        drop(timed);
        stream.fill(&buffer, 0..8, 3)?;
        settle(&stream.record()?);
        assert_eq!(fake.alive("timed events"), pooled, "those have a pool of their own");
        Ok(())
    });
}

#[test]
fn the_driver_makes_a_stream_for_each_that_is_asked_for_and_one_for_the_device() {
    let name = "the_driver_makes_a_stream_for_each_that_is_asked_for_and_one_for_the_device";
    Fake::alone(name, |fake| {
        let device = device()?;
        let streams: Vec<_> = (1..=40)
            .map(|count| {
                let stream = device.stream()?;
                assert_eq!(fake.alive("streams"), 1 + count);
                Ok(stream)
            })
            .collect::<Result<_>>()?;
        let handles = streams.iter().map(|stream| Ok(expose(stream)?.as_ptr().addr()));
        let handles: BTreeSet<usize> = handles.collect::<Result<_>>()?;
        assert_eq!(handles.len(), 40, "none is another one over again");
        Ok(())
    });
}

#[test]
fn streams_of_sim_and_of_cuda_wait_for_each_other() {
    Fake::alone("streams_of_sim_and_of_cuda_wait_for_each_other", |_fake| {
        let (ours, sim) = (device()?.stream()?, syncpoint::open("sim:0")?.stream()?);
        let (journal, host) = (Journal::default(), syncpoint::open("host:0")?.stream()?);
        ours.delay(Duration::from_millis(20))?;
        for (stream, before, word) in [
            (&ours, None, "cuda"),
            (&sim, Some(&ours), "sim"),
            (&ours, Some(&sim), "cuda again"),
            (&host, Some(&ours), "host"),
            (&sim, Some(&host), "sim again"),
        ] {
            if let Some(before) = before {
                stream.wait_stream(before)?;
            }
            journal.work(stream, word)?;
        }
        settle(&sim.record()?);
        journal.assert_reads(&["cuda", "sim", "cuda again", "host", "sim again"]);
        Ok(())
    });
}
