//! What a gate alone holds back, so that the garbage collector sees through it.
//!
//! A gate that only its own callbacks and work can still reach is garbage.
//!
//! All locks here are taken with the interpreter's lock, and for a moment: the collector, which stops whoever has that, finds
//! them free, and the same in each of its rounds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::held::{Held, Slot};

/// The functions that a gate holds back, until it is opened or fails: then others are to call them.
#[derive(Debug, Default)]
pub(crate) struct Room(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    closed: bool,
    slots: Vec<Weak<Slot>>,
}

impl Room {
    /// Takes in a function that is not called before the gate has settled.
    pub(crate) fn take_in(&self, held: &Held) {
        let mut inner = self.lock();
        if inner.closed {
            return;
        }
        if inner.slots.len() == inner.slots.capacity() {
            inner.slots.retain(|slot| slot.strong_count() > 0);
        }
        inner.slots.push(held.slot());
    }

    /// From now on whatever is in it is held by others.
    pub(crate) fn close(&self) {
        *self.lock() = Inner { closed: true, slots: Vec::new() };
    }

    /// Whether somebody is in it.
    pub(crate) fn is_used(&self) -> bool {
        self.lock().slots.iter().any(|slot| slot.strong_count() > 0)
    }

    fn is_open(&self) -> bool {
        !self.lock().closed
    }

    /// Shows the collector what is in it.
    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for slot in self.lock().slots.iter().filter_map(Weak::upgrade) {
            slot.visit(visit)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The gates that a stream is behind.
#[derive(Debug, Default)]
pub(crate) struct Behind(Mutex<Vec<Weak<Room>>>);

impl Behind {
    /// What is enqueued from now on is behind this one too.
    pub(crate) fn add(&self, room: &Weak<Room>) {
        let mut rooms = self.lock();
        rooms.retain(is_open);
        if is_open(room) && !rooms.iter().any(|other| other.ptr_eq(room)) {
            rooms.push(Weak::clone(room));
        }
    }

    /// And behind these.
    pub(crate) fn add_all(&self, rooms: &[Weak<Room>]) {
        for room in rooms {
            self.add(room);
        }
    }

    /// The first of those that have not settled. What it is for is to be in one of them alone.
    pub(crate) fn first(&self) -> Weak<Room> {
        let mut rooms = self.lock();
        rooms.retain(is_open);
        rooms.first().cloned().unwrap_or_default()
    }

    /// Those that have not settled.
    pub(crate) fn all(&self) -> Vec<Weak<Room>> {
        let mut rooms = self.lock();
        rooms.retain(is_open);
        rooms.clone()
    }

    /// What is enqueued from now on is behind none of them.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Room>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_open(room: &Weak<Room>) -> bool {
    room.upgrade().is_some_and(|room: Arc<Room>| room.is_open())
}

/// Has the collector call `Gate._collected` of what it is about to take apart. There is no other way to say so of a class in
/// Rust.
pub(crate) fn finalized(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let gate = module.getattr("Gate")?;
    gate.setattr("__del__", gate.getattr("_collected")?)
}
