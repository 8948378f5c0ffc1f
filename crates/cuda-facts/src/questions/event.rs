//! Events: never recorded, recorded again, destroyed while pending, and what the calls say of their misuse.

use std::sync::mpsc::channel;
use std::time::Duration;

use super::Question;
use crate::answer::{Asked, Unasked};
use crate::driver::{Driver, Event};
use crate::session::{DISABLE_TIMING, Session, on_another_thread};

const INTERPROCESS: u32 = 4;
/// Of a record and of a wait: as a node of the graph that is captured.
pub(super) const EXTERNAL: u32 = 1;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "event.never_recorded.query",
        asks: "what does cuEventQuery say of an event that was never recorded?",
        ask: |driver| driver.event_query(&Session::begin(driver)?.event()?)?.told(),
    },
    Question {
        name: "event.never_recorded.synchronize",
        asks: "what does cuEventSynchronize say of an event that was never recorded?",
        ask: |driver| driver.event_synchronize(&Session::begin(driver)?.event()?)?.told(),
    },
    Question {
        name: "event.recorded_again.pending",
        asks: "what does cuEventQuery say of an event that had come and was recorded again?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, _gate) = session.held_stream()?;
            let event = session.come_event()?;
            session.record(&event, &stream)?;
            driver.event_query(&event)?.told()
        },
    },
    Question {
        name: "event.recorded_again.elsewhere",
        asks: "does an event come that was pending and was recorded again where nothing holds it?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, _gate) = session.pending_event()?;
            session.record(&event, &session.stream()?)?;
            session.goes_on(&event)
        },
    },
    Question {
        name: "event.synchronize.waits",
        asks: "does cuEventSynchronize wait for a pending event, and what does it say then?",
        ask: synchronize_waits,
    },
    Question {
        name: "event.destroy.pending",
        asks: "what does cuEventDestroy say of a pending event?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, _gate) = session.pending_event()?;
            driver.event_destroy(event)?.told()
        },
    },
    Question {
        name: "event.destroy.awaited",
        asks: "does a stream still wait for a pending event that was destroyed?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, gate) = session.pending_event()?;
            let stream = session.stream()?;
            session.wait(&stream, &event)?;
            driver.event_destroy(event)?.needed()?;
            session.waits(&session.tail(&stream)?, &gate)
        },
    },
    Question {
        name: "event.null.query",
        asks: "what does cuEventQuery say of no event?",
        ask: |driver| {
            Session::begin(driver)?;
            driver.event_query(&Event::default())?.told()
        },
    },
    Question {
        name: "event.flags.unknown",
        asks: "what does cuEventCreate say of a flag that does not exist?",
        ask: |driver| create(driver, 0x100),
    },
    Question {
        name: "event.flags.timed_interprocess",
        asks: "what does cuEventCreate say of an event for other processes that has times?",
        ask: |driver| create(driver, INTERPROCESS),
    },
    Question {
        name: "event.flags.interprocess",
        asks: "what does cuEventCreate say of an event for other processes without times?",
        ask: |driver| create(driver, INTERPROCESS | DISABLE_TIMING),
    },
    Question {
        name: "event.no_context.create",
        asks: "what does cuEventCreate say where no context is current?",
        ask: |driver| {
            Session::begin(driver)?;
            on_another_thread(|| driver.event_create(&mut Event::default(), 0)?.told())
        },
    },
    Question {
        name: "event.no_context.query",
        asks: "what does cuEventQuery say where no context is current?",
        ask: |driver| {
            let event = Session::begin(driver)?.come_event()?;
            on_another_thread(|| driver.event_query(&event)?.told())
        },
    },
    Question {
        name: "event.no_context.record",
        asks: "what does cuEventRecord say, given a stream, where no context is current?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, stream) = (session.event()?, session.stream()?);
            on_another_thread(|| driver.event_record(&event, &stream)?.told())
        },
    },
    Question {
        name: "event.other_context.record",
        asks: "what does cuEventRecord say of an event and a stream of two contexts?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let stream = session.stream()?;
            let event = session.within(session.other_context()?, || session.event())?;
            driver.event_record(&event, &stream)?.told()
        },
    },
    Question {
        name: "event.other_context.query",
        asks: "what does cuEventQuery say while another context is current?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let event = session.come_event()?;
            session.within(session.other_context()?, || driver.event_query(&event)?.told())
        },
    },
    Question {
        name: "event.external.record",
        asks: "what does cuEventRecordWithFlags say of an external record outside a capture?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, stream) = (session.event()?, session.stream()?);
            driver.event_record_with_flags(&event, &stream, EXTERNAL)?.told()
        },
    },
];

fn create(driver: &'static Driver, flags: u32) -> Asked<String> {
    Session::begin(driver)?;
    driver.event_create(&mut Event::default(), flags)?.told()
}

fn synchronize_waits(driver: &'static Driver) -> Asked<String> {
    let session = Session::begin(driver)?;
    let (event, gate) = session.pending_event()?;
    let (returned, has_returned) = channel();
    let wait = || {
        driver.context_set(session.context)?.needed()?;
        driver.event_synchronize(&event)
    };
    std::thread::scope(|scope| {
        scope.spawn(move || returned.send(wait()));
        let early = has_returned.recv_timeout(Duration::from_millis(100));
        gate.open();
        if let Ok(said) = early {
            return Ok(format!("{} at once", said?.code));
        }
        let died = |_| Unasked::Refused("the other thread died".to_owned());
        Ok(format!("waits, {}", has_returned.recv().map_err(died)??.code))
    })
}
