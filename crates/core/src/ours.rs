//! Threads of ours: they begin nothing of the user's while the process exits, and the copy of one in a child ends it.

use std::cell::Cell;

use syncpoint_base::{Inside, Process, end_child};

use crate::sync::local;

local! {
    static IS_OURS: Cell<bool> = Cell::new(false);
}

/// A thread of ours, as it sees itself.
#[derive(Clone, Copy, Debug)]
#[must_use = "a thread of ours looks whether it may go on after each call of the user's"]
pub struct Ours {
    /// The process that made the thread.
    process: Process,
}

impl Ours {
    /// This thread is ours from now on. The first thing that it does.
    pub fn begin() -> Self {
        // While a thread ends its table may be gone; one of ours begins here.
        let _gone = IS_OURS.try_with(|is_ours| is_ours.set(true));
        Self { process: Process::current() }
    }

    /// Called after everything that may have called something of the user's, with no lock held. Where that forked, this
    /// is the child's copy of the thread, and the only thread that the child inherited: the child ends here, with success
    /// and without its exit handlers. What the thread holds is the parent's and is left alone.
    #[inline]
    pub fn go_on(self) {
        if !self.process.is_current() {
            end_child();
        }
    }
}

/// Whether this thread is ours.
#[inline]
pub fn is_here() -> bool {
    IS_OURS.try_with(Cell::get).unwrap_or(false)
}

/// The process comes to its end.
#[expect(clippy::exhaustive_structs, reason = "for backends, outside the semver promise")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending;

/// Has a thread of ours enter a driver, for a call; what the user's threads do at the end of the process is the user's to
/// see to.
///
/// # Errors
/// The process comes to its end: the call is not to be made.
#[inline]
pub fn enter_if_ours() -> Result<Option<Inside>, Ending> {
    if is_here() { Inside::enter().map(Some).ok_or(Ending) } else { Ok(None) }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_of_ours_enters_a_driver_and_one_of_the_users_does_not() {
        assert!(matches!(enter_if_ours(), Ok(None)));
        let ours = std::thread::spawn(|| {
            let _ours = Ours::begin();
            matches!(enter_if_ours(), Ok(Some(_)))
        });
        assert!(ours.join().unwrap());
    }
}
