//! Listeners: threads that hear of other processes' events while somebody here waits for them.
//!
//! One thread for as many waits as the kernel lets it listen to at once. It looks at all of them whenever a bell rings,
//! and every 50 ms at whether the other processes live.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::page::{self, BELLS, Bell};
use syncpoint_base::{PerProcess, spawn};

use super::import::{Import, settle};
use crate::error::{Error, Kind, Result};
use crate::exit::rest_if_exiting;
use crate::gate::Gate;
use crate::ours::Ours;
use crate::sync::process::{Mutex, lock};

/// How often a listener looks whether the processes that it hears of live: a dead one is an error within this time and
/// a half.
const LOOK: Duration = Duration::from_millis(50);

/// A listener to which nobody comes for this long ends, as surplus workers do.
const STAYS: Duration = Duration::from_secs(10);

/// How many waits a listener serves: one bell is its own.
const WAITS: usize = BELLS - 1;

/// The listeners of this process. Guards the list and each one's arrivals; a thread is made under it.
static LISTENERS: PerProcess<Mutex<Vec<Arc<Listener>>>> = PerProcess::new(Mutex::default);

/// Settles a gate when a generation is settled, or its process is dead.
///
/// # Errors
/// `Exhausted`: there is no room for another thread.
pub(super) fn add(import: Arc<Import>, generation: u64, gate: Gate) -> Result<()> {
    let wait = Wait { import, generation, gate };
    let mut listeners = lock(&LISTENERS);
    if let Some(listener) = listeners.iter().find(|listener| lock(&listener.inbox).has_room()) {
        lock(&listener.inbox).add(wait);
        listener.bell.ring();
        return Ok(());
    }
    let listener = Arc::new(Listener::default());
    let own = Arc::clone(&listener);
    // The thread ends by itself. Where it cannot be made the wait is dropped after the lock is free: its
    // gate fails, and tells observers.
    spawn("syncpoint-listen", move || own.run()).map_err(no_thread)?;
    lock(&listener.inbox).add(wait);
    listener.bell.ring();
    listeners.push(listener);
    Ok(())
}

#[cold]
fn no_thread(error: io::Error) -> Error {
    let message = "the thread that listens to other processes cannot be made; free threads or memory and try again";
    Error::new(Kind::Exhausted, message).caused_by(error)
}

/// Somebody here waits for a generation.
#[derive(Debug)]
struct Wait {
    import: Arc<Import>,
    generation: u64,
    gate: Gate,
}

#[derive(Debug, Default)]
struct Listener {
    inbox: Mutex<Inbox>,
    /// Rung for arrivals.
    bell: Bell,
}

#[derive(Debug, Default)]
struct Inbox {
    arrivals: Vec<Wait>,
    /// How many waits the listener has, arrivals included.
    waits: usize,
}

impl Inbox {
    fn has_room(&self) -> bool {
        self.waits < WAITS
    }

    fn add(&mut self, wait: Wait) {
        self.arrivals.push(wait);
        self.waits += 1;
    }
}

impl Listener {
    fn run(self: &Arc<Self>) {
        let (ours, mut waits) = (Ours::begin(), Vec::new());
        let (mut looked, mut needed) = (Instant::now(), Instant::now());
        loop {
            // The bell before what it tells of.
            let rung = self.bell.rung();
            waits.append(&mut lock(&self.inbox).arrivals);
            let look = looked.elapsed() >= LOOK;
            if look {
                looked = Instant::now();
            }
            let rungs = self.settle(&mut waits, look, ours);
            if waits.is_empty() {
                if needed.elapsed() >= STAYS && self.leave() {
                    return;
                }
                page::listen(&[(&self.bell, rung)], STAYS);
                continue;
            }
            needed = Instant::now();
            let bells = waits.iter().zip(rungs).map(|(wait, rung)| (wait.import.bell(), rung));
            let bells: Vec<_> = [(&self.bell, rung)].into_iter().chain(bells).collect();
            page::listen(&bells, LOOK.saturating_sub(looked.elapsed()));
        }
    }

    /// Settles the gates of what is settled. Gives how often the bells of the others had been rung before they were
    /// looked at.
    fn settle(&self, waits: &mut Vec<Wait>, look: bool, ours: Ours) -> Vec<u32> {
        let mut rungs = Vec::with_capacity(waits.len());
        waits.retain(|wait| {
            let rung = wait.import.bell().rung();
            let outcome = wait.import.outcome(wait.generation, look);
            match outcome {
                None => rungs.push(rung),
                Some(outcome) => {
                    lock(&self.inbox).waits -= 1;
                    rest_if_exiting();
                    settle(&wait.gate, outcome);
                    // Before the next: a thread of the parent may have held the lock at the fork.
                    ours.go_on();
                    return false;
                }
            }
            true
        });
        rungs
    }

    /// Takes itself off the list, unless somebody has come.
    fn leave(self: &Arc<Self>) -> bool {
        let mut listeners = lock(&LISTENERS);
        let unneeded = lock(&self.inbox).waits == 0;
        if unneeded {
            listeners.retain(|listener| !Arc::ptr_eq(listener, self));
        }
        unneeded
    }
}
