//! The other process: this test program once more, which plays a part and is told line by line when to go on.

#![expect(clippy::print_stdout, reason = "that is how the other process is heard")]

use std::env;
use std::io::{BufRead, BufReader, Write, stdin};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::Result;

use crate::patience::PATIENCE;

/// Which part the other process plays, and what it is given with that.
const PART: &str = "SYNCPOINT_TEST_PART";
const GIVEN: &str = "SYNCPOINT_TEST_GIVEN";

/// How a line begins that is meant for the first process.
const SAYS: &str = "the other process says: ";

/// The test of the program that plays parts.
const PLAYER: &str = "the_other_process";

/// So long it may take for what it does between two words.
const LIMIT: Duration = PATIENCE.saturating_mul(6);

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(1);

/// What the other process does.
pub type Part = fn() -> Result<()>;

/// Plays one of these parts in the other process, and nothing in the first.
pub fn play(parts: &[(&str, Part)]) {
    let Some(wanted) = part() else { return };
    let part = parts.iter().find(|(part, _)| *part == wanted);
    let outcome = part.map(|(_, part)| part());
    assert!(matches!(outcome, Some(Ok(()))), "{wanted}: {outcome:?}");
}

/// Another process that plays a part. Killed when it is dropped.
#[derive(Debug)]
pub struct Other {
    child: Child,
    words: Receiver<String>,
}

impl Other {
    /// Begins it.
    pub fn begin(part: &str) -> Self {
        Self::begin_with(part, &"")
    }

    /// The same with something that it can ask for.
    pub fn begin_with(part: &str, given: &dyn ToString) -> Self {
        let mut command = Command::new(env::current_exe().expect("a test has a program"));
        command.args(["--exact", PLAYER, "--nocapture"]);
        command.env(PART, part).env(GIVEN, given.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a program runs twice");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, words) = channel();
        // It ends with the other process, or as nobody listens any more.
        thread::spawn(move || {
            output.lines().map_while(std::io::Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, words }
    }

    /// The next thing that it says.
    #[track_caller]
    pub fn hear<T: FromStr>(&self) -> T {
        loop {
            let line = match self.words.recv_timeout(LIMIT) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => panic!("the other process has ended"),
                Err(RecvTimeoutError::Timeout) => panic!("the other process says nothing"),
            };
            if let Some((_, words)) = line.split_once(SAYS) {
                return words.trim().parse().ok().expect("it says what was asked");
            }
        }
    }

    /// Lets it go on.
    pub fn next(&self) {
        writeln!(self.child.stdin.as_ref().expect("it is piped")).expect("it reads");
    }

    /// Ends it as the kernel does when memory runs out, and waits until it has ended.
    pub fn kill(self) {
        drop(self);
    }

    /// Lets it go on, and waits for its end, which is a good one.
    #[track_caller]
    pub fn end(mut self) {
        self.next();
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(Instant::now() < deadline, "the other process does not end");
            thread::park_timeout(LOOK);
        };
        assert!(status.success(), "{status}");
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// In the other process: the part that it plays. `None` in the first.
fn part() -> Option<String> {
    env::var(PART).ok()
}

/// In the other process: what it was given.
pub fn given<T: FromStr>() -> T {
    env::var(GIVEN).ok().and_then(|given| given.parse().ok()).expect("it was given something")
}

/// In the other process: says something to the first.
pub fn say(words: &dyn ToString) {
    println!("{SAYS}{}", words.to_string());
}

/// In the other process: waits until the first lets it go on.
pub fn go_on() {
    let read = stdin().lock().read_line(&mut String::new());
    assert_ne!(read.expect("text"), 0, "the first process has ended");
}
