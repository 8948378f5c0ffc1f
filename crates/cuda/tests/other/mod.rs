//! The other process: this test program once more, which plays a part and is told line by line when to go on.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "each test uses some of it, and one that cannot go on fails"
)]

use std::env;
use std::io::{BufRead, BufReader, Write, stdin};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::str::FromStr;

/// Which part the other process plays, and what it is given with that.
const PART: &str = "SYNCPOINT_TEST_PART";
const GIVEN: &str = "SYNCPOINT_TEST_GIVEN";

/// How a line begins that is meant for the first process.
const SAYS: &str = "the other process says: ";

/// The test of the program that plays parts.
const PLAYER: &str = "the_other_process";

/// Another process that plays a part. Killed when it is dropped.
pub(crate) struct Other {
    child: Child,
    words: BufReader<ChildStdout>,
}

impl Other {
    pub(crate) fn begin(part: &str) -> Self {
        Self::begin_with(part, &"")
    }

    /// The same with something that it can ask for.
    pub(crate) fn begin_with(part: &str, given: &dyn ToString) -> Self {
        let mut command = Command::new(env::current_exe().expect("a test has a program"));
        command.args(["--exact", PLAYER, "--nocapture"]);
        command.env(PART, part).env(GIVEN, given.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a program runs twice");
        let output = child.stdout.take().expect("it is piped");
        Self { child, words: BufReader::new(output) }
    }

    /// The next thing that it says.
    #[track_caller]
    pub(crate) fn hear<T: FromStr>(&mut self) -> T {
        loop {
            let mut line = String::new();
            let length = self.words.read_line(&mut line).expect("it says text");
            assert_ne!(length, 0, "the other process has ended");
            if let Some((_, words)) = line.split_once(SAYS) {
                return words.trim().parse().ok().expect("it says what was asked");
            }
        }
    }

    /// Lets it go on.
    pub(crate) fn next(&self) {
        writeln!(self.child.stdin.as_ref().expect("it is piped")).expect("it reads");
    }

    /// Ends it as the kernel does when memory runs out, and waits until it has ended.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Lets it go on, and waits for its end, which is a good one.
    #[track_caller]
    pub(crate) fn end(mut self) {
        self.next();
        assert!(self.child.wait().expect("it can be waited for").success());
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
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
pub(crate) fn part() -> Option<String> {
    env::var(PART).ok()
}

/// In the other process: what it was given.
pub(crate) fn given<T: FromStr>() -> T {
    env::var(GIVEN).ok().and_then(|given| given.parse().ok()).expect("it was given something")
}

/// In the other process: says something to the first.
pub(crate) fn say(words: &dyn ToString) {
    println!("{SAYS}{}", words.to_string());
}

/// In the other process: waits until the first lets it go on.
pub(crate) fn go_on() {
    let read = stdin().lock().read_line(&mut String::new());
    assert_ne!(read.expect("text"), 0, "the first process has ended");
}
