//! Host functions: when they run, and what they may do.

use std::sync::mpsc::channel;
use std::time::Duration;

use super::{Question, yes};
use crate::answer::{Asked, Unasked};
use crate::driver::{Code, Driver, Event, Mark};
use crate::session::Session;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "host.runs_in_order",
        asks: "has a host function run when an event recorded behind it has come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, mark) = (session.stream()?, Mark::default());
            driver.host_function(&stream, mark.work())?.needed()?;
            session.drain(&stream)?;
            Ok(yes(mark.is_left()))
        },
    },
    Question {
        name: "host.holds_back_its_stream",
        asks: "does an event recorded behind a host function wait for its end?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, gate) = session.pending_event()?;
            session.waits(&event, &gate)
        },
    },
    Question {
        name: "host.creates_an_event",
        asks: "what does cuEventCreate say within a host function?",
        ask: |driver| {
            from_within(driver, |driver| driver.event_create(&mut Event::default(), 0)?.told())
        },
    },
    Question {
        name: "host.queries_an_event",
        asks: "what does cuEventQuery say within a host function?",
        ask: |driver| {
            let event = Session::begin(driver)?.come_event()?;
            from_within(driver, move |driver| driver.event_query(&event)?.told())
        },
    },
    Question {
        name: "callback.status",
        asks: "which status is a callback given behind work that succeeded?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (status, told) = channel();
            let tell = move |code: Code| status.send(code).unwrap_or_default();
            driver.callback(&session.stream()?, tell)?.needed()?;
            let late = |_| Unasked::Refused("the callback is not called".to_owned());
            Ok(told.recv_timeout(Duration::from_secs(8)).map_err(late)?.to_string())
        },
    },
];

/// What is answered within a host function.
fn from_within(
    driver: &'static Driver,
    ask: impl Fn(&'static Driver) -> Asked<String> + Send + Sync + 'static,
) -> Asked<String> {
    let session = Session::begin(driver)?;
    let (answer, told) = channel();
    let tell = move || answer.send(ask(driver)).unwrap_or_default();
    driver.host_function(&session.stream()?, tell)?.needed()?;
    let late = |_| Unasked::Refused("the host function does not come to its end".to_owned());
    told.recv_timeout(Duration::from_secs(8)).map_err(late)?
}
