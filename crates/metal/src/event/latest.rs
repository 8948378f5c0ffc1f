//! What the records of one event signal: a value of a shared event, and of another where two queues would meet on one.

use std::mem;
use std::sync::{Arc, Weak};

use syncpoint_core::Result;

use crate::row::Row;
use crate::sync::{Mutex, lock};
use crate::telling::Signal;

/// The latest of the shared events `E` of one event of ours, of which each clone is the same.
pub(super) struct Latest<E>(Mutex<State<E>>);

/// Held while a shared event is asked how far it is, and under an order lock.
struct State<E> {
    event: E,
    /// The last value that a record took.
    value: u64,
    /// What the latest record signals that was committed: nobody else is told of more.
    committed: (E, u64),
    /// The row of the stream of that record, which tells streams apart. Not kept: who has it counts on a queue that is there.
    by: Option<Weak<Row>>,
}

impl<E: Clone + Signal> Latest<E> {
    pub(super) fn new(event: E) -> Self {
        let committed = (event.clone(), 0);
        Self(Mutex::new(State { event, value: 0, committed, by: None }))
    }

    /// What the record that `row`'s stream comes to now signals: the event so far, or another, which `make` makes.
    pub(super) fn next(&self, row: &Arc<Row>, make: impl Fn() -> Result<E>) -> Result<(E, u64)> {
        // Made, and dropped, under no lock.
        let mut other = None;
        loop {
            let mut state = lock(&self.0);
            if state.is_pending_elsewhere(row) {
                let Some(other) = &mut other else {
                    drop(state);
                    other = Some(make()?);
                    continue;
                };
                mem::swap(&mut state.event, other);
            }
            state.value += 1;
            state.by = Some(Arc::downgrade(row));
            return Ok((state.event.clone(), state.value));
        }
    }

    /// A record is committed. Those of two streams may come in any order.
    pub(super) fn promise(&self, event: &E, value: u64) {
        let mut state = lock(&self.0);
        if value > state.committed.1 {
            let before = mem::replace(&mut state.committed, (event.clone(), value));
            drop(state);
            drop(before);
        }
    }

    /// A record was refused: nobody signals its value.
    pub(super) fn take_back(&self, value: u64) {
        let mut state = lock(&self.0);
        if state.value == value {
            state.value -= 1;
        }
    }

    /// What the latest record signals that was committed.
    pub(super) fn committed(&self) -> (E, u64) {
        lock(&self.0).committed.clone()
    }
}

impl<E: Signal> State<E> {
    fn is_pending_elsewhere(&self, row: &Arc<Row>) -> bool {
        let is_others = self.by.as_ref().is_some_and(|by| by.as_ptr() != Arc::as_ptr(row));
        is_others && self.event.signaled() < self.value
    }
}

#[cfg(all(test, syncpoint_loom))]
mod model;
