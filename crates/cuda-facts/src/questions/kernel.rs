//! The kernel of delays: whether the driver compiles its text, how long it lasts, and its end.

use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Driver, Event};
use crate::session::Session;

const MILLISECONDS: u64 = 20;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "kernel.delay.lasts",
        asks: "is a kernel that looks at the global timer for 20 ms between 20 and 30 ms long by two events?",
        ask: |driver| {
            let milliseconds = lasted(Session::begin(driver)?)?;
            Ok(yes((20.0..30.0).contains(&milliseconds)))
        },
    },
    Question {
        name: "kernel.delay.unloaded",
        asks: "what does cuModuleUnload say of its module once it has run?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let stream = session.stream()?;
            let module = driver.delay(&stream, 1_000_000)?;
            session.drain(&stream)?;
            driver.module_unload(module)?.told()
        },
    },
];

/// The shortest of some, since whoever else uses the machine makes them longer.
fn lasted(session: Session) -> Asked<f32> {
    let driver = session.driver;
    let (stream, mut shortest) = (session.stream()?, f32::INFINITY);
    for _ in 0..5 {
        let (start, end) = (session.timed_event()?, session.timed_event()?);
        session.record(&start, &stream)?;
        driver.delay(&stream, MILLISECONDS * 1_000_000)?;
        session.record(&end, &stream)?;
        session.settle(&end)?;
        shortest = shortest.min(between(driver, &start, &end)?);
    }
    Ok(shortest)
}

fn between(driver: &'static Driver, start: &Event, end: &Event) -> Asked<f32> {
    let mut milliseconds = 0.0;
    driver.elapsed(&mut milliseconds, start, end)?.needed()?;
    Ok(milliseconds)
}
