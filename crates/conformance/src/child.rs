//! Children: processes that are forked from a test, do one thing, and are watched to their end.

#![expect(unsafe_code, reason = "fork and wait are calls of C")]
#![expect(clippy::exit, reason = "a child exits where its code ends")]

use std::any::Any;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

/// How long a child may take: long beyond any machine's hiccup.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a child that panics exits with, as a program of Rust does.
const PANICKED: i32 = 101;

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two facts, compared in tests")]
pub struct Ended {
    /// What it exited with; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output and error.
    pub said: String,
}

impl Ended {
    /// A child that exited with this code and said nothing.
    pub fn silently(code: i32) -> Self {
        Self { code: Some(code), said: String::new() }
    }
}

/// Forks, and runs `code` in the child, which exits with what it returns: through the exit handlers, as a program does.
/// Gives how it ended; panics where it hangs.
#[track_caller]
pub fn forked(code: impl FnOnce() -> i32) -> Ended {
    let mut said = unnamed_file();
    // SAFETY: the child calls what this test could call anywhere. What that does after a fork in a process of several
    // threads is what the test is about.
    match unsafe { libc::fork() } {
        -1 => panic!("this process cannot be forked: {}", std::io::Error::last_os_error()),
        0 => become_child(&said, code),
        child => {
            let code = wait_for(child);
            said.rewind().expect("a file can be read from its beginning");
            let mut text = String::new();
            said.read_to_string(&mut text).expect("the words of a child are text");
            Ended { code, said: text }
        }
    }
}

/// A file that is gone when nobody has it open.
fn unnamed_file() -> File {
    // SAFETY: the name is a text of C, and the answer is checked.
    let file = unsafe { libc::memfd_create(c"child".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(file >= 0, "no file in memory: {}", std::io::Error::last_os_error());
    // SAFETY: just opened, and nobody else's.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(file) }
}

fn become_child(said: &File, code: impl FnOnce() -> i32) -> ! {
    for stream in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: both are open, and the child is alone with its table of files.
        unsafe { libc::dup2(said.as_raw_fd(), stream) };
    }
    let code = catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| {
        // The test harness caught the message for a parent that does not see it.
        let _unheard = writeln!(&mut &*said, "{}", words(&*panic));
        PANICKED
    });
    process::exit(code)
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref().map(String::as_str);
    owned.or_else(|| panic.downcast_ref().copied()).unwrap_or("a panic without words")
}

/// What the child exited with. One that hangs is killed.
#[track_caller]
fn wait_for(child: libc::pid_t) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut status = 0;
        // SAFETY: there is room for the status.
        if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
            return libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        }
        if Instant::now() > deadline {
            // SAFETY: the child was not waited for, so its number is still its own.
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("the child hangs: it has not ended after {PATIENCE:?}");
        }
        thread::yield_now();
    }
}
