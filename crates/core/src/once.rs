//! A value that is taken once: whoever takes it owns what happens next.

use crate::sync::{Mutex, lock};

/// A value to be taken by the first of any number of threads.
pub(crate) struct Once<T>(Mutex<Option<T>>);

impl<T> Once<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    /// The value, for the first caller only.
    pub(crate) fn take(&self) -> Option<T> {
        lock(&self.0).take()
    }
}
