//! What a child inherited by fork: objects whose work, threads and locks stayed with the parent.

use std::fmt::Display;
use std::mem::ManuallyDrop;

use syncpoint_base::Process;

use crate::error::{Error, Kind, Result};

/// Refuses an object of another process. Asked before any lock of the object: a thread of the parent may have held it.
#[inline]
pub(crate) fn check(process: Process, object: &dyn Display) -> Result<()> {
    if process.is_current() { Ok(()) } else { Err(error(object)) }
}

#[cold]
pub(crate) fn error(object: &dyn Display) -> Error {
    let message = format!(
        "{object} was made before this process was forked, and stayed with the parent; open a device and make streams \
         and events anew in the child"
    );
    Error::new(Kind::Unavailable, message)
}

/// A value of this process. In a child it is not there, and is never dropped: what the parent's threads hold on to, the
/// user's captures among it, is the parent's.
#[derive(Debug)]
pub(crate) struct Own<T> {
    process: Process,
    /// Empty once it was taken.
    value: Option<T>,
}

impl<T> Own<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { process: Process::current(), value: Some(value) }
    }

    /// `None` in a child.
    #[inline]
    pub(crate) fn get(&mut self) -> Option<&mut T> {
        if self.process.is_current() { self.value.as_mut() } else { None }
    }

    /// `None` in a child.
    #[inline]
    pub(crate) fn take(mut self) -> Option<T> {
        if self.process.is_current() { self.value.take() } else { None }
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.value.is_some() && !self.process.is_current() {
            let _left_alone = ManuallyDrop::new(self.value.take());
        }
    }
}
