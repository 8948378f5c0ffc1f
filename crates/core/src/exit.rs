//! The end of the process, as threads meet it: ours begin nothing any more, and the one that exits waits for nobody.

use std::thread;

use syncpoint_base::{is_exiting, is_exiting_here};

use crate::error::{Error, Kind};
use crate::ours;

/// Called before work of the user's is begun, by whoever begins it: once the process exits that thread rests here to the
/// end. The one that exits does not: it comes here only where the user's handlers ask it to.
#[inline]
pub(crate) fn rest_if_exiting() {
    if is_exiting() {
        rest();
    }
}

/// Called before wakers and observers are called, to which any thread may come: those of ours rest, and the user's go on,
/// since the thread that exits may join them.
#[inline]
pub(crate) fn rest_if_ours_and_exiting() {
    if is_ours_and_exiting() {
        rest();
    }
}

/// Whether this is a thread of ours, and the process exits.
#[inline]
pub(crate) fn is_ours_and_exiting() -> bool {
    is_exiting() && ours::is_here()
}

/// Rests to the end of the process, on a thread of ours.
#[cold]
pub(crate) fn rest() {
    while !is_exiting_here() {
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
