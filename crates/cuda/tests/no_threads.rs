//! No room for threads: a poller that could not be made is made for whoever waits next. Alone in the process, which has one.

#![cfg(target_os = "linux")]

mod fake;

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{EventOptions, Gate, Kind, Result, Stream};
use syncpoint_conformance::patience::{self, PATIENCE};
use syncpoint_conformance::secluded::refuse_new_threads;

use fake::Fake;

/// So long that it is not over when it is first asked for.
const LONG: Duration = Duration::from_millis(100);

/// The notifier, and whatever the driver makes for the first work, but nothing that waits for that.
fn warm(stream: &Stream) -> Result<()> {
    let (sender, told) = channel();
    let complete = syncpoint::open("host:0")?.stream()?.record()?;
    complete.notify(move |outcome| patience::say(&sender, outcome))?;
    patience::heard(&told, "the notifier")?;
    stream.delay(LONG)?;
    let point = stream.record()?;
    patience::until("the first work", || point.query().is_ok_and(|is_over| is_over));
    Ok(())
}

#[test]
fn a_poller_that_could_not_be_made_is_made_for_who_waits_next_for_the_same_stream() -> Result<()> {
    Fake::used();
    let stream = syncpoint::cuda::open(0)?.stream()?;
    warm(&stream)?;
    let (sender, told) = channel();
    thread::scope(|scope| {
        let secluded = scope.spawn(|| {
            refuse_new_threads();
            stream.delay(LONG)?;
            stream.record()?.notify(move |outcome| patience::say(&sender, outcome)).map(drop)
        });
        secluded.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let (sender, later) = channel();
    stream.delay(LONG)?;
    let _told = stream.record()?.notify(move |outcome| patience::say(&sender, outcome))?;
    patience::heard(&later, "the end that somebody could be made for")?;
    patience::heard(&told, "the end before")
}

#[test]
fn who_waits_for_an_event_without_points_is_told_that_nobody_finds_out_when_it_has_come() {
    let name =
        "who_waits_for_an_event_without_points_is_told_that_nobody_finds_out_when_it_has_come";
    Fake::alone(name, |_fake| {
        let device = syncpoint::cuda::open(0)?;
        let event = device.event_with(EventOptions::builder().external().build()?)?;
        let stream = device.stream()?;
        stream.delay(PATIENCE)?;
        event.record(&stream)?;
        let outcome = thread::scope(|scope| {
            let secluded = scope.spawn(|| {
                refuse_new_threads();
                event.synchronize_timeout(LONG)
            });
            secluded.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        patience::refused(outcome, Kind::Exhausted);
        Ok(())
    });
}

/// Somebody is there to keep its deadline; how far the device is nobody would hear.
#[test]
fn a_device_is_not_had_to_stand_where_nobody_would_hear_that_it_does() {
    let name = "a_device_is_not_had_to_stand_where_nobody_would_hear_that_it_does";
    Fake::alone(name, |_fake| {
        let device = syncpoint::cuda::builder().device_gates(PATIENCE * 3).open(0)?;
        let (first, second) = (device.stream()?, device.stream()?);
        let (gate, later) = (Gate::new(), Gate::new());
        syncpoint::cuda::expose(&first)?;
        syncpoint::cuda::expose(&second)?;
        first.wait(&gate.point())?;
        // It is there to the deadline of what it has seen to stand; the poller for ten seconds without work.
        patience::until("the thread that keeps deadlines", || is_there("syncpoint-gates"));
        thread::park_timeout(LONG * 5);
        gate.open()?;
        let begun = Instant::now();
        while is_there("syncpoint-cuda") && begun.elapsed() < PATIENCE * 2 {
            thread::park_timeout(LONG);
        }
        assert!(is_there("syncpoint-gates") && !is_there("syncpoint-cuda"));
        let outcome = thread::scope(|scope| {
            let secluded = scope.spawn(|| {
                refuse_new_threads();
                second.wait(&later.point())
            });
            secluded.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        patience::refused(outcome, Kind::Exhausted);
        first.record()?.synchronize_timeout(PATIENCE)
    });
}

/// Whether a thread of this name is in the process; the system keeps fifteen letters of it.
fn is_there(name: &str) -> bool {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.into_iter().any(|of_thread| of_thread.trim_end() == &name[..name.len().min(15)])
}

#[test]
fn what_a_thread_drops_as_it_unwinds_where_it_can_make_no_other_holds_up_nobody() {
    let name = "what_a_thread_drops_as_it_unwinds_where_it_can_make_no_other_holds_up_nobody";
    Fake::alone(name, |_fake| {
        let device = syncpoint::cuda::open(0)?;
        let dropped = device.stream()?;
        let unwinds = thread::spawn(move || {
            let _dropped = dropped;
            refuse_new_threads();
            panic!("on purpose");
        });
        patience::until("the end of the thread", || unwinds.is_finished());
        let stream = device.stream()?;
        stream.record()?.synchronize_timeout(PATIENCE)
    });
}
