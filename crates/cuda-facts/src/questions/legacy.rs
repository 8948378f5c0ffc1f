//! The legacy stream and the per-thread streams: whom they order, and whom they leave alone.

use super::Question;
use crate::answer::Asked;
use crate::driver::{Driver, Gate, Stream};
use crate::session::{Session, on_another_thread};

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "legacy.waits_for_blocking",
        asks: "does the legacy stream wait for a blocking stream?",
        ask: |driver| {
            let (session, gate) = held(driver, Session::blocking_stream)?;
            session.waits(&session.tail(&Stream::LEGACY)?, &gate)
        },
    },
    Question {
        name: "legacy.blocking_waits_for_it",
        asks: "does a blocking stream wait for the legacy stream?",
        ask: |driver| {
            let (session, gate) = held(driver, |_| Ok(Stream::LEGACY))?;
            session.waits(&session.tail(&session.blocking_stream()?)?, &gate)
        },
    },
    Question {
        name: "legacy.joins_blocking_streams",
        asks: "does a blocking stream wait for another through a record on the legacy stream?",
        ask: |driver| {
            let (session, gate) = held(driver, Session::blocking_stream)?;
            session.tail(&Stream::LEGACY)?;
            session.waits(&session.tail(&session.blocking_stream()?)?, &gate)
        },
    },
    Question {
        name: "legacy.blocking_streams_alone",
        asks: "does a blocking stream wait for another with nothing on the legacy stream?",
        ask: |driver| {
            let (session, _gate) = held(driver, Session::blocking_stream)?;
            session.goes_on(&session.tail(&session.blocking_stream()?)?)
        },
    },
    Question {
        name: "legacy.leaves_non_blocking",
        asks: "does the legacy stream wait for a stream that is not blocking?",
        ask: |driver| {
            let (session, _gate) = held(driver, Session::stream)?;
            session.goes_on(&session.tail(&Stream::LEGACY)?)
        },
    },
    Question {
        name: "legacy.non_blocking_leaves_it",
        asks: "does a stream that is not blocking wait for the legacy stream?",
        ask: |driver| {
            let (session, _gate) = held(driver, |_| Ok(Stream::LEGACY))?;
            session.goes_on(&session.tail(&session.stream()?)?)
        },
    },
    Question {
        name: "legacy.null_is_legacy",
        asks: "does the null stream wait for the legacy stream?",
        ask: |driver| {
            let (session, gate) = held(driver, |_| Ok(Stream::LEGACY))?;
            session.waits(&session.tail(&Stream::NULL)?, &gate)
        },
    },
    Question {
        name: "legacy.one_for_each_context",
        asks: "does the legacy stream wait for that of another context?",
        ask: |driver| {
            let (session, _gate) = held(driver, |_| Ok(Stream::LEGACY))?;
            let tail = || session.goes_on(&session.tail(&Stream::LEGACY)?);
            session.within(session.other_context()?, tail)
        },
    },
    Question {
        name: "per_thread.waits_for_legacy",
        asks: "does the per-thread stream wait for the legacy stream?",
        ask: |driver| {
            let (session, gate) = held(driver, |_| Ok(Stream::LEGACY))?;
            session.waits(&session.tail(&Stream::PER_THREAD)?, &gate)
        },
    },
    Question {
        name: "per_thread.leaves_another",
        asks: "does the per-thread stream wait for that of another thread?",
        ask: |driver| {
            let (session, _gate) = held(driver, |_| Ok(Stream::PER_THREAD))?;
            on_another_thread(|| {
                driver.context_set(session.context)?.needed()?;
                session.goes_on(&session.tail(&Stream::PER_THREAD)?)
            })
        },
    },
];

/// A session in which a stream is held back.
fn held(
    driver: &'static Driver,
    stream: impl FnOnce(Session) -> Asked<Stream>,
) -> Asked<(Session, Gate)> {
    let session = Session::begin(driver)?;
    let gate = session.hold(&stream(session)?)?;
    Ok((session, gate))
}
