//! Drivers that misbehave: what is slow, lies, blocks or says what nobody knows harms nobody but who asked.

mod fake;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use syncpoint::cuda::expose;
use syncpoint::{Device, EventOptions, Kind, Reason, Result};
use syncpoint_conformance::patience::{
    PATIENCE, assert_held, heard, promptly, refused, say, settle, until,
};

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
fn a_record_that_blocks_inside_the_driver_holds_up_no_stream_that_records_the_same_event() {
    let name =
        "a_record_that_blocks_inside_the_driver_holds_up_no_stream_that_records_the_same_event";
    Fake::alone(name, |fake| {
        let device = device()?;
        let options = EventOptions::builder().external().build()?;
        let event = Arc::new(device.event_with(options)?);
        let streams = [(); 2].map(|()| device.stream().map(Arc::new));
        let [stuck, other] = streams.map(|stream| stream.expect("room for a stream"));
        let (go_on, busy) = channel::<()>();
        fake.launch(&other, move || busy.recv_timeout(PATIENCE).unwrap_or(()));
        let before = fake.count("cuEventRecord");
        fake.script("block cuEventRecord 1");
        let (own, early) = (Arc::clone(&stuck), Arc::clone(&event));
        let blocked = thread::spawn(move || early.record(&own));
        until("the call that blocks", || fake.count("cuEventRecord") > before);
        let (there, late) = (Arc::clone(&other), Arc::clone(&event));
        promptly(move || -> Result<()> {
            late.record(&there)?;
            there.record().map(drop)
        })?;
        assert!(!blocked.is_finished(), "the first record still blocks");
        fake.script("release");
        blocked.join().unwrap()?;
        assert!(!event.query()?, "the later record is the latest, although it came first");
        let waits = device.stream()?;
        waits.wait_event(&event)?;
        let end = waits.record()?;
        assert_held(&end);
        say(&go_on, ());
        settle(&end);
        event.record(&stuck)?;
        event.synchronize_timeout(PATIENCE)
    });
}

#[test]
fn a_query_that_blocks_inside_the_driver_holds_up_nobody_who_uses_the_stream() {
    let name = "a_query_that_blocks_inside_the_driver_holds_up_nobody_who_uses_the_stream";
    Fake::alone(name, |fake| {
        let stream = Arc::new(device()?.stream()?);
        stream.delay(LONG)?;
        let (point, before) = (stream.record()?, fake.count("cuEventQuery"));
        fake.script("block cuEventQuery 1");
        let asked = point.clone();
        let asks = thread::spawn(move || asked.query());
        until("the question", || fake.count("cuEventQuery") > before);
        let own = Arc::clone(&stream);
        promptly(move || -> Result<()> {
            point.query()?;
            own.query()?;
            own.delay(Duration::from_micros(1))?;
            let later = own.record()?;
            later.query()?;
            later.synchronize_timeout(PATIENCE)?;
            assert!(point.query()?, "it came before");
            drop(own.record_timed()?);
            Ok(())
        })?;
        assert!(!asks.is_finished(), "the first question still blocks");
        promptly(move || drop(stream));
        fake.script("release");
        assert!(asks.join().unwrap()?, "it is answered late, and truly");
        Ok(())
    });
}

#[test]
fn what_came_of_a_hundred_records_meanwhile_is_found_out_with_a_few_questions() {
    let name = "what_came_of_a_hundred_records_meanwhile_is_found_out_with_a_few_questions";
    Fake::alone(name, |fake| {
        let stream = device()?.stream()?;
        stream.delay(LONG)?;
        let record = |_| stream.delay(Duration::ZERO).and_then(|()| stream.record());
        let points = (0..100).map(record).collect::<Result<Vec<_>>>()?;
        let asked = fake.count("cuEventQuery");
        // Who has a listener listed asks once at most, and then the poller does.
        fake.script("block cuEventQuery 2");
        let (sender, told) = channel();
        let _told = points[99].notify(move |end| say(&sender, end))?;
        until("the poller's question", || fake.count("cuEventQuery") > asked + 1);
        fake.make_current(0);
        assert_eq!(fake.call("cuCtxSynchronize", 0, 0), 0, "the device has passed them");
        fake.script("release");
        heard(&told, "the last point")?;
        let questions = fake.count("cuEventQuery") - asked;
        // The listener's, and leaps that double: half the square of the logarithm.
        assert!(questions <= 1 + 7 * 7 / 2, "{questions} questions");
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
        fake.script("fail cuCtxPopCurrent_v2 1..2 201");
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
fn a_long_span_is_as_fine_as_the_clock_says_of_it() {
    Fake::alone("a_long_span_is_as_fine_as_the_clock_says_of_it", |fake| {
        let (device, hour) = (device()?, 3_600_000_f32);
        let stream = device.stream()?;
        let (start, end) = (stream.record_timed()?, stream.record_timed()?);
        settle(&end);
        let told = [hour, hour.next_up()].map(|time| {
            fake.script(&format!("elapsed 1 {time}"));
            end.elapsed_since(&start)
        });
        let [span, next] = told;
        let (span, step) = (span?, device.clock().resolution_of(Duration::from_secs(3600)));
        assert_eq!((span, next?), (Duration::from_secs(3600), span + step));
        assert!(step > device.clock().resolution());
        Ok(())
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
