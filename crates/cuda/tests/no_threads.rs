//! No room for threads: a poller that could not be made is made for whoever waits next. Alone in the process, which has one.

#![cfg(target_os = "linux")]

mod fake;

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use syncpoint::{EventOptions, Kind, Result, Stream};
use syncpoint_conformance::patience;
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
        stream.delay(patience::PATIENCE)?;
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
        stream.record()?.synchronize_timeout(patience::PATIENCE)
    });
}
