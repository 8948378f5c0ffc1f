//! What calls say beside contexts that are gone or broken, and beside threads that wait inside the driver.

use std::panic;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::Question;
use super::failure::breaks;
use crate::answer::Asked;
use crate::driver::{Driver, Event, Said};
use crate::session::{PATIENCE, Session, on_another_thread};

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "context.destroyed_elsewhere.record_of_another",
        asks: "what does cuEventRecord say of another context's event where another thread has destroyed the current one?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, stream) = (session.event()?, session.stream()?);
            let other = session.other_context()?;
            driver.context_push(other)?.needed()?;
            on_another_thread(|| driver.context_destroy(other)?.needed())?;
            driver.event_record(&event, &stream)?.told()
        },
    },
    Question {
        name: "broken.elsewhere.record",
        asks: "what does cuEventRecord say of an event of a whole context while a broken one is current?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, stream) = (session.event()?, session.stream()?);
            driver.context_push(session.other_context()?)?.needed()?;
            breaks(session)?;
            driver.event_record(&event, &stream)?.told()
        },
    },
    Question {
        name: "broken.awaited",
        asks: "what does cuStreamWaitEvent say of a stream of a whole context and a pending event of a broken one?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, other) = (session.stream()?, session.other_context()?);
            driver.context_push(other)?.needed()?;
            let (event, _gate) = session.pending_event()?;
            breaks(session)?;
            driver.context_set(session.context)?.needed()?;
            driver.stream_wait(&stream, &event, 0)?.told()
        },
    },
    Question {
        name: "event.query_beside_a_synchronize",
        asks: "what does cuEventQuery say while another thread is in cuCtxSynchronize, and at once?",
        ask: |driver| query_beside(driver, MOMENT, |driver, _event| driver.context_synchronize()),
    },
    Question {
        name: "event.query_beside_an_event_synchronize",
        asks: "what does it say while another thread is in cuEventSynchronize, and at once?",
        ask: |driver| query_beside(driver, MOMENT, Driver::event_synchronize),
    },
    Question {
        name: "event.query_beside_a_free",
        asks: "what does it say while another thread is in cuMemFree, and at once?",
        ask: |driver| {
            // Believed to come back.
            query_beside(driver, PATIENCE, |driver, _event| {
                let block = driver.block()?;
                driver.block_free(block)
            })
        },
    },
];

/// So long another thread has to get inside a call that waits.
const MOMENT: Duration = Duration::from_millis(500);

/// Queries a pending event while another thread calls, which for so long may come back.
fn query_beside(
    driver: &'static Driver,
    longest: Duration,
    call: fn(&'static Driver, &Event) -> Asked<Said>,
) -> Asked<String> {
    let session = Session::begin(driver)?;
    let (event, gate) = session.pending_event()?;
    let (answer, answered) = channel();
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            driver.context_set(session.context)?.needed()?;
            call(driver, &event)
        });
        let is_inside = !comes_within(longest, || beside.is_finished());
        let (driver, pending) = (session.driver, &event);
        scope.spawn(move || answer.send(driver.event_query(pending)));
        let early = answered.recv_timeout(PATIENCE);
        gate.open();
        let said_beside = beside.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
        said_beside.needed()?;
        let beside = if is_inside { "" } else { "; that call waits for nothing" };
        match early {
            Ok(said) => Ok(format!("{} at once{beside}", said?.code)),
            Err(_late) => Ok("waits".to_owned()),
        }
    })
}

fn comes_within(longest: Duration, has_come: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + longest;
    while !has_come() && Instant::now() < deadline {
        thread::park_timeout(Duration::from_millis(1));
    }
    has_come()
}
