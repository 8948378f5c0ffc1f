//! The end of the process, as threads meet it: ours begin nothing any more, and the one that exits waits for nobody.

use std::thread;

use syncpoint_base::{is_exiting, is_exiting_here};

use crate::error::{Error, Kind};

/// Called by a thread of ours before it runs something of the user's: once the process exits it rests here to the end.
#[inline]
pub(crate) fn rest_if_exiting() {
    if is_exiting() {
        rest();
    }
}

#[cold]
fn rest() {
    loop {
        thread::park();
    }
}

/// Why the thread that exits does not go on waiting: whatever it waits for may never be begun.
pub(crate) fn refusal() -> Option<Error> {
    is_exiting_here().then(error)
}

#[cold]
fn error() -> Error {
    let message = "the process exits, and no work is begun any more; synchronize before main returns or exit is called";
    Error::new(Kind::Unavailable, message)
}
