//! What calls say once a kernel has stored where no memory is.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::{Question, yes};
use crate::answer::{Asked, Unasked};
use crate::driver::{Address, Code, Context, Driver, Event, Mark, Stream};
use crate::session::Session;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "broken.stream_synchronize",
        asks: "what does cuStreamSynchronize say of the stream of the kernel?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let stream = session.stream()?;
            driver.fault(&stream)?.needed()?;
            driver.stream_synchronize(&stream)?.told()
        },
    },
    Question {
        name: "broken.event_query",
        asks: "what does cuEventQuery say of an event that had come before?",
        ask: |driver| {
            let event = Session::begin(driver)?.come_event()?;
            broken(driver)?;
            driver.event_query(&event)?.told()
        },
    },
    Question {
        name: "broken.other_stream",
        asks: "what does cuStreamQuery say of another stream of the context?",
        ask: |driver| {
            let stream = Session::begin(driver)?.stream()?;
            broken(driver)?;
            driver.stream_query(&stream)?.told()
        },
    },
    Question {
        name: "broken.event_create",
        asks: "what does cuEventCreate say?",
        ask: |driver| {
            broken(driver)?;
            driver.event_create(&mut Event::default(), 0)?.told()
        },
    },
    Question {
        name: "broken.event_destroy",
        asks: "what does cuEventDestroy say?",
        ask: |driver| {
            let event = Session::begin(driver)?.event()?;
            broken(driver)?;
            driver.event_destroy(event)?.told()
        },
    },
    Question {
        name: "broken.memory",
        asks: "what does cuMemAlloc say?",
        ask: |driver| {
            broken(driver)?;
            let mut address = Address::NULL;
            driver.memory_allocate(&mut address, 4096)?.told()
        },
    },
    Question {
        name: "broken.current_context",
        asks: "what does cuCtxGetCurrent say?",
        ask: |driver| {
            broken(driver)?;
            let mut context = Context::NONE;
            driver.context_current(&mut context)?.told()
        },
    },
    Question {
        name: "broken.host_function",
        asks: "is a host function run that was enqueued behind the kernel?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, mark) = (session.stream()?, Mark::default());
            let gate = session.hold(&stream)?;
            driver.fault(&stream)?.needed()?;
            driver.host_function(&stream, mark.work())?.needed()?;
            gate.open();
            driver.stream_synchronize(&stream)?;
            Ok(yes(mark.is_left()))
        },
    },
    Question {
        name: "broken.callback",
        asks: "which status is a callback given that was enqueued behind the kernel?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, (status, told)) = (session.stream()?, channel());
            let gate = session.hold(&stream)?;
            driver.fault(&stream)?.needed()?;
            let tell = move |code: Code| status.send(code).unwrap_or_default();
            driver.callback(&stream, tell)?.needed()?;
            gate.open();
            let late = |_| Unasked::Refused("the callback is not called".to_owned());
            Ok(told.recv_timeout(Duration::from_secs(8)).map_err(late)?.to_string())
        },
    },
];

/// Breaks the context of the first device, and waits until it says so.
fn broken(driver: &'static Driver) -> Asked<()> {
    breaks(Session::begin(driver)?)
}

/// The same of the context that is current.
pub(super) fn breaks(session: Session) -> Asked<()> {
    let (driver, stream): (_, Stream) = (session.driver, session.stream()?);
    driver.fault(&stream)?.needed()?;
    let deadline = Instant::now() + Duration::from_secs(8);
    while matches!(driver.stream_query(&stream)?.code, Code::NOT_READY | Code::SUCCESS) {
        if Instant::now() > deadline {
            return Err(Unasked::Refused("the context does not break".to_owned()));
        }
        std::thread::yield_now();
    }
    Ok(())
}
