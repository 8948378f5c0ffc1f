//! Streams: their ids, priorities and flags, the three that are no objects, and what becomes of a destroyed one.

use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Context, Driver, Mark, Stream};
use crate::session::{Session, on_another_thread};

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "stream.id.of_two",
        asks: "have two streams different ids?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            Ok(yes(id(session, &session.stream()?)? != id(session, &session.stream()?)?))
        },
    },
    Question {
        name: "stream.id.not_used_again",
        asks: "are the ids of 64 streams, each destroyed before the next is made, all different?",
        ask: ids_after_destroy,
    },
    Question {
        name: "stream.id.null_is_legacy",
        asks: "has the null stream the id of the legacy stream?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            Ok(yes(id(session, &Stream::NULL)? == id(session, &Stream::LEGACY)?))
        },
    },
    Question {
        name: "stream.id.per_thread_is_apart",
        asks: "has the per-thread stream another id than the legacy stream?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            Ok(yes(id(session, &Stream::PER_THREAD)? != id(session, &Stream::LEGACY)?))
        },
    },
    Question {
        name: "stream.id.per_thread_of_two",
        asks: "have the per-thread streams of two threads different ids?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let others = on_another_thread(|| {
                driver.context_set(session.context)?.needed()?;
                id(session, &Stream::PER_THREAD)
            })?;
            Ok(yes(others != id(session, &Stream::PER_THREAD)?))
        },
    },
    Question {
        name: "stream.priority.least_is_zero",
        asks: "is the least priority 0 and the greatest not above it?",
        ask: |driver| {
            let (mut least, mut greatest) = (-1, 1);
            Session::begin(driver)?;
            driver.priority_range(&mut least, &mut greatest)?.needed()?;
            Ok(yes(least == 0 && greatest <= 0))
        },
    },
    Question {
        name: "stream.priority.out_of_range",
        asks: "which priorities have streams that ask for 1000 and for -1000?",
        ask: |driver| {
            let (mut least, mut greatest) = (0, 0);
            let session = Session::begin(driver)?;
            driver.priority_range(&mut least, &mut greatest)?.needed()?;
            let is_clamped =
                priority(session, 1000)? == least && priority(session, -1000)? == greatest;
            Ok(if is_clamped { "the least and the greatest" } else { "others" }.to_owned())
        },
    },
    Question {
        name: "stream.flags.unknown",
        asks: "what does cuStreamCreate say of a flag that does not exist?",
        ask: |driver| {
            Session::begin(driver)?;
            driver.stream_create(&mut Stream::default(), 0x100)?.told()
        },
    },
    Question {
        name: "stream.flags.told",
        asks: "what does cuStreamGetFlags say of a stream that is not blocking?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let mut flags = u32::MAX;
            driver.stream_flags(&session.stream()?, &mut flags)?.needed()?;
            Ok(flags.to_string())
        },
    },
    Question {
        name: "stream.null.context",
        asks: "is the context of the null stream the current one?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let other = session.other_context()?;
            let mut context = Context::NONE;
            let told = || driver.stream_context(&Stream::NULL, &mut context)?.needed();
            session.within(other, told)?;
            Ok(yes(context == other))
        },
    },
    Question {
        name: "stream.null.no_context",
        asks: "what does cuStreamQuery say of the null stream where no context is current?",
        ask: |driver| {
            Session::begin(driver)?;
            on_another_thread(|| driver.stream_query(&Stream::NULL)?.told())
        },
    },
    Question {
        name: "stream.null.destroy",
        asks: "what does cuStreamDestroy say of the null stream?",
        ask: |driver| destroy(driver, Stream::NULL),
    },
    Question {
        name: "stream.legacy.destroy",
        asks: "what does cuStreamDestroy say of the legacy stream?",
        ask: |driver| destroy(driver, Stream::LEGACY),
    },
    Question {
        name: "stream.per_thread.destroy",
        asks: "what does cuStreamDestroy say of the per-thread stream?",
        ask: |driver| destroy(driver, Stream::PER_THREAD),
    },
    Question {
        name: "stream.query.other_context",
        asks: "what does cuStreamQuery say while another context is current?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, other) = (session.stream()?, session.other_context()?);
            session.within(other, || driver.stream_query(&stream)?.told())
        },
    },
    Question {
        name: "stream.query.no_context",
        asks: "what does cuStreamQuery say of a stream where no context is current?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let stream = session.stream()?;
            on_another_thread(|| driver.stream_query(&stream)?.told())
        },
    },
    Question {
        name: "stream.query.waiting",
        asks: "what does cuStreamQuery say of a stream that has nothing but a wait?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (event, _gate) = session.pending_event()?;
            let stream = session.stream()?;
            session.wait(&stream, &event)?;
            driver.stream_query(&stream)?.told()
        },
    },
    Question {
        name: "stream.destroy.pending",
        asks: "what does cuStreamDestroy say of a stream with work, and is the work still done?",
        ask: destroy_pending,
    },
];

fn id(session: Session, stream: &Stream) -> Asked<u64> {
    let mut id = 0;
    session.driver.stream_id(stream, &mut id)?.needed()?;
    Ok(id)
}

fn ids_after_destroy(driver: &'static Driver) -> Asked<String> {
    let session = Session::begin(driver)?;
    let mut ids = Vec::new();
    for _ in 0..64 {
        let stream = session.stream()?;
        ids.push(id(session, &stream)?);
        driver.stream_destroy(stream)?.needed()?;
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(yes(ids.len() == 64))
}

fn priority(session: Session, asked: i32) -> Asked<i32> {
    let (mut stream, mut priority) = (Stream::default(), i32::MIN);
    session.driver.stream_create_with_priority(&mut stream, 1, asked)?.needed()?;
    session.driver.stream_priority(&stream, &mut priority)?.needed()?;
    Ok(priority)
}

fn destroy(driver: &'static Driver, stream: Stream) -> Asked<String> {
    Session::begin(driver)?;
    driver.stream_destroy(stream)?.told()
}

fn destroy_pending(driver: &'static Driver) -> Asked<String> {
    let session = Session::begin(driver)?;
    let (stream, gate) = session.held_stream()?;
    let mark = Mark::default();
    driver.host_function(&stream, mark.work())?.needed()?;
    let event = session.tail(&stream)?;
    let said = driver.stream_destroy(stream)?;
    gate.open();
    session.settle(&event)?;
    Ok(format!("{}, done: {}", said.code, yes(mark.is_left())))
}
