//! A waker that waits for another process: it forks on the thread that hears of other processes.

use std::io::{Read, Write};
use std::sync::mpsc::channel;

use syncpoint::{EventState, Result};
use syncpoint_conformance::child::pipe;
use syncpoint_conformance::peer;

use super::{PATIENCE, forks, of_this_process, on_waking};

/// The child's copy of that thread must wake nobody else, listen no more, and end; the parent's goes on.
pub(super) fn a_waker_of_another_process_forks() -> Result<()> {
    let (mut opening, mut open) = pipe();
    let (_exporter, handle, mut cue) = peer::exporter(|device, event| {
        let (_stream, gate) = peer::record_held(device, &event).expect("a record");
        opening.read_exact(&mut [0]).expect("main writes");
        gate.open().expect("it is opened here only");
        event.synchronize().expect("nothing fails");
        Box::leak(Box::new(event));
    });
    let device = peer::host();
    let (event, other) = (device.import_event(&handle)?, device.import_event(&handle)?);
    cue.write_all(b".").expect("the exporter reads");
    peer::until(&event, |state| matches!(state, EventState::Pending));

    let (called, is_called) = channel();
    on_waking(&event, move || {
        if !forks() {
            called.send(()).expect("main lives");
        }
    });
    on_waking(&event, of_this_process("the waker behind"));
    on_waking(&other, of_this_process("the waker of another event"));
    open.write_all(b".").expect("the exporter reads");
    is_called.recv().expect("the waker is called");
    other.synchronize_timeout(PATIENCE)
}
