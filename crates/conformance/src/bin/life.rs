//! A program that comes to its end in the way that its argument names. `tests/life.rs` watches it.

#![expect(unsafe_code, reason = "signals, handlers and the loader are calls of C")]
#![expect(
    clippy::exit,
    clippy::expect_used,
    clippy::panic_in_result_fn,
    clippy::print_stdout,
    reason = "a program of a test: it ends in every way, and says only what is wrong"
)]

use std::cell::RefCell;
use std::env;
use std::ffi::CString;
use std::io::{Read, Write};
use std::process::{self, ExitCode};
use std::sync::OnceLock;
use std::thread;

use syncpoint::{Device, Gate, Kind, Point, Result, Stream, Wait};
use syncpoint_conformance::child::pipe;

/// What every way exits with, unless a signal ends it.
const EXIT: i32 = 7;

type Way = fn(&mut dyn Iterator<Item = String>) -> Result<()>;

const WAYS: &[(&str, Way)] = &[
    ("main_returns", |_| leave_work_behind()),
    ("main_exits", |_| main_exits()),
    ("work_exits", |_| work_exits()),
    ("a_destructor_of_another_thread_exits", |_| a_destructor_of_another_thread_exits()),
    ("a_destructor_of_main_synchronizes", |_| a_destructor_of_main_synchronizes()),
    ("an_older_handler_synchronizes", |_| an_older_handler_synchronizes()),
    ("a_signal_ends_it", |_| a_signal_ends_it()),
    ("work_forks", |_| work_forks("host:0")),
    ("work_of_a_device_forks", |_| work_forks("sim:0")),
    ("libraries_are_used_and_unloaded", |paths| libraries_are_used_and_unloaded(paths)),
];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let way = WAYS.iter().find(|(known, _)| *known == name);
    let Some((_, way)) = way else {
        println!("no such way: {name:?}");
        return ExitCode::FAILURE;
    };
    match way(&mut arguments) {
        Ok(()) => ExitCode::from(u8::try_from(EXIT).expect("a small number")),
        Err(error) => {
            println!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn host() -> Result<Device> {
    syncpoint::open("host:0")
}

/// Work that never ends, work that is queued behind it, and work behind a gate that nobody opens.
fn leave_work_behind() -> Result<()> {
    let device = host()?;
    let (busy, held, gate) = (device.stream()?, device.stream()?, Gate::new());
    busy.enqueue(thread::park)?;
    busy.enqueue(|| println!("begun while the process exits"))?;
    held.wait(&gate.point())?;
    held.enqueue(|| println!("begun though its gate is not open"))?;
    held.record()?.notify(|_| println!("told while the process exits"))?;
    for _ in 0..64 {
        let stream = device.stream()?;
        for _ in 0..64 {
            stream.enqueue(|| std::hint::black_box(()))?;
        }
    }
    Box::leak(Box::new((busy, held, gate)));
    Ok(())
}

fn main_exits() -> Result<()> {
    leave_work_behind()?;
    process::exit(EXIT)
}

fn work_exits() -> Result<()> {
    leave_work_behind()?;
    let stream = host()?.stream()?;
    stream.enqueue(|| -> () { process::exit(EXIT) })?;
    stream.record()?.synchronize_with(Wait::NoHelp, None)
}

/// Does something when its thread ends.
struct AtEnd(fn());

impl Drop for AtEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
}

fn at_end_of_this_thread(code: fn()) {
    AT_END.with(|at_end| at_end.replace(Some(AtEnd(code))));
}

fn a_destructor_of_another_thread_exits() -> Result<()> {
    leave_work_behind()?;
    let ended = thread::spawn(|| at_end_of_this_thread(|| process::exit(EXIT))).join();
    println!("the process went on after it exited: {ended:?}");
    Ok(())
}

fn a_destructor_of_main_synchronizes() -> Result<()> {
    at_end_of_this_thread(|| {
        let outcome = host().and_then(|device| {
            let stream = device.stream()?;
            stream.enqueue(|| ())?;
            stream.record()?.synchronize()
        });
        if let Err(error) = outcome {
            println!("in a destructor of main: {error}");
        }
    });
    leave_work_behind()
}

/// What a handler waits for that runs when the library begins nothing any more.
static AWAITED: OnceLock<(Stream, Point)> = OnceLock::new();

extern "C" fn synchronize_late() {
    let (stream, point) = AWAITED.get().expect("the way has set it");
    for outcome in [point.synchronize(), stream.synchronize(), stream.device().synchronize()] {
        if outcome.as_ref().map_err(syncpoint::Error::kind) != Err(Kind::Unavailable) {
            println!("a wait while the process exits: {outcome:?}");
        }
    }
}

fn an_older_handler_synchronizes() -> Result<()> {
    // SAFETY: the handler is a function of this program. It is registered before the library's own, so it runs later.
    unsafe { libc::atexit(synchronize_late) };
    let stream = host()?.stream()?;
    stream.enqueue(thread::park)?;
    stream.enqueue(|| ())?;
    let point = stream.record()?;
    AWAITED.set((stream, point)).expect("set once");
    leave_work_behind()
}

fn a_signal_ends_it() -> Result<()> {
    leave_work_behind()?;
    // SAFETY: the program handles no signal, so this one ends it.
    unsafe { libc::raise(libc::SIGTERM) };
    Ok(())
}

/// Work forks in a worker. The child's copy of the worker must run none of the parent's work; the parent goes on.
fn work_forks(device: &str) -> Result<()> {
    let (mut reader, writer) = pipe();
    let stream = syncpoint::open(device)?.stream()?;
    let mut forked = writer.try_clone().expect("a pipe has two names");
    stream.enqueue(move || {
        // SAFETY: the child returns from this function, and does nothing else.
        let child = unsafe { libc::fork() };
        if child > 0 {
            let mut status = 0;
            // SAFETY: there is room for the status, and the child was just made.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            writeln!(forked, "child {}", if status == 0 { "ended" } else { "failed" })
                .expect("room");
        }
    })?;
    let mut behind = writer;
    stream.enqueue(move || writeln!(behind, "behind").expect("room"))?;
    stream.record()?.synchronize_with(Wait::NoHelp, None)?;
    let mut said = String::new();
    reader.read_to_string(&mut said).expect("text");
    if said != "child ended\nbehind\n" {
        println!("{said:?}");
    }
    Ok(())
}

/// Each library has its own copy of syncpoint, with threads that sleep in it when it is unloaded.
fn libraries_are_used_and_unloaded(paths: &mut dyn Iterator<Item = String>) -> Result<()> {
    leave_work_behind()?;
    let libraries: Vec<_> = paths.map(|path| load(&path)).collect();
    for library in &libraries {
        // SAFETY: the name is a text of C.
        let function = unsafe { libc::dlsym(*library, c"use_syncpoint".as_ptr()) };
        assert!(!function.is_null(), "the library exports its function");
        // SAFETY: the library declares it so.
        let function: extern "C" fn() -> i32 = unsafe { std::mem::transmute(function) };
        assert_eq!(function(), 0, "the library can use its own copy");
    }
    for library in libraries {
        // SAFETY: it was loaded above, and nothing of it is called from here any more.
        unsafe { libc::dlclose(library) };
    }
    // Long enough for a nap of a worker to end in what was unloaded.
    let stream = host()?.stream()?;
    stream.delay(std::time::Duration::from_millis(200))?;
    stream.synchronize()
}

fn load(path: &str) -> *mut libc::c_void {
    let path = CString::new(path).expect("a path has no zeros");
    // SAFETY: the path is a text of C; what the library does when it is loaded is known.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!library.is_null(), "{path:?} cannot be loaded");
    library
}
