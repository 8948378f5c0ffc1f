//! The commands that run: each in a process group of its own, all of them ended together.

use std::{
    collections::BTreeMap,
    process::Child,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

/// The commands of a run.
///
/// A group is signalled under the lock only while its leader is not yet reaped, so that its number cannot have become
/// somebody else's.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// Guards the table; a signal may be sent under it, nothing waits.
    table: Mutex<Table>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Table {
    /// Whether the run has been cut short: nothing starts any more.
    closed: bool,
    /// Every command that has a thread, with its group while that may be signalled.
    present: BTreeMap<usize, Option<Pid>>,
}

impl Children {
    /// Counts the command of a step in; not if the run has been cut short.
    pub(super) fn enter(&self, step: usize) -> bool {
        let mut table = self.table();
        if !table.closed {
            table.present.insert(step, None);
        }
        !table.closed
    }

    /// The command runs: from now on its group is signalled with the others. If the run has been cut short meanwhile,
    /// at once.
    pub(super) fn started(&self, step: usize, child: &Child) {
        let mut table = self.table();
        let group = Pid::from_child(child);
        table.present.insert(step, Some(group));
        if table.closed {
            signal(group, Signal::TERM);
        }
    }

    /// The command has ended and is about to be reaped: its group is signalled no more.
    pub(super) fn ended(&self, step: usize) {
        self.table().present.insert(step, None);
    }

    /// Everything that there is to tell of the command has been told.
    pub(super) fn leave(&self, step: usize) {
        self.table().present.remove(&step);
        self.left.notify_all();
    }

    /// Lets nothing start any more, and tells what runs to end.
    pub(super) fn close(&self) {
        let mut table = self.table();
        table.closed = true;
        table.signal_all(Signal::TERM);
    }

    /// Lets nothing start any more, and kills what runs.
    pub(super) fn kill(&self) {
        let mut table = self.table();
        table.closed = true;
        table.signal_all(Signal::KILL);
    }

    /// Waits until every command has left, at most this long. Says whether they have.
    pub(super) fn wait_until_gone(&self, longest: Duration) -> bool {
        let present = |table: &mut Table| !table.present.is_empty();
        let waited = self.left.wait_timeout_while(self.table(), longest, present);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn signal_all(&self, what: Signal) {
        for group in self.present.values().flatten() {
            signal(*group, what);
        }
    }
}

/// Signals a group whose leader is not yet reaped.
pub(super) fn signal(group: Pid, what: Signal) {
    // The only trouble left is a member that has taken another user's rights, and then there is nothing to be done.
    kill_process_group(group, what).ok();
}
