//! Times: which code each misuse of elapsed time gets, and what the time is where there is one.

use super::{Question, yes};
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
        name: "elapsed.v2.same",
        asks: "does cuEventElapsedTime_v2 give the same float as cuEventElapsedTime?",
        ask: |driver| {
            let ((start, _, end), [mut elder, mut newer]) = (three(driver)?, [f32::NAN; 2]);
            driver.elapsed(&mut elder, &start, &end)?.needed()?;
            driver.elapsed_v2(&mut newer, &start, &end)?.needed()?;
            Ok(yes(elder.to_bits() == newer.to_bits()))
        },
    },
    Question {
        name: "elapsed.steps.nanoseconds",
        asks: "is each of 100 short spans the float next to a whole number of nanoseconds?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let stream = session.stream()?;
            let start = come(session)?;
            let is_whole = (0..100).map(|_| {
                let end = session.timed_event()?;
                session.record(&end, &stream)?;
                session.settle(&end)?;
                Ok(is_next_to_a_nanosecond(span(driver, &start, &end)?))
            });
            Ok(yes(is_whole.collect::<Asked<Vec<bool>>>()?.into_iter().all(|whole| whole)))
        },
    },
    Question {
        name: "elapsed.steps.sum",
        asks: "is a span the sum of its two parts, but for half a step of each float?",
        ask: |driver| {
            let (start, middle, end) = three(driver)?;
            let whole = span(driver, &start, &end)?;
            let parts = [span(driver, &start, &middle)?, span(driver, &middle, &end)?];
            let sum: f64 = parts.into_iter().map(f64::from).sum();
            let steps: f64 = [whole, parts[0], parts[1]].into_iter().map(step).sum();
            Ok(yes((f64::from(whole) - sum).abs() <= steps / 2.0))
        },
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

/// Three timed events, with host work of 2 ms between each two of them.
fn three(driver: &'static Driver) -> Asked<(Event, Event, Event)> {
    let session = Session::begin(driver)?;
    let stream = session.stream()?;
    let recorded = || {
        let event = session.timed_event()?;
        session.record(&event, &stream)?;
        Ok(event)
    };
    let start = recorded()?;
    driver.host_function(&stream, work)?.needed()?;
    let middle = recorded()?;
    driver.host_function(&stream, work)?.needed()?;
    let end = recorded()?;
    session.settle(&end)?;
    Ok((start, middle, end))
}

/// Milliseconds.
fn span(driver: &'static Driver, start: &Event, end: &Event) -> Asked<f32> {
    let mut milliseconds = f32::NAN;
    driver.elapsed(&mut milliseconds, start, end)?.needed()?;
    Ok(milliseconds)
}

/// How far the next float is.
fn step(milliseconds: f32) -> f64 {
    f64::from(milliseconds.next_up()) - f64::from(milliseconds)
}

/// Whether a float of milliseconds is what a whole number of nanoseconds becomes. Of spans over 8 ms each is, since the
/// floats are further apart than that.
fn is_next_to_a_nanosecond(milliseconds: f32) -> bool {
    let nanoseconds = (f64::from(milliseconds) * 1e6).round();
    #[expect(clippy::cast_possible_truncation, reason = "it is to be the next float")]
    let next = (nanoseconds / 1e6) as f32;
    (f64::from(next) - f64::from(milliseconds)).abs() <= step(milliseconds)
}

fn sign(time: f32) -> &'static str {
    match time.partial_cmp(&0.0) {
        Some(std::cmp::Ordering::Less) => "negative",
        Some(std::cmp::Ordering::Equal) => "zero",
        Some(std::cmp::Ordering::Greater) => "positive",
        None => "no number",
    }
}
