//! Waiting for what nobody tells of: a thread looks again and again, for as long as something is awaited.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use syncpoint_core::Gate;

use crate::code::{Code, Result};
use crate::sync::lock;

/// What is looked at.
pub(crate) type Condition = Arc<dyn Fn() -> bool + Send + Sync>;

/// Something awaited, and the gate that opens once it is so.
struct Awaited {
    is_so: Condition,
    gate: Gate,
}

impl fmt::Debug for Awaited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Awaited")
    }
}

/// What the thread looks at, and whether there is one.
#[derive(Debug)]
struct Watch {
    awaited: Vec<Awaited>,
    is_running: bool,
}

/// Guards the watch; no condition is asked and no gate opened under it.
static WATCH: Mutex<Watch> = Mutex::new(Watch { awaited: Vec::new(), is_running: false });

/// So long it pauses between two looks: a device would see the value sooner, a processor has other things to do.
const PAUSE: Duration = Duration::from_micros(50);

/// Opens a gate once something is so; at once, if it is.
pub(crate) fn open(gate: Gate, is_so: Condition) -> Result {
    if is_so() {
        return Ok(gate.open()?);
    }
    let mut watch = lock(&WATCH);
    if !watch.is_running {
        let thread = thread::Builder::new().name("cuda-fake-until".to_owned());
        drop(thread.spawn(look).map_err(|_| Code::OUT_OF_MEMORY)?);
        watch.is_running = true;
    }
    watch.awaited.push(Awaited { is_so, gate });
    Ok(())
}

/// Sleeps until something is so.
pub(crate) fn wait(is_so: Condition) -> Result {
    let gate = Gate::named("what another process does");
    let point = gate.point();
    open(gate, is_so)?;
    crate::lane::wait(&point)
}

fn look() {
    while let Some(awaited) = take() {
        let (come, pending): (Vec<_>, Vec<_>) =
            awaited.into_iter().partition(|awaited| (awaited.is_so)());
        lock(&WATCH).awaited.extend(pending);
        for awaited in come {
            // Only this thread opens it.
            let _opened = awaited.gate.open();
        }
        thread::park_timeout(PAUSE);
    }
}

/// What is awaited; nothing ends the thread.
fn take() -> Option<Vec<Awaited>> {
    let mut watch = lock(&WATCH);
    if watch.awaited.is_empty() || syncpoint_base::is_exiting() {
        watch.is_running = false;
        return None;
    }
    Some(std::mem::take(&mut watch.awaited))
}
