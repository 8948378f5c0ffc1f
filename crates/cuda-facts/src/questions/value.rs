//! Values in memory: streams that write one, and streams that wait for one.

use std::sync::atomic::Ordering;

use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Address, Driver, Event, Stream, Word};
use crate::session::Session;

const AT_LEAST: u32 = 0;
const EQUAL: u32 = 1;
const AND: u32 = 2;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "value.write.seen_by_the_host",
        asks: "does the host read a value of 64 bits once an event behind its write has come?",
        ask: |driver| {
            let (session, stream, word) = with_word(driver)?;
            driver.write_value_64(&stream, word.device, u64::MAX - 1, 0)?.needed()?;
            session.drain(&stream)?;
            // Acquire: pairs with the write of the stream.
            Ok(yes(word.host.load(Ordering::Acquire) == u64::MAX - 1))
        },
    },
    Question {
        name: "value.write.null",
        asks: "what does cuStreamWriteValue32 say of address 0?",
        ask: |driver| {
            let stream = Session::begin(driver)?.stream()?;
            driver.write_value_32(&stream, Address::NULL, 1, 0)?.told()
        },
    },
    Question {
        name: "value.wait.for_the_host",
        asks: "does a stream wait until the host writes the value?",
        ask: |driver| {
            let waiting = waiting(driver, 0, 3, AT_LEAST)?;
            waiting.until(3)
        },
    },
    Question {
        name: "value.wait.holds_back_no_other",
        asks: "does a stream go on beside one that waits for a value?",
        ask: |driver| {
            let waiting = waiting(driver, 0, 3, AT_LEAST)?;
            let beside = waiting.session.tail(&waiting.session.stream()?)?;
            let answer = waiting.session.goes_on(&beside)?;
            waiting.write(3);
            Ok(answer)
        },
    },
    Question {
        name: "value.wait.beside_four",
        asks: "does a stream go on beside four that wait for a value?",
        ask: |driver| {
            let count = goes_on_beside(driver, 4, Session::goes_on)?;
            Ok(if count < 4 { "waits" } else { "goes on" }.to_owned())
        },
    },
    Question {
        name: "value.wait.for_another_stream",
        asks: "does a stream go on once another has written the value?",
        ask: |driver| {
            let waiting = waiting(driver, 0, 3, AT_LEAST)?;
            let writing = waiting.session.stream()?;
            driver.write_value_32(&writing, waiting.word.device, 3, 0)?.needed()?;
            waiting.session.goes_on(&waiting.event)
        },
    },
    Question {
        name: "value.wait.at_least",
        asks: "does a stream wait for 3 or more where 4 is written?",
        ask: |driver| goes_on(driver, 4, 3, AT_LEAST),
    },
    Question {
        name: "value.wait.at_least_is_cyclic",
        asks: "does a stream wait for 0xfffffff0 or more where 1 is written?",
        ask: |driver| goes_on(driver, 1, 0xffff_fff0, AT_LEAST),
    },
    Question {
        name: "value.wait.equal",
        asks: "does a stream wait for just 3 where 4 is written, until it is 3?",
        ask: |driver| waiting(driver, 4, 3, EQUAL)?.until(3),
    },
    Question {
        name: "value.wait.and",
        asks: "does a stream wait for a bit of 6 where 1 is written, until it is 4?",
        ask: |driver| waiting(driver, 1, 6, AND)?.until(4),
    },
    Question {
        name: "value.wait.64",
        asks: "does a stream wait for 2^40 where 2^40 - 1 is written, until it is 2^40?",
        ask: |driver| {
            let (session, stream, word) = with_word(driver)?;
            // Release: what the stream reads comes after.
            word.host.store((1 << 40) - 1, Ordering::Release);
            driver.wait_value_64(&stream, word.device, 1 << 40, AT_LEAST)?.needed()?;
            let event = session.tail(&stream)?;
            Waiting { session, word, event }.until(1 << 40)
        },
    },
];

/// A stream that waits for a value, with an event recorded behind.
struct Waiting {
    session: Session,
    word: Word,
    event: Event,
}

impl Waiting {
    fn write(&self, value: u64) {
        // Release: pairs with the read of the stream.
        self.word.host.store(value, Ordering::Release);
    }

    /// Whether it waits until a value is written.
    fn until(&self, value: u64) -> Asked<String> {
        self.session.waits_until(&self.event, || self.write(value))
    }
}

fn with_word(driver: &'static Driver) -> Asked<(Session, Stream, Word)> {
    let session = Session::begin(driver)?;
    Ok((session, session.stream()?, driver.word()?))
}

fn waiting(driver: &'static Driver, written: u64, value: u32, how: u32) -> Asked<Waiting> {
    let (session, stream, word) = with_word(driver)?;
    // Release: what the stream reads comes after.
    word.host.store(written, Ordering::Release);
    driver.wait_value_32(&stream, word.device, value, how)?.needed()?;
    let event = session.tail(&stream)?;
    Ok(Waiting { session, word, event })
}

/// Beside how many streams that wait for a value, of so many at most, the next one still goes on, as it is seen to.
pub(crate) fn goes_on_beside(
    driver: &'static Driver,
    most: usize,
    see: fn(Session, &Event) -> Asked<String>,
) -> Asked<usize> {
    let (session, first, word) = with_word(driver)?;
    let mut standing = vec![first];
    for count in 1..=most {
        let Some(last) = standing.last() else { break };
        driver.wait_value_32(last, word.device, 1, AT_LEAST)?.needed()?;
        let next = session.stream()?;
        if see(session, &session.tail(&next)?)? == "waits" {
            // Release: the streams go on, and their context can end.
            word.host.store(1, Ordering::Release);
            return Ok(count - 1);
        }
        standing.push(next);
    }
    // Release: as above.
    word.host.store(1, Ordering::Release);
    Ok(most)
}

fn goes_on(driver: &'static Driver, written: u64, value: u32, how: u32) -> Asked<String> {
    let waiting = waiting(driver, written, value, how)?;
    waiting.session.goes_on(&waiting.event)
}
