//! Events of other processes: who may open what, and what each process sees of the other's records.

use super::peer::{Peer, refused, say};
use super::{Question, yes};
use crate::answer::Asked;
use crate::driver::{Driver, Event, Exported, Gate, Stream};
use crate::session::{DISABLE_TIMING, Session, on_another_thread};

const INTERPROCESS: u32 = 4;

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "sharing.export.without_flag",
        asks: "what does cuIpcGetEventHandle say of an event that was not made for it?",
        ask: |driver| {
            let event = Session::begin(driver)?.event()?;
            driver.event_export(&mut Exported([0; 64]), &event)?.told()
        },
    },
    Question {
        name: "sharing.export.no_context",
        asks: "what does cuIpcGetEventHandle say where no context is current?",
        ask: |driver| {
            let event = shared_event(Session::begin(driver)?)?;
            let mut exported = Exported([0; 64]);
            on_another_thread(|| driver.event_export(&mut exported, &event)?.told())
        },
    },
    Question {
        name: "sharing.export.twice",
        asks: "is an event that is exported twice exported as the same bytes?",
        ask: |driver| {
            let event = shared_event(Session::begin(driver)?)?;
            Ok(yes(export(driver, &event)? == export(driver, &event)?))
        },
    },
    Question {
        name: "sharing.open.own_process",
        asks: "what does cuIpcOpenEventHandle say in the process that exported the event?",
        ask: |driver| {
            let event = shared_event(Session::begin(driver)?)?;
            driver.event_import(&mut Event::default(), export(driver, &event)?)?.told()
        },
    },
    Question {
        name: "sharing.open.garbage",
        asks: "what does it say of bytes that nobody exported?",
        ask: |driver| {
            Session::begin(driver)?;
            driver.event_import(&mut Event::default(), Exported([0xa5; 64]))?.told()
        },
    },
    Question {
        name: "sharing.open.another_process",
        asks: "what does it say in another process?",
        ask: |driver| ask_peer(driver, "open"),
    },
    Question {
        name: "sharing.elapsed",
        asks: "what does cuEventElapsedTime say there of the opened event?",
        ask: |driver| ask_peer(driver, "elapsed"),
    },
    Question {
        name: "sharing.exporter_records",
        asks: "what does cuEventQuery say there while the event is pending, and does it come?",
        ask: |driver| {
            let (session, stream) = with_stream(driver)?;
            let (event, gate) = (shared_event(session)?, session.hold(&stream)?);
            session.record(&event, &stream)?;
            let mut peer = Peer::begin("query", &exported(driver, &event)?)?;
            let first = peer.hear()?;
            gate.open();
            Ok(format!("{first}, then {}", peer.hear()?))
        },
    },
    Question {
        name: "sharing.importer_waits",
        asks: "does a stream there wait until the event has come here?",
        ask: |driver| {
            let (session, stream) = with_stream(driver)?;
            let (event, gate) = (shared_event(session)?, session.hold(&stream)?);
            session.record(&event, &stream)?;
            let mut peer = Peer::begin("wait", &exported(driver, &event)?)?;
            let first = peer.hear()?;
            gate.open();
            Ok(format!("{first}, then {}", peer.hear()?))
        },
    },
    Question {
        name: "sharing.importer_waits_for_a_later_record",
        asks: "does a stream there wait for a record that comes after the event was opened?",
        ask: |driver| {
            let (session, stream) = with_stream(driver)?;
            let event = shared_event(session)?;
            let mut peer = Peer::begin("later", &exported(driver, &event)?)?;
            peer.hear()?;
            let gate = session.hold(&stream)?;
            session.record(&event, &stream)?;
            peer.tell()?;
            let first = peer.hear()?;
            gate.open();
            Ok(format!("{first}, then {}", peer.hear()?))
        },
    },
    Question {
        name: "sharing.importer_waits_for_its_record",
        asks: "does a stream there go on with the record that it waits for, while another stream here has a later one pending?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let event = shared_event(session)?;
            let ((first, first_gate), (second, second_gate)) =
                (session.held_stream()?, session.held_stream()?);
            session.record(&event, &first)?;
            let mut peer = Peer::begin("wait", &exported(driver, &event)?)?;
            let waits = peer.hear()?;
            session.record(&event, &second)?;
            first_gate.open();
            let then = peer.hear();
            second_gate.open();
            Ok(format!("{waits}, then {}", then?))
        },
    },
    Question {
        name: "sharing.importer_records",
        asks: "what does cuEventQuery say here of a pending record there, and does it come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let event = shared_event(session)?;
            let mut peer = Peer::begin("record", &exported(driver, &event)?)?;
            peer.hear()?;
            let first = driver.event_query(&event)?.code;
            peer.tell()?;
            Ok(format!("{first}, then {}", session.goes_on(&event)?))
        },
    },
];

fn with_stream(driver: &'static Driver) -> Asked<(Session, Stream)> {
    let session = Session::begin(driver)?;
    Ok((session, session.stream()?))
}

fn shared_event(session: Session) -> Asked<Event> {
    session.event_with(INTERPROCESS | DISABLE_TIMING)
}

fn export(driver: &'static Driver, event: &Event) -> Asked<Exported> {
    let mut exported = Exported([0; 64]);
    driver.event_export(&mut exported, event)?.needed()?;
    Ok(exported)
}

/// The same as words.
fn exported(driver: &'static Driver, event: &Event) -> Asked<String> {
    Ok(hexadecimal(export(driver, event)?))
}

/// What another process answers that has opened an event of this one.
fn ask_peer(driver: &'static Driver, what: &str) -> Asked<String> {
    let event = shared_event(Session::begin(driver)?)?;
    Peer::begin(what, &exported(driver, &event)?)?.hear()
}

/// What this program does as another process; `told` comes when the first one says so.
pub(super) fn peer(
    driver: &'static Driver,
    what: &str,
    exported: &str,
    told: impl FnOnce(),
) -> Asked<String> {
    let exported = bytes(exported).ok_or_else(|| refused(&"no handle"))?;
    let (session, stream) = with_stream(driver)?;
    let mut event = Event::default();
    let said = driver.event_import(&mut event, exported)?;
    if what == "open" {
        return said.told();
    }
    said.needed()?;
    match what {
        "elapsed" => driver.elapsed(&mut 0.0, &event, &session.timed_event()?)?.told(),
        "query" => {
            say(&driver.event_query(&event)?.told()?)?;
            session.goes_on(&event)
        }
        "later" => {
            say("opened")?;
            told();
            wait(session, &stream, &event)
        }
        "wait" => wait(session, &stream, &event),
        "record" => record(session, &stream, &event, told),
        other => Err(refused(&format!("does not know {other}"))),
    }
}

/// Whether a stream is held that waits for the event, and whether it goes on.
fn wait(session: Session, stream: &Stream, event: &Event) -> Asked<String> {
    session.wait(stream, event)?;
    let tail = session.tail(stream)?;
    say(&session.is_held(&tail)?)?;
    session.goes_on(&tail)
}

/// Whether the event comes that was recorded here, behind work that ends once the first process says so.
fn record(session: Session, stream: &Stream, event: &Event, told: impl FnOnce()) -> Asked<String> {
    let gate: Gate = session.hold(stream)?;
    session.record(event, stream)?;
    say("recorded")?;
    told();
    gate.open();
    session.goes_on(event)
}

fn hexadecimal(exported: Exported) -> String {
    exported.0.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn bytes(text: &str) -> Option<Exported> {
    let byte = |index: usize| u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok();
    let mut exported = Exported([0; 64]);
    for (index, place) in exported.0.iter_mut().enumerate() {
        *place = byte(index)?;
    }
    Some(exported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_comes_back_from_its_digits() {
        let mut exported = Exported([0; 64]);
        exported.0[0] = 0x0f;
        exported.0[63] = 0xa0;
        assert_eq!(bytes(&hexadecimal(exported)), Some(exported));
        assert_eq!(bytes("0f"), None);
    }
}
