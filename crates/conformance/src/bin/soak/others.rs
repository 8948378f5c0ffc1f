//! Other processes: a child that waits for an event of ours, and one that dies with an event that we wait for.

use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

use syncpoint::{Event, Gate, IpcHandle, Kind, Result};
use syncpoint_conformance::child::{self, Ended};

use crate::actor::{Actor, Outcome};
use crate::acts::interprocess;

/// Long beyond any hiccup of the machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// Seldom: a fork stops every thread for a moment.
pub(crate) fn act(actor: &mut Actor) -> Outcome {
    match actor.draw.below(1500) {
        0 => a_child_waits_for_us(),
        1 => we_wait_for_a_child_that_dies(),
        _ => Ok(()),
    }
}

fn a_child_waits_for_us() -> Outcome {
    let device = syncpoint::open("host:0")?;
    let (stream, gate) = (device.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    let event = interprocess(&device)?;
    event.record(&stream)?;
    let handle = event.export()?;
    let child = child::start(|| import(&handle).map_or(1, |()| 0));
    gate.open()?;
    assert_eq!(child.end(), Ended::silently(0), "the child hears of the event");
    Ok(())
}

fn import(handle: &IpcHandle) -> Outcome {
    let device = syncpoint::open("host:0")?;
    let (event, stream) = (device.import_event(handle)?, device.stream()?);
    stream.wait_event(&event)?;
    stream.enqueue(|| ())?;
    event.synchronize_timeout(PATIENCE)?;
    stream.record()?.synchronize_timeout(PATIENCE)
}

fn we_wait_for_a_child_that_dies() -> Outcome {
    let (mut handles, told) = child::pipe();
    let child = child::start(|| export_and_sleep(&told).map_or(1, |_never| 0));
    drop(told);
    let device = syncpoint::open("host:0")?;
    let (event, stream) = (device.import_event(&read(&mut handles))?, device.stream()?);
    stream.wait_event(&event)?;
    child.kill();
    let end = stream.record()?.synchronize_timeout(PATIENCE);
    assert_eq!(end.map_err(|error| error.kind()), Err(Kind::Failed), "a dead peer is an error");
    Ok(())
}

fn export_and_sleep(told: &File) -> Result<Event> {
    let device = syncpoint::open("host:0")?;
    let (stream, gate) = (device.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    let event = interprocess(&device)?;
    event.record(&stream)?;
    writeln!(&mut &*told, "{}", event.export()?).expect("the parent reads");
    gate.point().synchronize_timeout(PATIENCE)?;
    Ok(event)
}

/// A handle and the end of its line.
fn read(handles: &mut File) -> IpcHandle {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while handles.read_exact(&mut byte).is_ok() && byte != *b"\n" {
        line.extend(byte);
    }
    let line = String::from_utf8(line).expect("a handle is text");
    line.parse().expect("the child's handle")
}
