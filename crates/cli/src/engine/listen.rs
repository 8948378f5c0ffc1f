//! Listening to a command until it has ended.

use std::{
    io::{self, PipeReader, Read},
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionbio, retry_on_intr},
    process::{Pid, Signal, WaitId, WaitIdOptions, waitid},
};

use crate::report::Tail;

/// How much is read at once: what a pipe holds.
const CHUNK: usize = 64 * 1024;
/// How much is read before looking whether the command has ended: the most that Linux lets a pipe hold for anybody.
const MOST: usize = 1024 * 1024;
/// How often a system that cannot tell of an end by a descriptor is asked for it.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
/// How often a silent command is looked at: no descriptor tells that it was stopped.
const PULSE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// How listening to a command came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The command has ended, or nobody can say any more.
    Everything,
    /// The command asked for the terminal, as for a password. It is in the background of that, so the system has
    /// stopped it, and it would never go on.
    AskForTerminal,
}

/// Reads what a command says until it has ended, or until nobody can say any more.
///
/// A process that the command left behind may hold the pipe open for ever; what it says after the end is not awaited.
pub(super) fn listen(mut output: PipeReader, leader: Pid, tail: &mut Tail) -> io::Result<Heard> {
    ioctl_fionbio(&output, true)?;
    let end = end_of(leader);
    let mut chunk = vec![0; CHUNK];
    loop {
        wait_for_either(&output, end.as_ref())?;
        // Asked before the pipe is read: then all that was said before the end is read after it.
        let ended = has_ended(leader)?;
        if !drain(&mut output, &mut chunk, tail)? || ended {
            return Ok(Heard::Everything);
        }
        if asks_for_terminal(leader)? {
            return Ok(Heard::AskForTerminal);
        }
    }
}

/// Waits until a command has ended, and leaves it unreaped, so that its number stays its own.
pub(super) fn wait_for_end(leader: Pid) -> io::Result<()> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    retry_on_intr(|| waitid(WaitId::Pid(leader), options))?;
    Ok(())
}

fn has_ended(leader: Pid) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    Ok(retry_on_intr(|| waitid(WaitId::Pid(leader), options))?.is_some())
}

/// Whether the system has stopped a process because it reads or changes the terminal. Who stops it otherwise will let
/// it go on, too.
fn asks_for_terminal(leader: Pid) -> io::Result<bool> {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let stopped = match retry_on_intr(|| waitid(WaitId::Pid(leader), options)) {
        // It has ended in between: who asks for stopped ones alone does not see it.
        Err(Errno::CHILD) => return Ok(false),
        stopped => stopped?,
    };
    let signal = stopped.and_then(|status| status.stopping_signal());
    Ok([Signal::TTIN, Signal::TTOU].into_iter().any(|asks| signal == Some(asks.as_raw())))
}

/// A descriptor that becomes readable when a process ends, where the system has such.
#[cfg(target_os = "linux")]
fn end_of(leader: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(leader, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn end_of(_leader: Pid) -> Option<OwnedFd> {
    None
}

fn wait_for_either(output: &PipeReader, end: Option<&OwnedFd>) -> io::Result<()> {
    let descriptors = [Some(output.as_fd()), end.map(AsFd::as_fd)];
    let watch = |descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN);
    let mut watched: Vec<PollFd<'_>> = descriptors.into_iter().flatten().map(watch).collect();
    let longest = if end.is_some() { PULSE } else { LOOK };
    retry_on_intr(|| poll(&mut watched, Some(&longest)))?;
    Ok(())
}

/// Reads all that is there, up to a bound: who left the group may go on talking. Says whether there may be more.
fn drain(output: &mut PipeReader, chunk: &mut [u8], tail: &mut Tail) -> io::Result<bool> {
    let mut taken = 0;
    while taken < MOST {
        match output.read(chunk) {
            Ok(0) => return Ok(false),
            Ok(length) => {
                taken += length;
                tail.push(&chunk[..length]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_command_that_has_just_ended_asks_for_no_terminal() {
        let mut child = Command::new("true").spawn().unwrap();
        let leader = Pid::from_child(&child);
        wait_for_end(leader).unwrap();
        assert!(!asks_for_terminal(leader).unwrap());
        assert!(child.wait().unwrap().success());
    }
}
