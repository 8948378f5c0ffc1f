//! Capture: how it begins and ends, what becomes of events recorded in it, and how other streams join.

use super::event::EXTERNAL;
use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Driver, Event, Executable, Graph, Mark, Said, Stream};
use crate::session::{Session, on_another_thread};

pub(super) const GLOBAL: i32 = 0;
pub(super) const THREAD_LOCAL: i32 = 1;
pub(super) const RELAXED: i32 = 2;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "capture.begin.legacy",
        asks: "what does cuStreamBeginCapture say of the legacy stream?",
        ask: |driver| {
            Session::begin(driver)?;
            driver.capture_begin(&Stream::LEGACY, RELAXED)?.told()
        },
    },
    Question {
        name: "capture.begin.twice",
        asks: "what does it say of a stream that captures already, and what is the capture then?",
        ask: |driver| {
            let (_, stream) = capturing(driver, RELAXED)?;
            let said = driver.capture_begin(&stream, RELAXED)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capture.end.never_begun",
        asks: "what does cuStreamEndCapture say of a stream that does not capture?",
        ask: |driver| {
            let stream = Session::begin(driver)?.stream()?;
            driver.capture_end(&stream, &mut Graph::default())?.told()
        },
    },
    Question {
        name: "capture.end.another_thread",
        asks: "what does cuStreamEndCapture say on another thread than began it, thread-local?",
        ask: |driver| end_elsewhere(driver, THREAD_LOCAL),
    },
    Question {
        name: "capture.end.another_thread_relaxed",
        asks: "what does it say there of a relaxed capture?",
        ask: |driver| end_elsewhere(driver, RELAXED),
    },
    Question {
        name: "capture.work_waits_for_a_launch",
        asks: "has a captured host function run before its graph is launched, and afterwards?",
        ask: launched,
    },
    Question {
        name: "capture.event.query",
        asks: "what does cuEventQuery say of an event recorded in a capture, and what is the capture then?",
        ask: |driver| {
            let (_, stream, event) = captured_event(driver)?;
            let said = driver.event_query(&event)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capture.event.synchronize",
        asks: "what does cuEventSynchronize say of it, and what is the capture then?",
        ask: |driver| {
            let (_, stream, event) = captured_event(driver)?;
            let said = driver.event_synchronize(&event)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capture.event.after_the_end",
        asks: "what does cuEventQuery say of it once the capture has ended?",
        ask: |driver| {
            let (_, stream, event) = captured_event(driver)?;
            driver.capture_end(&stream, &mut Graph::default())?.needed()?;
            driver.event_query(&event)?.told()
        },
    },
    Question {
        name: "capture.event.elapsed_after_the_end",
        asks: "what does cuEventElapsedTime say of two of them once the capture has ended?",
        ask: |driver| {
            let (session, stream) = capturing(driver, RELAXED)?;
            let (start, end) = (session.timed_event()?, session.timed_event()?);
            session.record(&start, &stream)?;
            session.record(&end, &stream)?;
            driver.capture_end(&stream, &mut Graph::default())?.needed()?;
            driver.elapsed(&mut 0.0, &start, &end)?.told()
        },
    },
    Question {
        name: "capture.event.recorded_again",
        asks: "what does cuEventQuery say of it once it was recorded outside, and has come?",
        ask: |driver| {
            let (session, stream, event) = captured_event(driver)?;
            driver.capture_end(&stream, &mut Graph::default())?.needed()?;
            session.record(&event, &stream)?;
            session.settle(&event)?;
            driver.event_query(&event)?.told()
        },
    },
    Question {
        name: "capture.event.external",
        asks: "what does cuEventQuery say of an event that was recorded as an external one?",
        ask: |driver| {
            let (session, stream) = capturing(driver, RELAXED)?;
            let event = session.event()?;
            driver.event_record_with_flags(&event, &stream, EXTERNAL)?.needed()?;
            driver.event_query(&event)?.told()
        },
    },
    Question {
        name: "capture.wait.joins",
        asks: "does a stream capture that waits for an event recorded in a capture?",
        ask: |driver| {
            let (session, _stream, event) = captured_event(driver)?;
            let other = session.stream()?;
            session.wait(&other, &event)?;
            status(driver, &other)
        },
    },
    Question {
        name: "capture.wait.unjoined",
        asks: "what does cuStreamEndCapture say where such a stream was not joined again?",
        ask: |driver| {
            let (session, stream, event) = captured_event(driver)?;
            let other = session.stream()?;
            session.wait(&other, &event)?;
            driver.host_function(&other, || ())?.needed()?;
            driver.capture_end(&stream, &mut Graph::default())?.told()
        },
    },
    Question {
        name: "capture.wait.joined",
        asks: "what does it say where it was joined again?",
        ask: |driver| {
            let (session, stream, event) = captured_event(driver)?;
            let other = session.stream()?;
            session.wait(&other, &event)?;
            driver.host_function(&other, || ())?.needed()?;
            session.wait(&stream, &session.tail(&other)?)?;
            driver.capture_end(&stream, &mut Graph::default())?.told()
        },
    },
    Question {
        name: "capture.wait.from_outside",
        asks: "what does a wait say in a capture of a pending event recorded outside it?",
        ask: |driver| {
            let (session, stream) = capturing(driver, RELAXED)?;
            let (event, _gate) = session.pending_event()?;
            let said = driver.stream_wait(&stream, &event, 0)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capture.wait.of_another_capture",
        asks: "what does a wait say in a capture of an event recorded in another one?",
        ask: |driver| {
            let (session, _stream, event) = captured_event(driver)?;
            let other = session.stream()?;
            driver.capture_begin(&other, RELAXED)?.needed()?;
            let said = driver.stream_wait(&other, &event, 0)?;
            with_status(driver, said, &other)
        },
    },
];

/// A session with a stream that captures.
pub(super) fn capturing(driver: &'static Driver, mode: i32) -> Asked<(Session, Stream)> {
    let session = Session::begin(driver)?;
    let stream = session.stream()?;
    driver.capture_begin(&stream, mode)?.needed()?;
    Ok((session, stream))
}

/// The same with an event that was recorded in the capture.
fn captured_event(driver: &'static Driver) -> Asked<(Session, Stream, Event)> {
    let (session, stream) = capturing(driver, RELAXED)?;
    let event = session.tail(&stream)?;
    Ok((session, stream, event))
}

/// What was said, and what the capture of a stream is then.
pub(super) fn with_status(driver: &'static Driver, said: Said, stream: &Stream) -> Asked<String> {
    Ok(format!("{}, capture {}", said.code, status(driver, stream)?))
}

fn status(driver: &'static Driver, stream: &Stream) -> Asked<String> {
    let mut status = -1;
    driver.capture_status(stream, &mut status)?.needed()?;
    Ok(match status {
        0 => "none",
        1 => "active",
        2 => "invalidated",
        _ => "unknown",
    }
    .to_owned())
}

fn end_elsewhere(driver: &'static Driver, mode: i32) -> Asked<String> {
    let (session, stream) = capturing(driver, mode)?;
    on_another_thread(|| {
        driver.context_set(session.context)?.needed()?;
        driver.capture_end(&stream, &mut Graph::default())?.told()
    })
}

fn launched(driver: &'static Driver) -> Asked<String> {
    let (session, stream) = capturing(driver, RELAXED)?;
    let (mark, mut graph, mut executable) =
        (Mark::default(), Graph::default(), Executable::default());
    driver.host_function(&stream, mark.work())?.needed()?;
    driver.capture_end(&stream, &mut graph)?.needed()?;
    session.drain(&stream)?;
    let before = mark.is_left();
    driver.graph_instantiate(&mut executable, &graph, 0)?.needed()?;
    driver.graph_launch(&executable, &stream)?.needed()?;
    session.drain(&stream)?;
    Ok(format!("{}, {}", yes(before), yes(mark.is_left())))
}
