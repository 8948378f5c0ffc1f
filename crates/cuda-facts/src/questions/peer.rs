//! This program as another process, which does what the first one says and tells it what came of that.

use std::env;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::answer::{Asked, Unasked};

/// The word by which this program, called as another process, is told what to do there.
pub(crate) const PEER: &str = "--peer";

/// This program in another process, which ends with this one.
pub(super) struct Peer {
    child: Child,
    words: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// It does this with what has this name.
    pub(super) fn begin(what: &str, shared: &str) -> Asked<Self> {
        Self::spawn(what, shared).map_err(|error| refused(&error))
    }

    fn spawn(what: &str, shared: &str) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args([PEER, what, shared]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, words: BufReader::new(output).lines() })
    }

    /// The next thing that it says.
    pub(super) fn hear(&mut self) -> Asked<String> {
        let line = self.words.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
        line.map_err(|error| refused(&error))
    }

    /// Tells it to go on.
    pub(super) fn tell(&self) -> Asked<()> {
        let mut input = self.child.stdin.as_ref().ok_or_else(|| refused(&"no input"))?;
        writeln!(input).map_err(|error| refused(&error))
    }
}

impl Drop for Peer {
    /// It has nothing to lose.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(super) fn refused(error: &dyn std::fmt::Display) -> Unasked {
    Unasked::Refused(format!("the other process: {error}"))
}

/// Says a line to the first process.
pub(super) fn say(words: &str) -> Asked<()> {
    writeln!(io::stdout(), "{words}").map_err(|error| refused(&error))
}
