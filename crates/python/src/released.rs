//! Values whose end may enter a driver: they are dropped without the interpreter's lock.

use std::ops::{Deref, DerefMut};

use pyo3::Python;

/// A value of ours inside an object of Python's. A garbage collector, whichever thread runs it, waits for no driver.
#[derive(Debug)]
pub(crate) struct Released<T: Send>(Option<T>);

impl<T: Send> Released<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value, which nobody needs any more. It is dropped at once: the interpreter's lock is not there to be released.
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}

impl<T: Send> Deref for Released<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap_or_else(|| unreachable!("it ends last of all"))
    }
}

impl<T: Send> DerefMut for Released<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap_or_else(|| unreachable!("it ends last of all"))
    }
}

impl<T: Send> Drop for Released<T> {
    fn drop(&mut self) {
        let mut value = self.0.take();
        if value.is_none() {
            return;
        }
        // Where the interpreter is not there any more there is no lock of its to release.
        let dropped = Python::try_attach(|py| py.detach(|| drop(value.take())));
        if dropped.is_none() {
            drop(value);
        }
    }
}
