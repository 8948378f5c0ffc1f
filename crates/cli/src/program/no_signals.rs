//! Where there are no Unix signals: Ctrl-C ends the program at once, which is what the system does by itself.

use std::io;

use crate::engine::Stopper;

/// What has come so far: nothing.
#[derive(Debug, Default)]
pub(super) struct Heard;

impl Heard {
    /// Writes the result.
    pub(super) fn unless_ended<T>(&self, write: impl FnOnce() -> T) -> T {
        write()
    }

    /// No signal ends a run here.
    pub(super) fn signal(&self) -> Option<i32> {
        None
    }
}

/// Listens to nothing.
pub(super) fn listen(_stopper: Stopper) -> io::Result<Heard> {
    Ok(Heard)
}
