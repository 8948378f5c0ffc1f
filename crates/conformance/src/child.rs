//! Children: processes that are forked from a test, do one thing, and are watched to their end.

#![expect(unsafe_code, reason = "fork, wait and kill are calls of C")]

use std::any::Any;
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
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

/// A child that may still run. Killed when it is dropped.
#[derive(Debug)]
pub struct Child {
    process: libc::pid_t,
    said: File,
    /// How it ended, in the system's words, once it was waited for.
    status: Option<libc::c_int>,
}

/// Forks, and runs `code` in the child, which exits with what it returns: through the exit handlers, as a program does.
/// Gives how it ended; panics where it hangs.
#[track_caller]
pub fn forked(code: impl FnOnce() -> i32) -> Ended {
    start(code).end()
}

/// The same, and goes on beside the child.
#[track_caller]
pub fn start(code: impl FnOnce() -> i32) -> Child {
    let said = unnamed_file();
    // SAFETY: the child calls what this test could call anywhere. What that does after a fork in a process of several
    // threads is what the test is about.
    match unsafe { libc::fork() } {
        -1 => panic!("this process cannot be forked: {}", std::io::Error::last_os_error()),
        0 => become_child(&said, code),
        process => Child { process, said, status: None },
    }
}

/// Forks, and both go on: gives `None` in the child, which a signal ends where it hangs, and in the parent, once the child
/// has ended, its status in the system's words.
#[must_use = "both go on"]
pub fn split() -> Option<i32> {
    // SAFETY: the child does what its parent might do here; what becomes of that is what tests are about.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: the signal ends the child, and nobody handles it.
        unsafe { libc::alarm(10) };
        return None;
    }
    let mut status = 0;
    // SAFETY: there is room for the status, and the child was just made.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    Some(status)
}

impl Child {
    /// Waits for its end; panics where it hangs.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.wait(libc::WNOHANG) {
                break status;
            }
            assert!(Instant::now() < deadline, "the child hangs: no end after {PATIENCE:?}");
            thread::yield_now();
        };
        self.ended(status)
    }

    /// Waits for its end, however late: in a child, over which another process has patience.
    #[cfg(target_os = "linux")]
    pub(crate) fn outlast(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.wait(0) {
                break status;
            }
        };
        self.ended(status)
    }

    /// Ends it as the kernel does when memory runs out.
    pub fn kill(self) {
        drop(self);
    }

    fn wait(&mut self, options: libc::c_int) -> Option<libc::c_int> {
        let mut status = 0;
        // SAFETY: there is room for the status.
        if unsafe { libc::waitpid(self.process, &raw mut status, options) } == self.process {
            self.status = Some(status);
        }
        self.status
    }

    fn ended(mut self, status: libc::c_int) -> Ended {
        self.said.rewind().expect("a file can be read from its beginning");
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("the words of a child are text");
        let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        Ended { code, said }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_some() {
            return;
        }
        // SAFETY: the child was not waited for, so its number is still its own.
        unsafe { libc::kill(self.process, libc::SIGKILL) };
        let mut status = 0;
        // SAFETY: there is room for the status.
        unsafe { libc::waitpid(self.process, &raw mut status, 0) };
    }
}

/// A file that is gone when nobody has it open.
#[cfg(not(target_os = "linux"))]
fn unnamed_file() -> File {
    // SAFETY: the call takes nothing, and its answer is checked.
    let stream = unsafe { libc::tmpfile() };
    assert!(!stream.is_null(), "no file for a while: {}", std::io::Error::last_os_error());
    // SAFETY: the stream was just opened. It stays open, and so does its descriptor.
    let file = unsafe { libc::fileno(stream) };
    // SAFETY: as above, and nobody else uses it.
    unsafe { File::from_raw_fd(file) }
}

/// A file that is gone when nobody has it open.
#[cfg(target_os = "linux")]
fn unnamed_file() -> File {
    // SAFETY: the name is a text of C, and the answer is checked.
    let file = unsafe { libc::memfd_create(c"child".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(file >= 0, "no file in memory: {}", std::io::Error::last_os_error());
    // SAFETY: just opened, and nobody else's.
    unsafe { File::from_raw_fd(file) }
}

/// The two ends of a pipe, to read from and to write to, for a process and its children.
pub fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0, "no pipe");
    // SAFETY: both were just opened, and are nobody else's.
    ends.map(|end| unsafe { File::from_raw_fd(end) }).into()
}

/// Sets a variable of this process, which must be a child that has made no thread yet.
pub fn set_variable(name: &str, value: &str) {
    let [name, value] = [name, value].map(|text| CString::new(text).expect("no zeros"));
    // SAFETY: both are texts of C. A child has one thread until it makes another, so nobody reads the variables
    // meanwhile.
    unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) };
}

/// From now on this process, which must be a child, lives on when the one that made it has died.
#[cfg(target_os = "linux")]
pub fn outlive_parent() {
    // SAFETY: the call takes a number.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, 0) };
}

/// From now on this process ends with the one that made it: a test that dies leaves no process behind.
#[cfg(target_os = "linux")]
fn end_with_parent() {
    // SAFETY: the call takes a number.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Systems other than Linux tell nobody of a parent's end: a test that dies may leave a process behind.
#[cfg(not(target_os = "linux"))]
fn end_with_parent() {}

fn become_child(said: &File, code: impl FnOnce() -> i32) -> ! {
    end_with_parent();
    for stream in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: both are open, and the child is alone with its table of files.
        unsafe { libc::dup2(said.as_raw_fd(), stream) };
    }
    let code = catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| {
        // The test harness caught the message for a parent that does not see it.
        let _unheard = writeln!(&mut &*said, "{}", words(&*panic));
        PANICKED
    });
    exit(code)
}

/// Ends this process, which must be a child, through the exit handlers and without the standard library: as that ends a
/// program of Rust's it takes a lock that a thread of the parent's may have had at the fork.
pub fn exit(code: i32) -> ! {
    // SAFETY: a child ends as a program does; what it meets on its way is what tests are about.
    unsafe { libc::exit(code) }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref().map(String::as_str);
    owned.or_else(|| panic.downcast_ref().copied()).unwrap_or("a panic without words")
}
