//! What is forbidden while a stream captures: to whom, in which mode, and what becomes of the capture.

use super::Question;
use super::capture::{GLOBAL, RELAXED, THREAD_LOCAL, capturing, with_status};
use crate::answer::Asked;
use crate::driver::{Address, Context, Driver, Event, Graph, Said, Stream};
use crate::session::{Session, on_another_thread};

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "capturing.stream_query",
        asks: "what does cuStreamQuery say of a stream that captures, and what is the capture then?",
        ask: |driver| {
            let (_, stream) = capturing(driver, RELAXED)?;
            let said = driver.stream_query(&stream)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capturing.stream_synchronize",
        asks: "what does cuStreamSynchronize say of it, and what is the capture then?",
        ask: |driver| {
            let (_, stream) = capturing(driver, RELAXED)?;
            let said = driver.stream_synchronize(&stream)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capturing.stream_id",
        asks: "what does cuStreamGetId say of it, and what is the capture then?",
        ask: |driver| {
            let (_, stream) = capturing(driver, RELAXED)?;
            let said = driver.stream_id(&stream, &mut 0)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capturing.stream_context",
        asks: "what does cuStreamGetCtx say of it, and what is the capture then?",
        ask: |driver| {
            let (_, stream) = capturing(driver, RELAXED)?;
            let mut context = Context::NONE;
            let said = driver.stream_context(&stream, &mut context)?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capturing.callback",
        asks: "what does cuStreamAddCallback say of it, and what is the capture then?",
        ask: |driver| {
            let (_, stream) = capturing(driver, RELAXED)?;
            let said = driver.callback(&stream, |_| ())?;
            with_status(driver, said, &stream)
        },
    },
    Question {
        name: "capturing.invalidated.record",
        asks: "what does cuEventRecord say in a capture that is invalidated?",
        ask: |driver| {
            let (session, stream) = invalidated(driver)?;
            driver.event_record(&session.event()?, &stream)?.told()
        },
    },
    Question {
        name: "capturing.invalidated.end",
        asks: "what does cuStreamEndCapture say of a capture that is invalidated, what is it then, and is there a graph?",
        ask: |driver| {
            let (_, stream) = invalidated(driver)?;
            let mut graph = Graph::default();
            let said = driver.capture_end(&stream, &mut graph)?;
            let found = if graph.is_null() { "no graph" } else { "a graph" };
            Ok(format!("{}, {found}", with_status(driver, said, &stream)?))
        },
    },
    Question {
        name: "capturing.mode_of_a_thread",
        asks: "which mode has a thread that nobody gave one?",
        ask: |driver| {
            let mut mode = RELAXED;
            Session::begin(driver)?;
            driver.capture_mode(&mut mode)?.needed()?;
            Ok(["global", "thread-local", "relaxed"]
                .get(usize::try_from(mode).unwrap_or(usize::MAX))
                .map_or_else(|| mode.to_string(), |name| (*name).to_owned()))
        },
    },
    Question {
        name: "capturing.allocate.same_thread",
        asks: "what does cuMemAlloc say on the thread of a global capture?",
        ask: |driver| here(driver, GLOBAL, allocate),
    },
    Question {
        name: "capturing.allocate.same_thread_relaxed",
        asks: "what does it say there once the thread has made itself relaxed?",
        ask: |driver| here(driver, GLOBAL, |driver| relaxed(driver, allocate)),
    },
    Question {
        name: "capturing.allocate.in_a_relaxed_capture",
        asks: "what does cuMemAlloc say on the thread of a relaxed capture?",
        ask: |driver| here(driver, RELAXED, allocate),
    },
    Question {
        name: "capturing.allocate.other_thread",
        asks: "what does cuMemAlloc say on another thread during a global capture?",
        ask: |driver| there(driver, GLOBAL, allocate),
    },
    Question {
        name: "capturing.allocate.other_thread_of_local",
        asks: "what does it say there during a thread-local capture?",
        ask: |driver| there(driver, THREAD_LOCAL, allocate),
    },
    Question {
        name: "capturing.context_synchronize.other_thread",
        asks: "what does cuCtxSynchronize say on another thread during a thread-local capture?",
        ask: |driver| there(driver, THREAD_LOCAL, Driver::context_synchronize),
    },
    Question {
        name: "capturing.event_query.same_thread",
        asks: "what does cuEventQuery say on the thread of a global capture, of an event outside it?",
        ask: |driver| {
            let event = Session::begin(driver)?.come_event()?;
            here(driver, GLOBAL, move |driver| driver.event_query(&event))
        },
    },
    Question {
        name: "capturing.event_query.other_thread",
        asks: "what does cuEventQuery say on another thread, of an event outside the global capture?",
        ask: |driver| {
            let event = Session::begin(driver)?.come_event()?;
            there(driver, GLOBAL, move |driver| driver.event_query(&event))
        },
    },
    Question {
        name: "capturing.event_query.other_thread_relaxed",
        asks: "what does it say there once that thread has made itself relaxed?",
        ask: |driver| {
            let event = Session::begin(driver)?.come_event()?;
            let query = move |driver: &'static Driver| driver.event_query(&event);
            there(driver, GLOBAL, |driver| relaxed(driver, query))
        },
    },
    Question {
        name: "capturing.event_create",
        asks: "what does cuEventCreate say on the thread of a global capture?",
        ask: |driver| here(driver, GLOBAL, |driver| driver.event_create(&mut Event::default(), 0)),
    },
    Question {
        name: "capturing.event_destroy",
        asks: "what does cuEventDestroy say on the thread of a global capture?",
        ask: |driver| {
            let event = Session::begin(driver)?.event()?;
            here(driver, GLOBAL, move |driver| driver.event_destroy(event))
        },
    },
    Question {
        name: "capturing.legacy_record",
        asks: "what does a record on the legacy stream say while a blocking stream captures, and what is the capture then?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.blocking_stream()?, session.event()?);
            driver.capture_begin(&stream, RELAXED)?.needed()?;
            let said = driver.event_record(&event, &Stream::LEGACY)?;
            with_status(driver, said, &stream)
        },
    },
];

/// A capture that a query of its stream has invalidated.
fn invalidated(driver: &'static Driver) -> Asked<(Session, Stream)> {
    let (session, stream) = capturing(driver, RELAXED)?;
    driver.stream_synchronize(&stream)?;
    Ok((session, stream))
}

/// What a call says on the thread that captures, and what the capture is then.
fn here(
    driver: &'static Driver,
    mode: i32,
    call: impl FnOnce(&'static Driver) -> Asked<Said>,
) -> Asked<String> {
    let (_, stream) = capturing(driver, mode)?;
    let said = call(driver)?;
    with_status(driver, said, &stream)
}

/// The same on another thread.
fn there(
    driver: &'static Driver,
    mode: i32,
    call: impl FnOnce(&'static Driver) -> Asked<Said> + Send,
) -> Asked<String> {
    let (session, stream) = capturing(driver, mode)?;
    let said = on_another_thread(|| {
        driver.context_set(session.context)?.needed()?;
        call(driver)
    })?;
    with_status(driver, said, &stream)
}

/// What a call says on a thread that has made itself relaxed.
fn relaxed(
    driver: &'static Driver,
    call: impl FnOnce(&'static Driver) -> Asked<Said>,
) -> Asked<Said> {
    let mut mode = RELAXED;
    driver.capture_mode(&mut mode)?.needed()?;
    let said = call(driver)?;
    driver.capture_mode(&mut mode)?.needed()?;
    Ok(said)
}

fn allocate(driver: &'static Driver) -> Asked<Said> {
    let mut address = Address::NULL;
    driver.memory_allocate(&mut address, 4096)
}
