//! Cases of sharing between processes.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::mpsc::channel;
use std::thread;

use syncpoint::{Event, EventOptions, EventState, IpcHandle, Kind, Result, State, Stream};

use crate::bed::TestBed;
use crate::child::{self, Child, Ended};
use crate::patience::{PATIENCE, failure_of, heard, say, settle};
use crate::run::Verdict;

/// Catches a wait in another process that goes on too early or never, and an answer there that differs.
pub fn an_exported_event_orders_another_process(bed: &TestBed) -> Verdict {
    let (stream, gate) = bed.held_stream()?;
    let event = bed.device().event_with(shared()?)?;
    let handle = event.export()?;
    assert_eq!(bed.device().import_event(&handle)?, event, "in its own process it is the event");
    let (mut order, journal) = child::pipe();
    write_in_order(&stream, &journal, "exporter\n")?;
    event.record(&stream)?;

    let (mut ready, told) = child::pipe();
    let importer = child::start(|| wait_and_write(bed, &handle, &told, &journal).map_or(1, |()| 0));
    drop((told, journal));
    assert_eq!(line(&mut ready), "waits", "the importer begins");
    gate.open()?;
    assert_eq!(importer.end(), Ended::silently(0), "the importer on {bed}");
    drop(stream);
    let mut said = String::new();
    order.read_to_string(&mut said).expect("text");
    assert_eq!(said, "exporter\nimporter\n");
    Ok(())
}

fn wait_and_write(bed: &TestBed, handle: &IpcHandle, told: &File, journal: &File) -> Result<()> {
    let device = bed.open_in_child()?;
    let (event, stream) = (device.import_event(handle)?, device.stream()?);
    assert!(matches!(event.state(), EventState::Pending), "{:?}", event.state());
    assert!(!event.query()? && !event.query_recorded()?);
    assert!(format!("{event:?}").ends_with("another process's)"), "{event:?}");
    let timed_out = event.synchronize_timeout(std::time::Duration::from_millis(1));
    assert_eq!(timed_out.map_err(|error| error.kind()), Err(Kind::TimedOut));
    for refused in [event.record(&stream), event.record_once(&stream), event.point().map(drop)] {
        assert_eq!(refused.map_err(|error| error.kind()), Err(Kind::Unsupported));
    }
    stream.wait_event(&event)?;
    write_in_order(&stream, journal, "importer\n")?;
    let (end, (sender, receiver)) = (stream.record()?, channel());
    event.notify(move |outcome| say(&sender, outcome))?;
    writeln!(&mut &*told, "waits").expect("the parent reads");
    event.synchronize_timeout(PATIENCE)?;
    settle(&end);
    heard(&receiver, "the callback of an imported event")?;
    assert!(matches!(event.state(), EventState::Complete) && event.query_recorded()?);
    stream.wait_event(&event)?;
    Ok(())
}

fn shared() -> Result<EventOptions> {
    EventOptions::builder().interprocess().build()
}

fn write_in_order(stream: &Stream, journal: &File, words: &'static str) -> Result<()> {
    let mut journal = journal.try_clone().expect("a pipe has many names");
    stream.enqueue(move || journal.write_all(words.as_bytes()))
}

/// Reads up to the end of a line, byte by byte: what follows is somebody else's.
fn line(pipe: &mut File) -> String {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while pipe.read_exact(&mut byte).is_ok() && byte != *b"\n" {
        line.extend(byte);
    }
    String::from_utf8(line).expect("text")
}

/// Catches waits for a process that was killed that hang, or that end as if all were well.
pub fn a_dead_peer_is_an_error_not_a_hang(bed: &TestBed) -> Verdict {
    bed.device().event_with(shared()?)?;
    let (exporter, handle) = exporter(bed);
    let event = bed.device().import_event(&handle)?;
    let (stream, (sender, receiver)) = (bed.stream()?, channel());
    stream.wait_event(&event)?;
    let end = stream.record()?;
    event.notify(move |outcome| say(&sender, outcome))?;
    let waiting = {
        let event = bed.device().import_event(&handle)?;
        thread::spawn(move || event.synchronize())
    };
    assert!(matches!(event.state(), EventState::Pending) && matches!(end.state(), State::Pending));
    exporter.kill();
    let failures = [
        failure_of(&end),
        waiting.join().expect("no panic").expect_err("a dead peer is an error"),
        heard(&receiver, "the callback of an imported event").expect_err("as above"),
        event.query().expect_err("as above"),
        event.synchronize().expect_err("as above"),
    ];
    for failure in failures {
        assert_eq!(failure.kind(), Kind::Failed);
        assert!(failure.message().contains("has ended"), "{failure}");
    }
    assert!(stream.failure().is_some());
    Ok(())
}

/// A process that exports an event whose record does not complete.
fn exporter(bed: &TestBed) -> (Child, IpcHandle) {
    let (mut handles, told) = child::pipe();
    let exporter = child::start(|| export_and_sleep(bed, &told).map_or(1, |_never| 0));
    drop(told);
    let handle = line(&mut handles).parse().expect("the handle of the exporter");
    (exporter, handle)
}

fn export_and_sleep(bed: &TestBed, told: &File) -> Result<Event> {
    let device = bed.open_in_child()?;
    let (stream, gate) = (device.stream()?, syncpoint::Gate::new());
    let event = device.event_with(shared()?)?;
    stream.wait(&gate.point())?;
    event.record(&stream)?;
    writeln!(&mut &*told, "{}", event.export()?).expect("the parent reads");
    gate.point().synchronize()?;
    Ok(event)
}
