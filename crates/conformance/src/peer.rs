//! Peers: children that export an event, and what is asked about one that was imported from them.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;
use std::time::Instant;

use syncpoint::{Device, Event, EventOptions, EventState, Gate, IpcHandle, Result, Stream};

use crate::child::{self, Child, pipe};
use crate::patience::PATIENCE;

/// The host.
pub fn host() -> Device {
    syncpoint::open("host:0").expect("the host is always there")
}

/// An event that can be exported.
pub fn event_of(device: &Device) -> Result<Event> {
    device.event_with(EventOptions::builder().interprocess().build()?)
}

/// Starts a child that exports an event of the host, does this with it once it is told to by a byte, and sleeps.
pub fn exporter(then: impl FnOnce(&Device, Event)) -> (Child, IpcHandle, File) {
    let (mut handles, told) = pipe();
    let (cue, give_cue) = pipe();
    let child = child::start(|| export(told, cue, then).map_or(1, |()| 0));
    (child, handle(&mut handles), give_cue)
}

/// What such a child does.
pub fn export(mut told: File, mut cue: File, then: impl FnOnce(&Device, Event)) -> Result<()> {
    let device = host();
    let event = event_of(&device)?;
    write!(told, "{}", event.export()?).expect("somebody reads");
    let _cue = cue.read(&mut [0]);
    then(&device, event);
    Gate::new().point().synchronize()
}

/// The handle that an exporter says.
pub fn handle(handles: &mut File) -> IpcHandle {
    let mut handle = [0; 128];
    handles.read_exact(&mut handle).expect("an exporter that says its handle");
    let handle = std::str::from_utf8(&handle).expect("text");
    handle.parse().expect("nothing else is said")
}

/// Records an event on a stream that the gate holds.
pub fn record_held(device: &Device, event: &Event) -> Result<(Stream, Gate)> {
    let (stream, gate) = (device.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    event.record(&stream)?;
    Ok((stream, gate))
}

/// Waits until an imported event is in a state that only the other process can bring about.
#[track_caller]
pub fn until(event: &Event, is_so: impl Fn(&EventState) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so(&event.state()) {
        assert!(Instant::now() < deadline, "{:?} stays so", event.state());
        thread::yield_now();
    }
}
