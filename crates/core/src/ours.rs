//! Threads of ours: they begin nothing of the user's while the process exits, and the copy of one in a child ends it.

use std::cell::Cell;

use syncpoint_base::{Process, end_child};

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
pub(crate) fn is_here() -> bool {
    IS_OURS.try_with(Cell::get).unwrap_or(false)
}
