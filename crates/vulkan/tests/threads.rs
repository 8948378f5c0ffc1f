//! No room for threads: what the backend cannot make one for is told, or waits for the next that can.

#![cfg(target_os = "linux")]

mod between;
mod faulty;
mod machine;

use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use ash::vk;
use syncpoint::{Kind, Point, Result, Stream};
use syncpoint_conformance::patience;
use syncpoint_conformance::secluded::refuse_new_threads;

use faulty::Fault;

/// So many bytes that a fill of them is not over when it is first asked for.
const LARGE: u64 = 32 << 20;

/// The notifier, and whatever the driver makes at its first submissions, but nothing that waits for them.
fn warm(stream: &Stream) -> Result<()> {
    let (sender, told) = channel();
    let complete = syncpoint::open("host:0")?.stream()?.record()?;
    complete.notify(move |outcome| patience::say(&sender, outcome))?;
    patience::heard(&told, "the notifier")?;
    let point = stream.record_timed()?;
    patience::until("a first submission", || point.query().is_ok_and(|is_over| is_over));
    Ok(())
}

#[test]
fn a_waiter_that_could_not_be_made_is_called_by_who_waits_next() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (first, second, buffer) = (device.stream()?, device.stream()?, device.buffer(LARGE)?);
    warm(&first)?;
    let (sender, told) = channel();
    thread::scope(|scope| {
        let secluded = scope.spawn(|| {
            refuse_new_threads();
            first.fill(&buffer, 0..LARGE, 1)?;
            let end = first.record()?;
            end.notify(move |outcome| patience::say(&sender, outcome)).map(drop)
        });
        secluded.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    patience::until("the end that nobody could be made for", || {
        let waited = second.fill(&buffer, 0..LARGE, 2).and_then(|()| second.record());
        let waited = waited.and_then(|end| end.synchronize_timeout(patience::PATIENCE));
        waited.is_ok() && told.try_recv().is_ok_and(|outcome| outcome.is_ok())
    });
    Ok(())
}

/// Whoever sleeps does not trust that another is about to call who wakes: there may be no thread for that one.
#[test]
fn who_listens_beside_one_for_whom_no_thread_can_be_made_is_told() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    for _ in 0..ROUNDS {
        listen_together()?;
    }
    Ok(())
}

/// So many times two threads listen at once: in most rounds both call the waiter.
const ROUNDS: usize = 50;

fn listen_together() -> Result<()> {
    let device = syncpoint::vulkan::open(0)?;
    let (first, second, buffer) = (device.stream()?, device.stream()?, device.buffer(LARGE)?);
    warm(&first)?;
    // Nobody sees an end before both listen.
    let (function, code) = ("vkGetSemaphoreCounterValue", vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    faulty::plan([Fault { function, first: 1, times: u64::MAX, code }]);
    first.fill(&buffer, 0..LARGE, 1)?;
    second.fill(&buffer, 0..LARGE, 2)?;
    let ((sender, told), both) = (channel(), Barrier::new(2));
    let listen = |point: Point| {
        let sender = sender.clone();
        both.wait();
        point.notify(move |outcome| patience::say(&sender, outcome)).map(drop)
    };
    let (end, beside) = (first.record()?, second.record()?);
    thread::scope(|scope| {
        let secluded = scope.spawn(|| {
            refuse_new_threads();
            listen(end)
        });
        listen(beside)?;
        secluded.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    faulty::plan(None);
    patience::heard(&told, "one end")?;
    patience::heard(&told, "the other")
}

/// Who serves streams refuses new threads, one after the other, until no one is left to make the delay's.
#[test]
fn a_delay_that_no_thread_can_end_fails_its_stream() {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return;
    }
    patience::until("a worker that makes no threads", || {
        let outcome = syncpoint::vulkan::open(0).and_then(|device| {
            let stream = device.stream()?;
            stream.enqueue(refuse_new_threads)?;
            stream.delay(Duration::from_millis(1))?;
            stream.record()?.synchronize_timeout(patience::PATIENCE)
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
