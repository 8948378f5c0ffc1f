//! The engine: the thread that moves an automatic world on.

use std::sync::{Arc, Weak};

use syncpoint_base::spawn;
use syncpoint_core::contract::Ours;
use syncpoint_core::{Error, Kind, Result};

use crate::sync::{Condvar, Mutex, lock, wait};
use crate::world::World;

/// One thread, made when the world is first given something to do. It sleeps while nothing will happen, and ends with
/// the world.
#[derive(Debug, Default)]
pub(crate) struct Engine(Arc<Bell>);

/// Where the thread sleeps.
#[derive(Debug, Default)]
struct Bell {
    /// Guards the signs alone.
    signs: Mutex<Signs>,
    rings: Condvar,
}

#[derive(Debug, Default)]
struct Signs {
    started: bool,
    rung: bool,
    closed: bool,
}

impl Engine {
    /// Sees to it that the thread is there.
    pub(crate) fn ensure(&self, world: &Arc<World>) -> Result<()> {
        let mut signs = lock(&self.0.signs);
        if signs.started {
            return Ok(());
        }
        let (bell, world) = (Arc::clone(&self.0), Arc::downgrade(world));
        // The thread ends with its world.
        spawn("syncpoint-sim", move || run(&bell, &world)).map_err(|error| {
            let message = "the thread of the simulated devices cannot be made; free threads or memory and try again";
            Error::new(Kind::Exhausted, message).caused_by(error)
        })?;
        signs.started = true;
        Ok(())
    }

    /// There is something to do.
    pub(crate) fn ring(&self) {
        lock(&self.0.signs).rung = true;
        self.0.rings.notify_one();
    }

    /// The world is gone.
    pub(crate) fn close(&self) {
        lock(&self.0.signs).closed = true;
        self.0.rings.notify_one();
    }
}

/// Moves the world on until it is gone.
fn run(bell: &Bell, world: &Weak<World>) {
    let ours = Ours::begin();
    while bell.wait() {
        // Taken anew each time: who sleeps keeps no world alive.
        let Some(world) = world.upgrade() else { return };
        while world.step() {
            ours.go_on();
        }
    }
}

impl Bell {
    /// Sleeps until there is something to do. `false`: the world is gone.
    fn wait(&self) -> bool {
        let mut signs = lock(&self.signs);
        while !signs.rung && !signs.closed {
            signs = wait(&self.rings, signs);
        }
        signs.rung = false;
        !signs.closed
    }
}
