//! Manners: what the backend leaves as it was, never calls, and gives back.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;
mod uses;

use std::thread;
use std::time::Duration;

use syncpoint::{Device, Event, EventOptions, Gate, Result};
use syncpoint_conformance::patience::{PATIENCE, promptly, settle, until};

use fake::Fake;
use uses::use_everything;

fn device() -> Result<Device> {
    Fake::used().script("devices=2");
    syncpoint::cuda::open(0)
}

/// Uses a device in every way from this thread.
fn use_it(device: &Device) -> Result<()> {
    let (stream, other, gate) = (device.stream()?, device.stream()?, Gate::new());
    let buffer = device.buffer(64)?;
    buffer.write(0, &[1; 64])?;
    stream.wait(&gate.point())?;
    stream.fill(&buffer, 0..8, 2)?;
    stream.submit(|_| ())?;
    stream.enqueue(|| ())?;
    stream.delay(Duration::from_micros(1))?;
    let end = stream.record_timed()?;
    other.wait(&end)?;
    gate.open()?;
    settle(&other.record()?);
    settle(&end);
    end.timestamp()?;
    buffer.to_vec(0..64)?;
    assert!(stream.query()?);
    Ok(())
}

#[test]
fn a_thread_without_a_context_has_none_after_each_call() {
    Fake::alone("a_thread_without_a_context_has_none_after_each_call", |fake| {
        assert_eq!(fake.current(), 0, "a test's thread has none");
        let refused = use_everything();
        assert!(refused.is_empty(), "{refused:#?}");
        Ok(())
    });
}

#[test]
fn a_thread_with_another_context_has_it_after_each_call() {
    Fake::alone("a_thread_with_another_context_has_it_after_each_call", |fake| {
        fake.script("devices=2");
        fake.make_current(1);
        let refused = use_everything();
        assert!(refused.is_empty(), "{refused:#?}");
        Ok(())
    });
}

#[test]
fn a_thread_has_its_capture_mode_back_where_the_driver_refuses_that_once() {
    Fake::alone("a_thread_has_its_capture_mode_back_where_the_driver_refuses_that_once", |fake| {
        let (stream, before) = (device()?.stream()?, fake.capture_mode());
        // The kernel of the first delay is loaded so that no capture hears of it.
        fake.script("fail cuThreadExchangeStreamCaptureMode 2 999");
        stream.delay(Duration::from_micros(1))?;
        assert_eq!((fake.capture_mode(), syncpoint::cuda::unheard()), (before, 0));
        Ok(())
    });
}

#[test]
fn a_thread_that_does_not_get_its_capture_mode_back_is_counted() {
    Fake::alone("a_thread_that_does_not_get_its_capture_mode_back_is_counted", |fake| {
        let (stream, before) = (device()?.stream()?, fake.capture_mode());
        fake.script("fail cuThreadExchangeStreamCaptureMode 2..3 999");
        stream.delay(Duration::from_micros(1))?;
        assert_ne!(fake.capture_mode(), before, "it is relaxed");
        assert_eq!(syncpoint::cuda::unheard(), 1);
        Ok(())
    });
}

#[test]
fn a_question_that_may_break_a_capture_is_counted() {
    Fake::alone("a_question_that_may_break_a_capture_is_counted", |fake| {
        let (stream, before) = (device()?.stream()?, fake.capture_mode());
        fake.script("fail cuThreadExchangeStreamCaptureMode 1..2 999");
        stream.delay(Duration::from_micros(1))?;
        assert_eq!((fake.capture_mode(), syncpoint::cuda::unheard()), (before, 1));
        Ok(())
    });
}

#[test]
fn a_submission_has_the_context_of_its_stream() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    let stream = device.stream()?;
    let own = thread::spawn(|| Fake::used().make_current(0)).join().unwrap_or(0);
    stream.submit(move |submission| {
        assert_eq!(Fake::used().current(), own);
        assert!(submission.native::<syncpoint::cuda::RawStream>().is_some());
    })?;
    settle(&stream.record()?);
    assert_eq!(fake.current(), 0);
    Ok(())
}

#[test]
fn no_wait_of_the_host_blocks_inside_the_driver() -> Result<()> {
    let device = device()?;
    use_it(&device)?;
    let (stream, event) = (device.stream()?, Event::new(EventOptions::new()));
    stream.delay(Duration::from_millis(2))?;
    event.record(&stream)?;
    event.synchronize()?;
    stream.synchronize()?;
    device.synchronize()?;
    for function in ["cuEventSynchronize", "cuStreamSynchronize", "cuCtxSynchronize"] {
        assert_eq!(Fake::used().count(function), 0, "{function}");
    }
    Ok(())
}

#[test]
fn a_program_that_never_asks_holds_few_events() -> Result<()> {
    let device = device()?;
    let (stream, buffer) = (device.stream()?, device.buffer(1)?);
    let before = Fake::used().count("cuEventCreate");
    for round in 0..20_000 {
        stream.fill(&buffer, 0..1, 1)?;
        stream.record()?;
        // A device that is far behind needs as many events as it is behind.
        if round % 500 == 0 {
            settle(&stream.record()?);
        }
    }
    let made = Fake::used().count("cuEventCreate") - before;
    assert!(made < 2_000, "{made} events for 20000 records");
    Ok(())
}

#[test]
fn a_drop_does_not_wait_for_the_driver() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    let (stream, buffer, timed) = (device.stream()?, device.buffer(8)?, device.stream()?);
    let point = timed.record_timed()?;
    settle(&point);
    fake.script("block cuStreamDestroy_v2 *; block cuMemFreeAsync *; block cuEventDestroy_v2 *");
    promptly(move || drop((stream, buffer, timed, point)));
    let still = device.stream()?;
    still.enqueue(|| ())?;
    let end = still.record()?;
    assert!(end.synchronize_timeout(PATIENCE).is_ok(), "others go on meanwhile");
    until("the end of what was dropped", || {
        // Each call blocks anew.
        fake.script("release");
        fake.count("cuStreamDestroy_v2") >= 2
    });
    Ok(())
}
