//! Children of a fork: what they inherited is the parent's, and they let go of none of it.

#![cfg(unix)]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod double;

use std::time::Duration;

use syncpoint::{Event, EventOptions, Gate, Kind, Result};
use syncpoint_conformance::child::{Ended, forked};
use syncpoint_metal::protocol::{borrow, timeline};

use double::{Double, Queue};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// In a child the double ends the process where anything of it is called, the drop of an object too.
fn drops_silently_in_a_child(parts: impl Sized) {
    assert_eq!(forked(|| drop_all(parts)), Ended::silently(0));
}

fn drop_all(parts: impl Sized) -> i32 {
    drop(parts);
    0
}

#[test]
fn a_child_that_drops_what_it_inherited_calls_nothing_of_metal() -> Result<()> {
    let device = Double::default().device();
    drops_silently_in_a_child(device.buffer(64)?);
    drops_silently_in_a_child(device.stream()?);
    let stream = device.stream()?;
    stream.record_timed()?.synchronize_timeout(LONG)?;
    drops_silently_in_a_child(stream);
    drops_silently_in_a_child(borrow::<Double>(&device, Queue::ordinary(), 32)?);
    let event = Event::new(EventOptions::builder().native_handle().build()?);
    event.record(&device.stream()?)?;
    event.synchronize_timeout(LONG)?;
    drops_silently_in_a_child(event);
    drops_silently_in_a_child(timeline::<Double>(double::Event::default()));
    drops_silently_in_a_child(device);
    Ok(())
}

#[test]
fn a_child_that_drops_what_is_at_work_calls_nothing_of_metal() -> Result<()> {
    let device = Double::default().device();
    let (managed, exposed, gate) = (device.stream()?, device.stream()?, Gate::new());
    Queue::of(&exposed)?;
    let (buffer, mut points) = (device.buffer(64)?, Vec::new());
    for stream in [&managed, &exposed] {
        stream.wait(&gate.point())?;
        stream.fill(&buffer, 0..64, 1)?;
        stream.enqueue(|| {})?;
        points.push(stream.record()?);
    }
    drops_silently_in_a_child((points, buffer, managed, gate, exposed, device));
    Ok(())
}

#[test]
fn a_child_is_refused_what_it_asks_of_an_inherited_stream() -> Result<()> {
    let device = Double::default().device();
    let (stream, event) = (device.stream()?, double::Event::default());
    let theirs = timeline::<Double>(event);
    let ended = forked(|| {
        let refused = [
            Queue::of(&stream).map(drop),
            stream.record().map(drop),
            device.stream().map(drop),
            theirs.point(1).query().map(drop),
        ];
        let kinds = refused.map(|outcome| outcome.map_err(|error| error.kind()));
        i32::from(kinds != [Err(Kind::Unavailable); 4])
    });
    assert_eq!(ended, Ended::silently(0));
    Ok(())
}
