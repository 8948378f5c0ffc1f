//! Captures: what a stream does while its handle's holders capture it into a graph.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod capture;
mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use syncpoint::cuda::expose;
use syncpoint::{Device, EventOptions, EventState, Gate, Kind, Reason, Result, Stream};
use syncpoint_conformance::patience::{PATIENCE, heard, refused, say, settle};

use capture::Capture;
use fake::Fake;

fn device() -> Result<Device> {
    Fake::used();
    syncpoint::cuda::open(0)
}

/// A stream of ours whose handle was given out, and the handle.
fn given_out(device: &Device) -> Result<(Stream, usize)> {
    let stream = device.stream()?;
    let handle = expose(&stream)?.as_ptr().addr();
    Ok((stream, handle))
}

#[track_caller]
fn assert_capturing<T: std::fmt::Debug>(outcome: Result<T>) {
    let refusal = outcome.map_err(|error| error.kind());
    assert!(matches!(refusal, Err(Kind::Misuse(Reason::Capturing))), "{refusal:?}");
}

#[test]
fn streams_fork_and_join_inside_a_capture_by_points() -> Result<()> {
    let device = device()?;
    let ((first, handle), (second, _)) = (given_out(&device)?, given_out(&device)?);
    assert!(!first.is_capturing()?);
    let capture = Capture::begin(handle);
    assert!(first.is_capturing()?);
    let values = [first.timeline().enqueued(), second.timeline().enqueued()];
    second.wait(&first.record()?)?;
    first.wait(&second.record()?)?;
    let after = [first.timeline().enqueued(), second.timeline().enqueued()];
    assert_eq!(after, values, "what is captured takes no value");
    capture.end_and_launch(1);
    for stream in [&first, &second] {
        stream.delay(std::time::Duration::from_micros(1))?;
        settle(&stream.record()?);
    }
    Ok(())
}

#[test]
fn what_is_captured_leaves_out_no_later_wait_and_hands_on_no_failure() {
    let name = "what_is_captured_leaves_out_no_later_wait_and_hands_on_no_failure";
    Fake::alone(name, |fake| {
        let device = device()?;
        let ((first, handle), (second, _)) = (given_out(&device)?, given_out(&device)?);
        let waits = |expected, outcome: Result<()>| {
            outcome.map(|()| assert_eq!(fake.count("cuStreamWaitEvent"), expected))
        };
        let capture = Capture::begin(handle);
        let captured = first.record()?;
        waits(1, second.wait(&captured))?;
        waits(2, second.wait(&captured))?;
        waits(3, first.wait(&second.record()?))?;
        capture.end_and_launch(1);
        first.submit(|_| Err(syncpoint::Error::failed("it fails on purpose")))?;
        refused(first.record()?.synchronize_timeout(PATIENCE), Kind::Failed);
        settle(&second.record()?);
        first.recover()?;
        first.delay(std::time::Duration::from_secs(1))?;
        let outside = first.record()?;
        waits(4, second.wait(&outside))?;
        waits(4, second.wait(&outside))?;
        settle(&second.record()?);
        Ok(())
    });
}

#[test]
fn what_cannot_be_captured_is_refused_and_the_capture_stays_whole() -> Result<()> {
    let device = device()?;
    let ((stream, handle), made) = (given_out(&device)?, device.stream()?);
    let buffer = device.buffer(8)?;
    let outside = made.record()?;
    settle(&outside);
    made.delay(std::time::Duration::from_millis(300))?;
    let (pending, gate) = (made.record()?, Gate::new());
    let capture = Capture::begin(handle);
    let point = stream.record()?;
    assert_capturing(stream.enqueue(|| ()));
    assert_capturing(stream.fill(&buffer, 0..8, 1));
    assert_capturing(stream.copy(&buffer, 0..4, &buffer, 4..8));
    assert_capturing(stream.delay(std::time::Duration::from_micros(1)));
    assert_capturing(stream.record_timed());
    assert_capturing(stream.query());
    assert_capturing(stream.synchronize());
    assert_capturing(stream.wait(&pending));
    assert_capturing(made.wait(&point));
    assert_capturing(stream.wait(&gate.point()));
    assert_capturing(stream.open(&gate));
    assert_capturing(point.query());
    assert_capturing(point.synchronize_timeout(PATIENCE));
    assert_capturing(point.notify(|_| ()));
    assert_capturing(syncpoint::retire((), [point]).map_err(syncpoint::Error::from));
    stream.wait(&outside)?;
    capture.end_and_launch(1);
    settle(&stream.record()?);
    stream.open(&gate)?;
    settle(&gate.point());
    Ok(())
}

#[test]
fn what_is_submitted_by_hand_is_captured_and_runs_with_each_launch() -> Result<()> {
    let (stream, handle) = given_out(&device()?)?;
    let runs = Arc::new(AtomicUsize::new(0));
    let (capture, run) = (Capture::begin(handle), Arc::clone(&runs));
    let before = stream.timeline().enqueued();
    // Relaxed: the launch is waited for before it is read.
    Fake::used().launch(&stream, move || {
        run.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(stream.timeline().enqueued(), before, "what is captured takes no value");
    assert_eq!(runs.load(Ordering::Relaxed), 0, "nothing was launched yet");
    capture.end_and_launch(1);
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    settle(&stream.record()?);
    Ok(())
}

#[test]
fn gates_of_a_device_that_has_them_are_refused_in_a_capture_too() -> Result<()> {
    Fake::used();
    let device = syncpoint::cuda::builder().device_gates(PATIENCE).open(0)?;
    let ((stream, handle), gate) = (given_out(&device)?, Gate::new());
    let capture = Capture::begin(handle);
    assert_capturing(stream.wait(&gate.point()));
    assert_capturing(stream.open(&gate));
    assert_capturing(stream.enqueue(|| ()));
    capture.end_and_launch(0);
    stream.open(&gate)?;
    settle(&gate.point());
    Ok(())
}

#[test]
fn an_event_names_the_captured_record_until_it_is_recorded_outside() -> Result<()> {
    let device = device()?;
    let ((stream, handle), event) = (given_out(&device)?, device.event());
    let capture = Capture::begin(handle);
    event.record(&stream)?;
    assert_capturing(event.query());
    capture.end_and_launch(1);
    event.record(&stream)?;
    event.synchronize()?;
    assert!(event.query()?);
    Ok(())
}

#[test]
fn an_external_event_is_recorded_by_each_launch_and_streams_outside_wait_for_that() -> Result<()> {
    let device = device()?;
    let event = device.event_with(EventOptions::builder().external().build()?)?;
    let ((stream, handle), outside) = (given_out(&device)?, device.stream()?);
    let capture = Capture::begin(handle);
    event.record(&stream)?;
    assert!(event.query()?, "nothing was launched yet");
    capture.end_and_launch(1);
    assert!(matches!(event.state(), EventState::Complete));
    outside.wait_event(&event)?;
    settle(&outside.record()?);
    Ok(())
}

#[test]
fn a_capture_waits_for_an_external_event_at_each_launch() -> Result<()> {
    let device = device()?;
    let event = device.event_with(EventOptions::builder().external().build()?)?;
    let ((stream, handle), outside) = (given_out(&device)?, device.stream()?);
    let capture = Capture::begin(handle);
    stream.wait_event(&event)?;
    outside.delay(std::time::Duration::from_millis(50))?;
    let end = outside.record()?;
    event.record(&outside)?;
    capture.end_and_launch(1);
    assert!(end.query()?, "the launch waited for what was recorded outside");
    Ok(())
}

#[test]
fn the_default_stream_of_another_thread_joins_no_capture() -> Result<()> {
    let device = device()?;
    let (stream, handle) = given_out(&device)?;
    let own = syncpoint::cuda::per_thread_stream(&device)?;
    let capture = Capture::begin(handle);
    let point = stream.record()?;
    let refused = std::thread::scope(|scope| scope.spawn(|| own.wait(&point)).join()).unwrap();
    let kind = refused.map_err(|error| error.kind());
    assert!(matches!(kind, Err(Kind::Misuse(Reason::WrongThread))), "{kind:?}");
    capture.end_and_launch(1);
    own.synchronize()
}

#[test]
fn what_was_given_before_a_capture_is_marked_before_it() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    let buffer = device.buffer(8)?;
    let made = fake.make_stream(0);
    let handle = made.again();
    let borrowed = fake.borrow_unowned(&device, handle)?;
    borrowed.fill(&buffer, 0..8, 7)?;
    borrowed.submit(|_| ())?;
    let given_out = device.stream()?;
    given_out.fill(&buffer, 0..8, 7)?;
    let ours = expose(&given_out)?.as_ptr().addr();
    let captures = [Capture::begin(handle), Capture::begin(ours)];
    // Now their ends are to be noticed, and nothing of them was recorded by name.
    let ends = [&*borrowed, &given_out].map(|stream| {
        let timeline = stream.timeline();
        timeline.point(timeline.enqueued())
    });
    drop(borrowed);
    let (sender, told) = channel();
    let _told = ends[1].notify(move |end| say(&sender, end))?;
    heard(&told, "the end of what was given before")?;
    ends.iter().for_each(settle);
    for capture in captures {
        capture.end_and_launch(1);
    }
    Ok(())
}
