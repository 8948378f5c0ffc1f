//! What a child inherited by fork: objects whose work, threads and locks stayed with the parent.

use std::fmt::Display;

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
