//! Green contexts: parts of a device with streams of their own, beside the primary context.

use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Context, Driver, Event, Green, Stream};
use crate::session::{Session, on_another_thread};

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "green.context_is_another",
        asks: "is the context of cuCtxFromGreenCtx another than the primary one?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            Ok(yes(part.context != part.session.context))
        },
    },
    Question {
        name: "green.context_again",
        asks: "does cuCtxFromGreenCtx give the same context when it is asked again?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            Ok(yes(driver.context_of_green(&part.green)? == part.context))
        },
    },
    Question {
        name: "green.current",
        asks: "which context does cuCtxGetCurrent give where that one was pushed?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            let mut current = Context::NONE;
            let ask = || driver.context_current(&mut current)?.needed();
            part.session.within(part.context, ask)?;
            Ok(part.name(current))
        },
    },
    Question {
        name: "green.stream_context",
        asks: "which context does cuStreamGetCtx_v2 give of a stream of it, and does it give the green one?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            let (mut context, mut green) = (Context::NONE, Green::default());
            driver.stream_contexts(&part.stream()?, &mut context, &mut green)?.needed()?;
            Ok(format!("{}, {}", part.name(context), yes(green == part.green)))
        },
    },
    Question {
        name: "green.stream_context_of_the_primary",
        asks: "which does it give of a stream of the primary context, and does it give a green one?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            let (mut context, mut green) = (Context::NONE, Green::default());
            let stream = part.session.stream()?;
            driver.stream_contexts(&stream, &mut context, &mut green)?.needed()?;
            Ok(format!("{}, {}", part.name(context), yes(green != Green::default())))
        },
    },
    Question {
        name: "green.stream_context_v1",
        asks: "what does cuStreamGetCtx say of a stream of it?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            driver.stream_context(&part.stream()?, &mut { Context::NONE })?.told()
        },
    },
    Question {
        name: "green.current_on_two_threads",
        asks: "does an event come that was made and recorded in it while it is current on another thread too?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            driver.context_push(part.context)?.needed()?;
            let stream = part.stream()?;
            let event = on_another_thread(|| part.tail(&stream))?;
            part.session.goes_on(&event)
        },
    },
    Question {
        name: "green.work",
        asks: "does an event come that was made and recorded in it, on a stream of it?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            let event = part.tail(&part.stream()?)?;
            part.session.goes_on(&event)
        },
    },
    Question {
        name: "green.records_an_event_of_the_primary",
        asks: "what does cuEventRecord say of an event of the primary context and a stream of it?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            let (event, stream) = (part.session.event()?, part.stream()?);
            driver.event_record(&event, &stream)?.told()
        },
    },
    Question {
        name: "green.is_waited_for",
        asks: "does a stream of the primary context wait for an event of it?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            let (session, stream) = (part.session, part.stream()?);
            let gate = session.within(part.context, || session.hold(&stream))?;
            let (event, other) = (part.tail(&stream)?, session.stream()?);
            session.wait(&other, &event)?;
            session.waits(&session.tail(&other)?, &gate)
        },
    },
    Question {
        name: "green.waits",
        asks: "does a stream of it wait for an event of the primary context?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            let (event, gate) = part.session.pending_event()?;
            let stream = part.stream()?;
            part.session.within(part.context, || part.session.wait(&stream, &event))?;
            part.session.waits(&part.tail(&stream)?, &gate)
        },
    },
    Question {
        name: "green.destroyed",
        asks: "what does cuGreenCtxDestroy say once its streams have nothing to do?",
        ask: |driver| {
            let part = Part::begin(driver)?;
            part.session.drain(&part.session.stream()?)?;
            driver.green_destroy(part.green)?.told()
        },
    },
];

/// A green context with all multiprocessors of the device.
struct Part {
    session: Session,
    green: Green,
    context: Context,
}

impl Part {
    fn begin(driver: &'static Driver) -> Asked<Self> {
        let session = Session::begin(driver)?;
        let green = driver.green(session.device)?;
        let context = driver.context_of_green(&green)?;
        Ok(Self { session, green, context })
    }

    fn stream(&self) -> Asked<Stream> {
        self.session.driver.stream_of_green(&self.green)
    }

    /// An event made and recorded in it.
    fn tail(&self, stream: &Stream) -> Asked<Event> {
        self.session.within(self.context, || self.session.tail(stream))
    }

    fn name(&self, context: Context) -> String {
        let known = [(self.context, "its own"), (self.session.context, "the primary")];
        let found = known.iter().find(|(one, _)| *one == context);
        found.map_or("another", |(_, name)| name).to_owned()
    }
}
