//! Waits of streams: what they hold back, and to which record they are pinned.

use super::Question;
use super::event::EXTERNAL;
use crate::driver::{Driver, Event};
use crate::session::Session;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "wait.pending",
        asks: "does a stream wait for a pending event?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, gate) = session.pending_event()?;
            let stream = session.stream()?;
            session.wait(&stream, &event)?;
            session.waits(&session.tail(&stream)?, &gate)
        },
    },
    Question {
        name: "wait.never_recorded",
        asks: "does a stream wait for an event that was never recorded?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let stream = session.stream()?;
            session.wait(&stream, &session.event()?)?;
            session.goes_on(&session.tail(&stream)?)
        },
    },
    Question {
        name: "wait.before_the_record",
        asks: "does a stream wait for what is recorded after the wait, in an event new until then?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.event()?);
            session.wait(&stream, &event)?;
            let (held, _gate) = session.held_stream()?;
            session.record(&event, &held)?;
            session.goes_on(&session.tail(&stream)?)
        },
    },
    Question {
        name: "wait.pinned.not_delayed",
        asks: "does a stream wait for what is recorded after the wait, in an event that had come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.come_event()?);
            session.wait(&stream, &event)?;
            let (held, _gate) = session.held_stream()?;
            session.record(&event, &held)?;
            session.goes_on(&session.tail(&stream)?)
        },
    },
    Question {
        name: "wait.pinned.not_satisfied",
        asks: "does a stream still wait for the first record after a second one has come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, gate) = session.pending_event()?;
            let (stream, idle) = (session.stream()?, session.stream()?);
            session.wait(&stream, &event)?;
            session.record(&event, &idle)?;
            session.settle(&event)?;
            session.waits(&session.tail(&stream)?, &gate)
        },
    },
    Question {
        name: "wait.holds_back_no_other",
        asks: "does a stream go on beside one that waits?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, _gate) = session.pending_event()?;
            let (waiting, beside) = (session.stream()?, session.stream()?);
            session.wait(&waiting, &event)?;
            session.goes_on(&session.tail(&beside)?)
        },
    },
    Question {
        name: "wait.other_context",
        asks: "does a stream wait for a pending event of another context?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, gate) = session.pending_event()?;
            session.within(session.other_context()?, || {
                let stream = session.stream()?;
                session.wait(&stream, &event)?;
                session.waits(&session.tail(&stream)?, &gate)
            })
        },
    },
    Question {
        name: "wait.other_device",
        asks: "does a stream wait for a pending event of another device?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, gate) = session.pending_event()?;
            let other = Session::on(driver, 1)?;
            let stream = other.stream()?;
            other.wait(&stream, &event)?;
            other.waits(&other.tail(&stream)?, &gate)
        },
    },
    Question {
        name: "wait.null",
        asks: "what does cuStreamWaitEvent say of no event?",
        ask: |driver: &'static Driver| {
            let session = Session::begin(driver)?;
            driver.stream_wait(&session.stream()?, &Event::default(), 0)?.told()
        },
    },
    Question {
        name: "wait.external",
        asks: "what does cuStreamWaitEvent say of an external wait outside a capture?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, stream) = (session.come_event()?, session.stream()?);
            driver.stream_wait(&stream, &event, EXTERNAL)?.told()
        },
    },
];
