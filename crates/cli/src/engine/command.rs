//! Commands: started in the order of their stream, heard to their end, failed if they failed.

use std::{
    io::{self, ErrorKind, PipeReader},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{self, Child, ExitStatus, Stdio},
    sync::{Arc, mpsc::Sender},
    thread,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal},
};
use syncpoint::{Error, Gate, Result, Stream};

use super::{
    children::{self, Children},
    event::Event,
    listen::{self, Heard},
};
use crate::report::{Output, Tail};

/// How many bytes of a command's output are kept: its end, several screens of it.
const KEPT: usize = 32 * 1024;

/// A command that will run.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) step: usize,
    pub(super) command: process::Command,
    pub(super) children: Arc<Children>,
    pub(super) events: Sender<Event>,
}

/// Puts a command on a stream, which goes on when the command has succeeded.
pub(super) fn enqueue(stream: &Stream, job: Job, name: &str) -> Result<()> {
    let gate = Gate::named(name);
    let over = gate.point();
    stream.enqueue(move || begin(job, gate))?;
    stream.wait(&over)
}

/// Gives the command a thread of its own, so that no worker of the device is taken by it.
fn begin(job: Job, gate: Gate) -> io::Result<()> {
    let thread = thread::Builder::new().name("syncpoint-command".to_owned());
    // Nobody joins the thread: it leaves the table of children when it has told everything.
    thread.spawn(move || job.attend(&gate)).map(drop)
}

impl Job {
    /// The command from its start to its end. The gate is opened or failed last.
    fn attend(mut self, gate: &Gate) {
        let mut tail = Tail::new(KEPT);
        let ended = if self.children.enter(self.step) {
            self.run(&mut tail)
        } else {
            Err("the run was stopped before it could begin".to_owned())
        };
        self.tell(tail.finish(), ended.clone().err());
        let settled = match ended {
            Ok(()) => gate.open(),
            Err(reason) => gate.fail(Error::failed(reason)),
        };
        debug_assert!(settled.is_ok(), "this thread alone has the gate");
        self.children.leave(self.step);
    }

    /// Tells what the command said. Nobody listens once the run is over.
    fn tell(&self, output: Output, failure: Option<String>) {
        self.events.send(Event::Said(self.step, output, failure)).ok();
    }

    fn run(&mut self, tail: &mut Tail) -> Result<(), String> {
        let program = self.command.get_program().display().to_string();
        let lost = |error: io::Error| format!("{program} was lost sight of: {error}");
        let (mut child, output) = self.start().map_err(|error| self.excuse(&program, &error))?;
        let leader = Pid::from_child(&child);
        let heard = listen::listen(output, leader, tail);
        if !matches!(heard, Ok(Heard::Everything)) {
            children::signal(leader, Signal::KILL);
        }
        let status = self.finish(&mut child, leader).map_err(lost)?;
        match heard.map_err(lost)? {
            Heard::Everything => verdict(&program, status),
            Heard::AskForTerminal => Err(format!(
                "{program} asked for the terminal, which no command has; tell it what it asks for by an argument, a variable or a file"
            )),
        }
    }

    /// Starts the process in a group of its own, its output in one pipe, in the order in which it is said.
    fn start(&mut self) -> io::Result<(Child, PipeReader)> {
        let (output, pipe) = io::pipe()?;
        self.command.stdin(Stdio::null()).stdout(pipe.try_clone()?).stderr(pipe).process_group(0);
        let child = self.command.spawn();
        // The command holds ends of the pipe, which is over only when all of them are closed.
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = child?;
        self.children.started(self.step, &child);
        Ok((child, output))
    }

    /// Waits for the end, kills what was left behind in the group, and reaps the leader: in this order, because only an
    /// unreaped leader keeps the number of the group from others.
    fn finish(&self, child: &mut Child, leader: Pid) -> io::Result<ExitStatus> {
        listen::wait_for_end(leader)?;
        children::signal(leader, Signal::KILL);
        self.children.ended(self.step);
        child.wait()
    }

    /// Why a process could not be started, and what to do. A missing folder and a missing program are one error to the
    /// system.
    fn excuse(&self, program: &str, error: &io::Error) -> String {
        let folder = self.command.get_current_dir().unwrap_or_else(|| Path::new("."));
        if !folder.is_dir() {
            let folder = folder.display();
            return format!(
                "{program} cannot be started: there is no folder {folder}; make it, or name another with dir"
            );
        }
        let remedy = match error.kind() {
            // Without a slash it was looked for on the path, and what lies in the folder is not meant.
            ErrorKind::NotFound if program.contains('/') && folder.join(program).exists() => {
                "the interpreter that its first line names is missing: install it, or name another there"
            }
            ErrorKind::NotFound => "install it, or write its path if it is not on PATH",
            ErrorKind::PermissionDenied => "make it executable: chmod +x",
            ErrorKind::ArgumentListTooLong => "give it fewer arguments, or put them into a file",
            _ if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
                "it is no program of this machine: begin it with a line such as #!/bin/sh, or name its interpreter before it"
            }
            _ if error.raw_os_error() == Some(Errno::MFILE.raw_os_error()) => {
                "raise the number of open files with ulimit -n, or put the steps of commands on fewer streams"
            }
            _ => "let fewer commands run at once: put their steps on fewer streams",
        };
        format!("{program} cannot be started: {error}; {remedy}")
    }
}

/// Whether the command succeeded, and if not, what it ended with.
fn verdict(program: &str, status: ExitStatus) -> Result<(), String> {
    if status.success() {
        return Ok(());
    }
    Err(match (status.code(), status.signal()) {
        (Some(code), _) => format!("{program} ended with exit status {code}"),
        (None, Some(signal)) => {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("unnamed");
            format!("{program} was ended by signal {signal} ({name})")
        }
        (None, None) => format!("{program} ended with {status}"),
    })
}
