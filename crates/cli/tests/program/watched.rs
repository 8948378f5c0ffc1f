//! The program while it runs: signalled, and its end waited for without sleeping.

use std::{
    fs,
    io::{self, Read},
    os::fd::{AsFd, OwnedFd},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

use super::support::{Ended, Scene};

/// How long anything may take that is to be prompt. Its rival is a command of a thousand seconds.
pub(crate) const PROMPT: Duration = Duration::from_secs(60);

/// The program, started. It is killed if its test ends before it.
pub(crate) struct Watched(Option<Child>);

impl Watched {
    /// Starts it.
    pub(crate) fn start(command: &Command) -> Self {
        let mut listening = listening(command);
        let child = listening.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self(Some(child.expect("the program starts")))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.0.as_ref().expect("it runs");
        kill_process(Pid::from_child(child), signal).expect("it runs");
    }

    /// Waits for its end, which has to come soon.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Ended {
        let begin = Instant::now();
        let mut child = self.0.take().expect("it runs");
        let process = Process::of(Pid::from_child(&child));
        // Read beside the wait, or a long report would fill the pipe and the program could not end.
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let stdout = thread::spawn(move || io::read_to_string(stdout.expect("a pipe")));
        let stderr = thread::spawn(move || io::read_to_string(stderr.expect("a pipe")));
        if !process.ends_within(PROMPT) {
            child.kill().expect("it runs");
            panic!("the program still ran after {:?}", begin.elapsed());
        }
        let status = child.wait().expect("it has ended").code();
        let [stdout, stderr] = [stdout, stderr]
            .map(|reader| reader.join().expect("it reads").expect("what the program says is text"));
        Ended { status, stdout, stderr }
    }
}

/// The command with no signal ignored: a shell has its background jobs ignore some, and the program would go on doing so.
fn listening(command: &Command) -> Command {
    let mut listening = Command::new("env");
    listening.arg("--default-signal=HUP,INT,TERM").arg(command.get_program());
    listening.args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => listening.env(name, value),
            None => listening.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        listening.current_dir(folder);
    }
    listening
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Any process, held so that its number cannot become another's.
pub(crate) struct Process(OwnedFd);

impl Process {
    /// A process that lives.
    pub(crate) fn of(pid: Pid) -> Self {
        Self::find(pid).expect("the process lives")
    }

    /// A process, if it lives.
    pub(crate) fn find(pid: Pid) -> Option<Self> {
        pidfd_open(pid, PidfdFlags::empty()).ok().map(Self)
    }

    /// Whether it ends within this time.
    pub(crate) fn ends_within(&self, longest: Duration) -> bool {
        becomes_readable(&self.0, longest)
    }
}

fn becomes_readable(descriptor: &impl AsFd, longest: Duration) -> bool {
    let mut watched = [PollFd::new(descriptor, PollFlags::IN)];
    let longest = Timespec::try_from(longest).expect("a time");
    poll(&mut watched, Some(&longest)).expect("a wait") > 0
}

impl Scene {
    /// Makes a pipe of this name that commands can write into.
    pub(crate) fn pipe(&self, name: &str) {
        let made = Command::new("mkfifo").arg(self.path(name)).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    }

    /// Waits until a command writes into a pipe, which has to come soon, and answers what.
    #[track_caller]
    pub(crate) fn hear(&self, pipe: &str) -> String {
        // Opened for both, so that opening does not wait for a writer.
        let both = fs::File::options().read(true).write(true).open(self.path(pipe));
        let mut both = both.expect("a pipe");
        assert!(becomes_readable(&both, PROMPT), "nobody wrote into {pipe}");
        let mut heard = vec![0; 4096];
        let length = both.read(&mut heard).expect("something to read");
        heard.truncate(length);
        String::from_utf8(heard).expect("text")
    }

    /// Waits until a command writes the numbers of processes into a pipe, and answers those.
    pub(crate) fn hear_processes(&self, pipe: &str) -> Vec<Process> {
        let heard = self.hear(pipe);
        let pids = heard.split_whitespace().map(|pid| pid.parse().expect("a number"));
        pids.map(|pid| Process::of(Pid::from_raw(pid).expect("a process"))).collect()
    }
}
