//! What a stream owes others: the signals of events with a handle that its command buffers bring.
//!
//! A command buffer that is killed brings none, and whoever waits for it would stand for ever. So the host signals in its
//! place, once the failure is told, in the order of the stream's values: what comes behind on the stream waits until
//! then, and nobody else signals an event while a signal of it is pending.

use std::collections::VecDeque;
use std::fmt;

use crate::sync::{Mutex, lock};
use crate::telling::{Signal, lift};

/// The signals that have not come, in the order of the stream's values. A leaf: nothing is called under it.
pub(crate) struct Owed<E>(Mutex<VecDeque<Debt<E>>>);

/// One signal.
struct Debt<E> {
    /// The value of the stream that brings it.
    value: u64,
    event: E,
    to: u64,
}

impl<E> Owed<E> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// The command buffer of `value`, the largest so far, is to signal an event.
    pub(crate) fn owe(&self, value: u64, event: &E, to: u64)
    where
        E: Clone,
    {
        let event = event.clone();
        lock(&self.0).push_back(Debt { value, event, to });
    }

    /// It never came to be.
    pub(crate) fn take_back(&self) {
        let last = lock(&self.0).pop_back();
        drop(last);
    }

    /// Everything up to `value` is over: the device has signalled.
    pub(crate) fn forget(&self, value: u64) {
        drop(self.take(value));
    }

    /// Signals in the place of the device what it has not, up to `value`.
    pub(crate) fn pay(&self, value: u64)
    where
        E: Signal,
    {
        for Debt { event, to, .. } in self.take(value) {
            lift(&event, to);
        }
    }

    fn take(&self, value: u64) -> Vec<Debt<E>> {
        let mut owed = lock(&self.0);
        let due = owed.partition_point(|debt| debt.value <= value);
        owed.drain(..due).collect()
    }
}

impl<E> fmt::Debug for Owed<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Owed({})", lock(&self.0).len())
    }
}
