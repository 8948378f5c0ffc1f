//! References into Python that threads of ours let go of: with the interpreter's lock.

use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::ending::attached;

/// A reference to an object of Python's, inside a value that any thread may drop.
pub(crate) struct Held {
    slot: Arc<Slot>,
    full: bool,
}

impl Held {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self { slot: Arc::new(Slot(Mutex::new(Some(object)))), full: true }
    }

    /// Takes it out. `None` where that was done before.
    pub(crate) fn take(&mut self, _py: Python<'_>) -> Option<Py<PyAny>> {
        self.full = false;
        self.slot.take()
    }

    /// Where it is, for whoever shows it to the garbage collector.
    pub(crate) fn slot(&self) -> Weak<Slot> {
        Arc::downgrade(&self.slot)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.full {
            return;
        }
        let let_go = attached(|_py| drop(self.slot.take()));
        if let_go.is_none() {
            // Where the interpreter ends, what it holds ends with it: nothing is let go of.
            let _kept = ManuallyDrop::new(Arc::clone(&self.slot));
        }
    }
}

/// The reference. It is looked at and taken out with the interpreter's lock alone.
#[derive(Debug)]
pub(crate) struct Slot(Mutex<Option<Py<PyAny>>>);

impl Slot {
    fn take(&self) -> Option<Py<PyAny>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Shows it to the collector.
    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let object = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        object.as_ref().map_or(Ok(()), |object| visit.call(object))
    }
}
