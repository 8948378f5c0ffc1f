//! Ways in which a child comes to its end while work of its own is pending.

use std::thread;
use std::time::Duration;

use syncpoint::{Gate, Result, Wait};
use syncpoint_base::spawn;

use crate::bed::TestBed;
use crate::child;
use crate::patience::{PATIENCE, until};
use crate::run::tell;

/// Comes to the end, or gives what to exit with.
type Way = fn(&TestBed) -> Result<i32>;

/// Each ends with [`EXIT`] and says nothing, unless what must not happen does.
pub(crate) const WAYS: [(&str, Way); 4] = [
    ("with work that runs, is queued and is held", exit_with_work),
    ("with everything alive", exit_with_everything_alive),
    ("from work", exit_from_work),
    ("while others wait", exit_while_others_wait),
];

/// What the children exit with.
pub(crate) const EXIT: i32 = 7;

fn exit_with_work(bed: &TestBed) -> Result<i32> {
    let device = bed.open_in_child()?;
    let (busy, held, gate) = (device.stream()?, device.stream()?, Gate::new());
    busy.enqueue(thread::park)?;
    busy.enqueue(|| tell("begun while the process exits"))?;
    held.wait(&gate.point())?;
    held.enqueue(|| tell("begun though its gate is not open"))?;
    held.delay(PATIENCE)?;
    Ok(EXIT)
}

fn exit_with_everything_alive(bed: &TestBed) -> Result<i32> {
    let device = bed.open_in_child()?;
    let (stream, gate) = (device.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    let end = stream.record()?;
    let notification = end.notify(|_| tell("told while the process exits"))?;
    let alive = Box::new((device, stream, gate, end, notification));
    Box::leak(alive);
    Ok(EXIT)
}

fn exit_from_work(bed: &TestBed) -> Result<i32> {
    let stream = bed.open_in_child()?.stream()?;
    stream.enqueue(|| -> () { child::exit(EXIT) })?;
    stream.enqueue(|| tell("begun while the process exits"))?;
    stream.record()?.synchronize_with(Wait::NoHelp, None)?;
    Ok(1)
}

fn exit_while_others_wait(bed: &TestBed) -> Result<i32> {
    let device = bed.open_in_child()?;
    let (stream, gate) = (device.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    let end = stream.record()?;
    let waits = [Wait::Adaptive, Wait::Block, Wait::Yield];
    for wait in waits {
        let end = end.clone();
        spawn("waits", move || {
            let outcome = end.synchronize_with(wait, None);
            tell(&format!("a wait ended while the process exits: {outcome:?}"));
        })
        .expect("room for a thread");
    }
    // A wait that runs out tells who else waits.
    until("the waits of the others", || {
        let late = end.synchronize_timeout(Duration::ZERO).expect_err("nobody opens the gate");
        late.report().is_some_and(|report| report.host_waits().len() >= waits.len())
    });
    Box::leak(Box::new(gate));
    Ok(EXIT)
}
