//! No room for threads: an end for whose telling none can be made is told to who asks, or with the next that is told.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod double;

use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::{Kind, Result, Stream};
use syncpoint_conformance::patience::{PATIENCE, heard, say, until};
use syncpoint_conformance::secluded::refuse_new_threads;

use double::{Double, Queue};

/// A page fault.
const FAULT: i64 = 3;

/// The notifier.
fn warm() -> Result<()> {
    let (sender, told) = channel();
    let complete = syncpoint::open("host:0")?.stream()?.record()?;
    complete.notify(move |outcome| say(&sender, outcome))?;
    heard(&told, "the notifier").map(drop)
}

/// From now on the thread on which handlers of the stream come makes no threads.
fn seclude(stream: &Stream) -> Result<()> {
    let (sender, secluded) = channel();
    stream.submit(move |raw| {
        let queue = raw.native::<Queue>().expect("a queue is lent");
        queue.run(move || {
            refuse_new_threads();
            say(&sender, ());
        });
    })?;
    heard(&secluded, "the thread of the queue");
    Ok(())
}

#[test]
fn an_end_for_whose_telling_no_thread_can_be_made_is_told_to_who_asks() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    seclude(&stream)?;
    stream.fill(&buffer, 0..8, 1)?;
    let end = stream.record()?;
    until("an end that somebody asks for", || end.query().is_ok_and(|is_over| is_over));
    double.kill(0, FAULT);
    stream.fill(&buffer, 0..8, 2)?;
    let killed = stream.record()?;
    until("a failure that somebody asks for", || killed.query().is_err());
    assert!(stream.recover()?.is_some());
    stream.fill(&buffer, 0..8, 3)?;
    stream.record()?.synchronize_timeout(PATIENCE)
}

#[test]
fn an_end_for_whose_telling_no_thread_can_be_made_is_told_with_the_next() -> Result<()> {
    warm()?;
    let device = Double::default().device();
    let (stream, other, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
    seclude(&stream)?;
    let (sender, told) = channel();
    stream.fill(&buffer, 0..8, 1)?;
    let _notification = stream.record()?.notify(move |outcome| say(&sender, outcome));
    until("the end that no thread could be made for", || {
        let filled = other.fill(&buffer, 0..8, 2).and_then(|()| other.record());
        let filled = filled.and_then(|end| end.synchronize_timeout(PATIENCE));
        filled.is_ok() && told.try_recv().is_ok_and(|outcome| outcome.is_ok())
    });
    Ok(())
}

/// Who serves streams refuses new threads, one after the other, until no one is left to make the delay's.
#[test]
fn a_delay_that_no_thread_can_end_fails_its_stream() {
    until("a worker that makes no threads", || {
        let outcome = Double::default().device().stream().and_then(|stream| {
            stream.enqueue(refuse_new_threads)?;
            stream.delay(Duration::from_millis(1))?;
            stream.record()?.synchronize_timeout(PATIENCE)
        });
        match outcome {
            Ok(()) => false,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Exhausted, "{error}");
                assert!(error.message().contains("a delay"), "{error}");
                true
            }
        }
    });
}
