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
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Table {
    /// Once the run has been cut short nothing starts any more, and what is being started is sent this.
    closed: Option<Signal>,
    /// Every command that has a thread.
    present: BTreeMap<usize, Stage>,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its process may be there already, and nobody knows its number yet.
    Starting,
    /// Its group may be signalled.
    Running(Pid),
    /// Its group may not be signalled any more.
    Over,
}

/// How long a process may take to start before nobody waits to kill it: a thousand times what it takes.
const START: Duration = Duration::from_secs(1);

impl Children {
    /// Counts the command of a step in; not if the run has been cut short.
    pub(super) fn enter(&self, step: usize) -> bool {
        let mut table = self.table();
        let open = table.closed.is_none();
        if open {
            table.present.insert(step, Stage::Starting);
        }
        open
    }

    /// The command runs: from now on its group is signalled with the others. If the run has been cut short meanwhile,
    /// at once.
    pub(super) fn started(&self, step: usize, child: &Child) {
        let mut table = self.table();
        let group = Pid::from_child(child);
        table.present.insert(step, Stage::Running(group));
        if let Some(sent) = table.closed {
            signal(group, sent);
        }
        self.changed.notify_all();
    }

    /// The command has ended and is about to be reaped: its group is signalled no more.
    pub(super) fn ended(&self, step: usize) {
        self.table().present.insert(step, Stage::Over);
    }

    /// Everything that there is to tell of the command has been told.
    pub(super) fn leave(&self, step: usize) {
        self.table().present.remove(&step);
        self.changed.notify_all();
    }

    /// Lets nothing start any more, and tells what runs to end.
    pub(super) fn close(&self) {
        self.table().end_all(Signal::TERM);
    }

    /// Lets nothing start any more, and kills what runs. What is just being started is waited for: the program may end
    /// next, and would leave it behind.
    pub(super) fn kill(&self) {
        self.table().end_all(Signal::KILL);
        let starts = |table: &Table| table.present.values().any(|stage| *stage == Stage::Starting);
        self.wait_while(START, starts);
    }

    /// Waits until every command has left, at most this long. Says whether they have.
    pub(super) fn wait_until_gone(&self, longest: Duration) -> bool {
        self.wait_while(longest, |table| !table.present.is_empty())
    }

    /// Waits while something is so, at most this long. Says whether it has ended.
    fn wait_while(&self, longest: Duration, so: impl Fn(&Table) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.table(), longest, |table| so(table));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Once killed, nobody is asked politely any more.
    fn end_all(&mut self, how: Signal) {
        let how = self.closed.filter(|sent| *sent == Signal::KILL).unwrap_or(how);
        self.closed = Some(how);
        for stage in self.present.values() {
            if let Stage::Running(group) = *stage {
                signal(group, how);
            }
        }
    }
}

/// Signals a group whose leader is not yet reaped.
pub(super) fn signal(group: Pid, what: Signal) {
    // The only trouble left is a member that has taken another user's rights, and then there is nothing to be done.
    kill_process_group(group, what).ok();
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::process::{CommandExt, ExitStatusExt},
        process::Command,
        thread,
    };

    use super::*;

    #[test]
    fn what_is_being_started_is_killed_too() {
        let children = Children::default();
        assert!(children.enter(0) && children.enter(1));
        let mut child = Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
        thread::scope(|scope| {
            let killed = scope.spawn(|| children.kill());
            // Nobody enters once the killing has begun; from then on it waits for the two.
            while children.enter(2) {
                children.leave(2);
            }
            // The run that is led beside it may come to its own end.
            children.close();
            children.started(0, &child);
            children.leave(1);
            killed.join().unwrap();
        });
        assert_eq!(child.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
    }
}
