//! A page that two processes register: what a stream of one writes there and a stream of the other waits for.

use std::sync::atomic::Ordering;

use super::peer::{Peer, refused, say};
use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Address, Driver, Event, Page, Stream};
use crate::session::Session;

const AT_LEAST: u32 = 0;

/// What is written and waited for.
const VALUE: u64 = 3;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "page.registered_by_two_processes",
        asks: "what does cuMemHostRegister say of a page that another process has registered too?",
        ask: |driver| Paged::begin(driver)?.peer("page.registers")?.hear(),
    },
    Question {
        name: "page.waits_for_the_other_process",
        asks: "does a stream here wait until a stream there writes the value to the page?",
        ask: |driver| held_until_there(driver, "page.writes"),
    },
    Question {
        name: "page.is_waited_for_there",
        asks: "does a stream there wait until a stream here writes it?",
        ask: |driver| {
            let paged = Paged::begin(driver)?;
            let mut peer = paged.peer("page.waits")?;
            let first = peer.hear()?;
            paged.write()?;
            Ok(format!("{first}, then {}", peer.hear()?))
        },
    },
    Question {
        name: "page.written_before",
        asks: "does a stream there go on at once where a stream here has written before?",
        ask: |driver| {
            let paged = Paged::begin(driver)?;
            paged.write()?;
            paged.session.drain(&paged.stream)?;
            paged.peer("page.waits")?.hear()
        },
    },
    Question {
        name: "page.host_there",
        asks: "does a stream here wait until the host there writes it?",
        ask: |driver| held_until_there(driver, "page.host"),
    },
    Question {
        name: "page.outlives_its_writer",
        asks: "does the host here read what a stream there has written, once that process is gone?",
        ask: |driver| {
            let paged = Paged::begin(driver)?;
            let mut peer = paged.peer("page.writes")?;
            peer.hear()?;
            peer.tell()?;
            peer.hear()?;
            drop(peer);
            // Acquire: pairs with the write of the other process's stream.
            Ok(yes(paged.page.first().load(Ordering::Acquire) == VALUE))
        },
    },
];

/// A page that this process has registered, and a stream.
struct Paged {
    session: Session,
    stream: Stream,
    page: Page,
    address: Address,
}

impl Paged {
    fn begin(driver: &'static Driver) -> Asked<Self> {
        Self::over(Session::begin(driver)?, Page::shared()?)
    }

    fn over(session: Session, page: Page) -> Asked<Self> {
        session.driver.register(&page)?.needed()?;
        let address = session.driver.address_of(&page)?;
        Ok(Self { session, stream: session.stream()?, page, address })
    }

    /// Another process, which has the page too.
    fn peer(&self, what: &str) -> Asked<Peer> {
        Peer::begin(what, self.page.name())
    }

    /// Has the stream write. Gives nothing: it may not have come to that.
    fn write(&self) -> Asked<()> {
        let driver = self.session.driver;
        driver.write_value_64(&self.stream, self.address, VALUE, 0)?.needed()
    }

    /// Has the stream wait. Gives an event behind that.
    fn wait(&self) -> Asked<Event> {
        let driver = self.session.driver;
        driver.wait_value_64(&self.stream, self.address, VALUE, AT_LEAST)?.needed()?;
        self.session.tail(&self.stream)
    }
}

/// Whether a stream here waits until the other process has done its part.
fn held_until_there(driver: &'static Driver, part: &str) -> Asked<String> {
    let paged = Paged::begin(driver)?;
    let mut peer = paged.peer(part)?;
    peer.hear()?;
    let (session, event) = (paged.session, paged.wait()?);
    let first = session.is_held(&event)?;
    peer.tell()?;
    Ok(format!("{first}, then {}", session.goes_on(&event)?))
}

/// What this program does as another process with the page of this name; `told` comes when the first one says so.
pub(super) fn peer(
    driver: &'static Driver,
    what: &str,
    name: &str,
    told: impl FnOnce(),
) -> Asked<String> {
    let (session, page) = (Session::begin(driver)?, Page::of_another_process(name)?);
    if what == "page.registers" {
        return driver.register(&page)?.told();
    }
    let paged = Paged::over(session, page)?;
    match what {
        "page.writes" => {
            ready(told)?;
            paged.write()?;
            session.drain(&paged.stream)?;
            Ok("written".to_owned())
        }
        "page.host" => {
            ready(told)?;
            // Release: pairs with the read of the other process's stream.
            paged.page.first().store(VALUE, Ordering::Release);
            Ok("written".to_owned())
        }
        "page.waits" => {
            let event = paged.wait()?;
            say(&session.is_held(&event)?)?;
            session.goes_on(&event)
        }
        other => Err(refused(&format!("does not know {other}"))),
    }
}

/// Says so, and waits until the first process has heard.
fn ready(told: impl FnOnce()) -> Asked<()> {
    say("ready")?;
    told();
    Ok(())
}
