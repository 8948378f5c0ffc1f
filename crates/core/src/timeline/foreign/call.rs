//! The call for a thread that sleeps for a counter: one of those who wait makes it, for all.

#[cfg(all(test, syncpoint_loom))]
mod model;

use std::mem;

use crate::sync::{Mutex, lock};

/// Whether a thread is there, or on its way, for those who wait.
#[derive(Debug, Default)]
pub(super) struct Call(Mutex<Stand>);

/// Held while the leaf lock of the timeline is taken, so that either who waits finds the thread there or the thread finds
/// who waits.
#[derive(Debug, Default, PartialEq, Eq)]
enum Stand {
    /// Nobody has called one.
    #[default]
    Nobody,
    /// Somebody has.
    Called,
    /// Somebody has, and others who wait have relied on that.
    CalledForOthers,
}

impl Call {
    /// Whether the caller, who is listed, has to call the thread.
    pub(super) fn begin(&self, is_needed: impl FnOnce() -> bool) -> bool {
        let mut stand = lock(&self.0);
        if !is_needed() {
            return false;
        }
        let is_first = *stand == Stand::Nobody;
        *stand = if is_first { Stand::Called } else { Stand::CalledForOthers };
        is_first
    }

    /// No thread can be made. Says whether others have relied on it meanwhile: then it is tried again for them.
    pub(super) fn give_up(&self) -> bool {
        mem::take(&mut *lock(&self.0)) == Stand::CalledForOthers
    }

    /// Whether somebody is listed and no thread was called.
    pub(super) fn is_due(&self, is_needed: impl FnOnce() -> bool) -> bool {
        let stand = lock(&self.0);
        *stand == Stand::Nobody && is_needed()
    }

    /// Whether the thread stays. Where it does not, the next that waits calls it.
    pub(super) fn stays(&self, is_needed: impl FnOnce() -> bool) -> bool {
        let mut stand = lock(&self.0);
        let stays = is_needed();
        if !stays {
            *stand = Stand::Nobody;
        }
        stays
    }

    /// Whether a thread was called and has not left.
    #[cfg(all(test, not(syncpoint_loom)))]
    pub(super) fn is_there(&self) -> bool {
        *lock(&self.0) != Stand::Nobody
    }
}
