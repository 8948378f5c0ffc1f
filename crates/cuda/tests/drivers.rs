//! Drivers that misbehave: what is slow, lies, blocks or says what nobody knows harms nobody but who asked.

mod fake;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use syncpoint::cuda::expose;
use syncpoint::{Device, Kind, Reason, Result};
use syncpoint_conformance::patience::{PATIENCE, promptly, refused, settle, until};

use fake::Fake;

fn device() -> Result<Device> {
    syncpoint::cuda::open(0)
}

/// So long that a busy machine asks before it is over.
const LONG: Duration = Duration::from_millis(300);

#[test]
fn not_ready_is_an_answer_however_often_it_comes() {
    Fake::alone("not_ready_is_an_answer_however_often_it_comes", |fake| {
        let stream = device()?.stream()?;
        stream.delay(Duration::from_micros(1))?;
        fake.script("not_ready cuEventQuery 5");
        let point = stream.record()?;
        let answers = [(); 5].map(|()| point.query());
        assert!(answers.iter().all(|answer| matches!(answer, Ok(false))), "{answers:?}");
        until("the end", || point.query().is_ok_and(|complete| complete));
        fake.script("not_ready cuEventQuery 50");
        stream.delay(Duration::from_micros(1))?;
        settle(&stream.record()?);
        Ok(())
    });
}

#[test]
fn a_code_that_nobody_knows_is_told_with_its_number() {
    Fake::alone("a_code_that_nobody_knows_is_told_with_its_number", |fake| {
        let device = device()?;
        let (stream, buffer) = (device.stream()?, device.buffer(8)?);
        fake.script("fail cuMemsetD8Async 1 12345");
        let told = refused(stream.fill(&buffer, 0..8, 1), Kind::Driver);
        assert_eq!(told.code(), Some((12345, "an unknown code")));
        assert!(told.message().contains("cuMemsetD8Async failed for cuda:0"), "{told}");
        stream.fill(&buffer, 0..8, 2)?;
        settle(&stream.record()?);
        Ok(())
    });
}

#[test]
fn a_call_that_blocks_inside_the_driver_holds_up_nobody_else() {
    Fake::alone("a_call_that_blocks_inside_the_driver_holds_up_nobody_else", |fake| {
        let device = device()?;
        for function in ["cuEventRecord", "cuMemsetD8Async", "cuStreamWaitEvent"] {
            let (stuck, other, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
            settle(&stuck.record()?);
            other.delay(LONG)?;
            let awaited = other.record()?;
            let earlier = stuck.record()?;
            let (stuck, before) = (Arc::new(stuck), fake.count(function));
            fake.script(&format!("block {function} 1"));
            let own = Arc::clone(&stuck);
            let blocked = thread::spawn(move || -> Result<()> {
                own.wait(&awaited)?;
                own.fill(&buffer, 0..8, 1)?;
                own.record()?.query().map(drop)
            });
            until("the call that blocks", || fake.count(function) > before);
            let there = device.clone();
            promptly(move || -> Result<()> {
                let (free, memory) = (there.stream()?, there.buffer(8)?);
                free.fill(&memory, 0..8, 1)?;
                assert!(earlier.query()?, "of the stream whose call blocks");
                free.enqueue(|| ())?;
                free.record()?.synchronize_timeout(PATIENCE)?;
                drop((stuck, free, memory));
                Ok(())
            })?;
            assert!(!blocked.is_finished(), "{function} still blocks");
            fake.script("release");
            blocked.join().unwrap()?;
        }
        Ok(())
    });
}

#[test]
fn a_context_that_cannot_be_brought_back_is_told_by_that_call() {
    Fake::alone("a_context_that_cannot_be_brought_back_is_told_by_that_call", |fake| {
        fake.script("devices=2");
        let device = device()?;
        let stream = device.stream()?;
        let theirs = fake.make_current(1);
        fake.script("fail cuCtxPopCurrent_v2 1 201");
        let told = refused(stream.delay(Duration::from_micros(1)), Kind::Driver);
        assert!(told.message().contains("cuCtxPopCurrent_v2"), "{told}");
        assert_ne!(fake.current(), theirs, "so it is");
        // Whoever looks after that brings their own back, and ours leaves it so.
        fake.call("cuCtxSetCurrent", theirs, 0);
        stream.delay(Duration::from_micros(1))?;
        settle(&stream.record()?);
        assert_eq!(fake.current(), theirs);
        Ok(())
    });
}

#[test]
fn what_the_driver_gives_as_a_time_and_is_none_is_refused() {
    Fake::alone("what_the_driver_gives_as_a_time_and_is_none_is_refused", |fake| {
        let stream = device()?.stream()?;
        let start = stream.record_timed()?;
        stream.delay(Duration::from_micros(10))?;
        let end = stream.record_timed()?;
        settle(&end);
        for (time, kind) in [("NaN", Kind::Driver), ("inf", Kind::Driver), ("-1", Kind::Driver)] {
            fake.script(&format!("elapsed 1 {time}"));
            let told = refused(end.elapsed_since(&start), kind);
            assert_ne!(told.kind(), Kind::Misuse(Reason::Reversed), "the points are in order");
        }
        end.elapsed_since(&start).map(drop)
    });
}

#[test]
fn a_capture_takes_nothing_from_outside_or_from_another_one() {
    Fake::alone("a_capture_takes_nothing_from_outside_or_from_another_one", |fake| {
        const RELAXED: usize = 2;
        let device = device()?;
        let (first, second, outside) = (device.stream()?, device.stream()?, device.stream()?);
        outside.delay(LONG)?;
        let pending = outside.record()?;
        let handles = [&first, &second].map(|stream| expose(stream).map(|raw| raw.as_ptr().addr()));
        for handle in &handles {
            let handle = *handle.as_ref().unwrap();
            assert_eq!(fake.call("cuStreamBeginCapture_v2", handle, RELAXED), 0);
        }
        refused(first.wait(&pending), Kind::Misuse(Reason::Capturing));
        refused(second.wait(&first.record()?), Kind::Misuse(Reason::Capturing));
        for handle in handles {
            let mut graph = 0_usize;
            let room = (&raw mut graph).expose_provenance();
            fake.call("cuStreamEndCapture", handle?, room);
        }
        for stream in [&first, &second, &outside] {
            stream.delay(Duration::from_micros(1))?;
            settle(&stream.record()?);
        }
        Ok(())
    });
}
