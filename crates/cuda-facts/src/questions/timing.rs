//! Times: which code each misuse of elapsed time gets, and what the time is where there is one.

use super::Question;
use crate::answer::Asked;
use crate::driver::{Driver, Event, Said};
use crate::session::Session;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "elapsed.never_recorded.start",
        asks: "what does cuEventElapsedTime say of a start that was never recorded?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            elapsed(driver, &session.timed_event()?, &come(session)?)?.told()
        },
    },
    Question {
        name: "elapsed.never_recorded.end",
        asks: "what does it say of an end that was never recorded?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            elapsed(driver, &come(session)?, &session.timed_event()?)?.told()
        },
    },
    Question {
        name: "elapsed.without_times",
        asks: "what does it say of events without times?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            elapsed(driver, &session.come_event()?, &session.come_event()?)?.told()
        },
    },
    Question {
        name: "elapsed.not_complete",
        asks: "what does it say of an end that has not come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (held, _gate) = session.held_stream()?;
            let end = session.timed_event()?;
            session.record(&end, &held)?;
            elapsed(driver, &come(session)?, &end)?.told()
        },
    },
    Question {
        name: "elapsed.not_complete_without_times",
        asks: "which code does an end get that has no times and has not come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (end, _gate) = session.pending_event()?;
            elapsed(driver, &come(session)?, &end)?.told()
        },
    },
    Question {
        name: "elapsed.not_complete_again",
        asks: "what does it say of a start that had come and was recorded again?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (start, end) = (come(session)?, come(session)?);
            let (held, _gate) = session.held_stream()?;
            session.record(&start, &held)?;
            elapsed(driver, &start, &end)?.told()
        },
    },
    Question {
        name: "elapsed.v2.without_times",
        asks: "what does cuEventElapsedTime_v2 say of events without times?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (start, end) = (session.come_event()?, session.come_event()?);
            driver.elapsed_v2(&mut 0.0, &start, &end)?.told()
        },
    },
    Question {
        name: "elapsed.v2.not_complete",
        asks: "what does cuEventElapsedTime_v2 say of an end that has not come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (held, _gate) = session.held_stream()?;
            let (start, end) = (come(session)?, session.timed_event()?);
            session.record(&end, &held)?;
            driver.elapsed_v2(&mut 0.0, &start, &end)?.told()
        },
    },
    Question {
        name: "elapsed.same_event",
        asks: "how long is it from an event to itself?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, mut time) = (come(session)?, f32::NAN);
            let said = driver.elapsed(&mut time, &event, &event)?;
            Ok(format!("{}, {}", said.code, sign(time)))
        },
    },
    Question {
        name: "elapsed.in_order",
        asks: "which sign has the time over host work of 2 ms?",
        ask: |driver| signed(driver, |start, end| (start, end)),
    },
    Question {
        name: "elapsed.reversed",
        asks: "which sign has it from the later event to the earlier one?",
        ask: |driver| signed(driver, |start, end| (end, start)),
    },
    Question {
        name: "elapsed.other_context",
        asks: "what does it say of events of two contexts?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let start = come(session)?;
            let end = session.within(session.other_context()?, || come(session))?;
            elapsed(driver, &start, &end)?.told()
        },
    },
    Question {
        name: "elapsed.other_device",
        asks: "what does it say of events of two devices?",
        ask: |driver| {
            let start = come(Session::begin(driver)?)?;
            let end = come(Session::on(driver, 1)?)?;
            elapsed(driver, &start, &end)?.told()
        },
    },
];

fn elapsed(driver: &'static Driver, start: &Event, end: &Event) -> Asked<Said> {
    driver.elapsed(&mut 0.0, start, end)
}

/// A timed event that has come.
fn come(session: Session) -> Asked<Event> {
    let (stream, event) = (session.stream()?, session.timed_event()?);
    session.record(&event, &stream)?;
    session.settle(&event)?;
    Ok(event)
}

fn signed(driver: &'static Driver, order: fn(Event, Event) -> (Event, Event)) -> Asked<String> {
    let session = Session::begin(driver)?;
    let (stream, first, second) =
        (session.stream()?, session.timed_event()?, session.timed_event()?);
    session.record(&first, &stream)?;
    driver.host_function(&stream, work)?.needed()?;
    session.record(&second, &stream)?;
    session.settle(&second)?;
    let ((start, end), mut time) = (order(first, second), f32::NAN);
    let said = driver.elapsed(&mut time, &start, &end)?;
    Ok(format!("{}, {}", said.code, sign(time)))
}

/// Host work of 2 ms, which computes.
fn work() {
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_millis(2) {
        std::hint::spin_loop();
    }
}

fn sign(time: f32) -> &'static str {
    match time.partial_cmp(&0.0) {
        Some(std::cmp::Ordering::Less) => "negative",
        Some(std::cmp::Ordering::Equal) => "zero",
        Some(std::cmp::Ordering::Greater) => "positive",
        None => "no number",
    }
}
