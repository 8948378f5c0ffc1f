//! A reset: what the driver says of objects of a primary context that somebody has reset.

use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Driver, Event};
use crate::session::Session;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "reset.while_retained",
        asks: "what does cuDevicePrimaryCtxReset say while the context is retained?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            driver.primary_reset(session.device)?.told()
        },
    },
    Question {
        name: "reset.stream",
        asks: "what does cuStreamQuery say of a stream of before?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let stream = session.stream()?;
            reset(session)?;
            driver.stream_query(&stream)?.told()
        },
    },
    Question {
        name: "reset.event",
        asks: "what does cuEventQuery say of an event of before, which had come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let event = session.come_event()?;
            reset(session)?;
            driver.event_query(&event)?.told()
        },
    },
    Question {
        name: "reset.record",
        asks: "what does cuEventRecord say of a stream and an event of before?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.event()?);
            reset(session)?;
            driver.event_record(&event, &stream)?.told()
        },
    },
    Question {
        name: "reset.event_create",
        asks: "what does cuEventCreate say where the context is still current?",
        ask: |driver| {
            reset(Session::begin(driver)?)?;
            driver.event_create(&mut Event::default(), 0)?.told()
        },
    },
    Question {
        name: "reset.retained_anew",
        asks: "does a stream of the context come once it is retained and made current anew?",
        ask: retained_anew,
    },
];

fn reset(session: Session) -> Asked<()> {
    session.driver.primary_reset(session.device)?.needed()
}

fn retained_anew(driver: &'static Driver) -> Asked<String> {
    reset(Session::begin(driver)?)?;
    let anew = Session::begin(driver)?;
    let event = anew.tail(&anew.stream()?)?;
    anew.settle(&event)?;
    Ok(yes(true))
}
