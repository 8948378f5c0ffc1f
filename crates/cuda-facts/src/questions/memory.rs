//! Memory: registered pages of the host, blocks of the device, and the order of what streams do with both.

use std::sync::atomic::Ordering;

use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Code, Driver, Page, Stream};
use crate::session::Session;

const AT_LEAST: u32 = 0;

/// Eight bytes of 7.
const SEVENS: u64 = 0x0707_0707_0707_0707;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "memory.registered.written_by_a_stream",
        asks: "does the host read what a stream writes into a registered page?",
        ask: |driver| {
            let (session, stream, page) = registered(driver)?;
            driver.write_value_64(&stream, driver.address_of(&page)?, 5, 0)?.needed()?;
            session.drain(&stream)?;
            // Acquire: pairs with the write of the stream.
            Ok(yes(page.first().load(Ordering::Acquire) == 5))
        },
    },
    Question {
        name: "memory.registered.waited_for",
        asks: "does a stream wait until the host writes into a registered page?",
        ask: |driver| {
            let (session, stream, page) = registered(driver)?;
            driver.wait_value_64(&stream, driver.address_of(&page)?, 3, AT_LEAST)?.needed()?;
            let event = session.tail(&stream)?;
            // Release: pairs with the read of the stream.
            session.waits_until(&event, || page.first().store(3, Ordering::Release))
        },
    },
    Question {
        name: "memory.registered.copied",
        asks: "does cuMemcpyAsync copy a registered page to the device and back, by the addresses that the device has?",
        ask: |driver| {
            let (session, stream, page) = registered(driver)?;
            let block = driver.block()?;
            page.set_all(SEVENS);
            driver.found_to_device(&page, &block, &stream)?;
            session.drain(&stream)?;
            page.set_all(0);
            driver.found_to_host(&block, &page, &stream)?;
            session.drain(&stream)?;
            Ok(yes(page.is_all(SEVENS)))
        },
    },
    Question {
        name: "memory.registered.filled",
        asks: "does cuMemsetD8Async fill a registered page, by the address that the device has?",
        ask: |driver| {
            let (session, stream, page) = registered(driver)?;
            driver.fill_page(&page, 7, &stream)?;
            session.drain(&stream)?;
            Ok(yes(page.is_all(SEVENS)))
        },
    },
    Question {
        name: "memory.registered.twice",
        asks: "what does cuMemHostRegister say of a page that is registered?",
        ask: |driver| {
            let (_session, _stream, page) = registered(driver)?;
            driver.register(&page)?.told()
        },
    },
    Question {
        name: "memory.registered.again",
        asks: "what does it say of one that was, and is no more?",
        ask: |driver| {
            let (_session, _stream, page) = registered(driver)?;
            driver.unregister(&page)?.needed()?;
            driver.register(&page)?.told()
        },
    },
    Question {
        name: "memory.unregistered",
        asks: "what does cuMemHostUnregister say of a page that is not registered?",
        ask: |driver| {
            let _session = Session::begin(driver)?;
            driver.unregister(&Page::new())?.told()
        },
    },
    Question {
        name: "memory.fill",
        asks: "does cuMemsetD8Async fill in the order of its stream?",
        ask: |driver| {
            let (session, stream, page) = registered(driver)?;
            let block = driver.block()?;
            driver.fill_block(&block, 7, &stream)?;
            driver.to_host(&block, &page, &stream)?;
            session.drain(&stream)?;
            Ok(yes(page.is_all(SEVENS)))
        },
    },
    Question {
        name: "memory.copy.there_and_back",
        asks: "do bytes come to the device, over to another block and back in the order of a stream?",
        ask: |driver| {
            let (session, stream, page) = registered(driver)?;
            there_and_back(session, &stream, &page)
        },
    },
    Question {
        name: "memory.copy.pageable",
        asks: "do they where the pages of the host are not registered?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            there_and_back(session, &session.stream()?, &Page::new())
        },
    },
    Question {
        name: "memory.copy.waits_for_its_stream",
        asks: "does a copy into a registered page wait for what its stream waits for?",
        ask: |driver| {
            let (session, stream, page) = registered(driver)?;
            let block = driver.block()?;
            driver.fill_block(&block, 7, &stream)?;
            let gate = session.hold(&stream)?;
            driver.to_host(&block, &page, &stream)?;
            let (event, is_early) = (session.tail(&stream)?, page.is_all(SEVENS));
            let waits = session.waits(&event, &gate)?;
            Ok(format!("{waits}, copied before: {}", yes(is_early)))
        },
    },
    Question {
        name: "memory.free.at_once",
        asks: "what does cuMemFree say while a stream has the block still to fill?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, block) = (session.stream()?, driver.block()?);
            // Or the fill would be over before.
            driver.delay(&stream, 20_000_000)?;
            driver.fill_block(&block, 7, &stream)?;
            let filled = session.tail(&stream)?;
            let is_pending = driver.event_query(&filled)?.code == Code::NOT_READY;
            let said = driver.block_free(block)?;
            Ok(format!("{}, pending before: {}", said.code, yes(is_pending)))
        },
    },
    Question {
        name: "memory.in_order.used_elsewhere",
        asks: "may another stream fill a block behind its allocation, and the first free it behind that?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, other) = (session.stream()?, session.stream()?);
            let block = driver.block_in_order(&stream)?;
            session.wait(&other, &session.tail(&stream)?)?;
            driver.fill_block(&block, 7, &other)?;
            session.wait(&stream, &session.tail(&other)?)?;
            let said = driver.block_free_in_order(block, &stream)?;
            session.drain(&stream)?;
            said.told()
        },
    },
    Question {
        name: "memory.in_order.freed_elsewhere",
        asks: "what does cuMemFreeAsync say on a stream behind the one of the allocation?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, other) = (session.stream()?, session.stream()?);
            let block = driver.block_in_order(&stream)?;
            session.wait(&other, &session.tail(&stream)?)?;
            let said = driver.block_free_in_order(block, &other)?;
            session.drain(&other)?;
            said.told()
        },
    },
    Question {
        name: "memory.in_order.of_what_was_allocated_at_once",
        asks: "what does cuMemFreeAsync say of a block of cuMemAlloc?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, block) = (session.stream()?, driver.block()?);
            driver.block_free_in_order(block, &stream)?.told()
        },
    },
];

/// A page that the device reaches.
fn registered(driver: &'static Driver) -> Asked<(Session, Stream, Page)> {
    let (session, page) = (Session::begin(driver)?, Page::new());
    driver.register(&page)?.needed()?;
    Ok((session, session.stream()?, page))
}

fn there_and_back(session: Session, stream: &Stream, page: &Page) -> Asked<String> {
    let driver = session.driver;
    let (there, over) = (driver.block()?, driver.block()?);
    page.set_all(SEVENS);
    driver.to_device(page, &there, stream)?;
    driver.over(&there, &over, stream)?;
    session.drain(stream)?;
    page.set_all(0);
    driver.to_host(&over, page, stream)?;
    session.drain(stream)?;
    Ok(yes(page.is_all(SEVENS)))
}
