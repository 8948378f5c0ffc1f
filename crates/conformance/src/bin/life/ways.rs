//! The ways to come to an end: returns, exits, signals and forks, each with work left behind.

mod drops;
mod heard;
mod libraries;
mod watches;

use std::cell::RefCell;
use std::env;
use std::future::{Future, IntoFuture};
use std::io::{Read, Write};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::trace::Record;
use syncpoint::{Completion, Device, Gate, Kind, Point, Result, Stream, Wait, wait_any};
use syncpoint_conformance::child::{pipe, split};

/// What every way exits with, unless a signal ends it.
const EXIT: i32 = 7;

/// How long something of a child's may take.
const PATIENCE: Duration = Duration::from_secs(5);

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
    ("the_child_of_work_works", |_| the_child_of_work_works("host:0")),
    ("the_child_of_work_of_a_device_works", |_| the_child_of_work_works("sim:0")),
    ("a_callback_forks", |_| a_callback_forks()),
    ("a_waker_forks", |_| a_waker_forks("host:0")),
    ("a_waker_of_a_device_forks", |_| a_waker_forks("sim:0")),
    ("a_drop_forks", |_| drops::a_drop_forks("host:0")),
    ("a_drop_of_a_device_forks", |_| drops::a_drop_forks("sim:0")),
    ("an_observer_forks", |_| {
        an_observer_forks();
        Ok(())
    }),
    ("helped_work_forks", |_| helped_work_forks()),
    ("a_woken_waiter_forks", |_| a_woken_waiter_forks()),
    ("a_waker_of_another_process_forks", |_| heard::a_waker_of_another_process_forks()),
    ("an_older_handler_shuts_down", |_| an_older_handler_shuts_down()),
    ("an_older_handler_ends_a_watch", |_| watches::an_older_handler_ends_a_watch()),
    ("main_returns_while_a_watch_ends", |_| watches::main_returns_while_a_watch_ends()),
    ("work_ends_while_the_process_exits", |_| work_ends_while_the_process_exits("host:0")),
    ("work_of_a_device_ends_while_the_process_exits", |_| {
        work_ends_while_the_process_exits("sim:0")
    }),
    ("libraries_are_used_and_unloaded", |paths| libraries::libraries_are_used_and_unloaded(paths)),
];

/// Comes to its end in the way that the first argument names.
pub(super) fn run() -> ExitCode {
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

/// Forks. `true`: this is the child, which a signal ends where it hangs. The parent waits for the child's end, and says
/// what is wrong with it.
fn forks() -> bool {
    let status = split();
    if let Some(status) = status.filter(|status| *status != 0) {
        println!("the child ended with the status {status:#x}");
    }
    status.is_none()
}

/// The child of work opens a device of its own and uses it, on what was a worker's thread.
fn the_child_of_work_works(device: &'static str) -> Result<()> {
    let stream = syncpoint::open(device)?.stream()?;
    stream.enqueue(move || if forks() { work_anew(device) } else { Ok(()) })?;
    stream.record()?.synchronize_with(Wait::NoHelp, None)
}

fn work_anew(device: &str) -> Result<()> {
    let (stream, gate) = (syncpoint::open(device)?.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    let end = stream.record()?;
    gate.open()?;
    let outcome = end.synchronize_timeout(PATIENCE);
    if let Err(error) = &outcome {
        println!("in the child: {error}");
    }
    outcome
}

/// Says so where something of the parent's comes to a child.
fn of_this_process(what: &'static str) -> impl Fn() + Send + Sync {
    let parent = process::id();
    move || {
        if process::id() != parent {
            println!("{what} came to a child");
        }
    }
}

fn a_callback_forks() -> Result<()> {
    let gate = Gate::new();
    let (opened, is_open) = channel();
    let (called, is_called) = channel();
    gate.point().notify(move |_| {
        is_open.recv().expect("the opener lives");
        forks();
    })?;
    let behind = of_this_process("the callback behind");
    gate.point().notify(move |_| {
        behind();
        called.send(()).expect("main lives");
    })?;
    gate.open()?;
    opened.send(()).expect("the notifier lives");
    is_called.recv().expect("the notifier lives");
    Ok(())
}

/// Does something each time it wakes.
struct Waking<F>(F);

impl<F: Fn() + Send + Sync> Wake for Waking<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// Lists a waker with the waiters of a point or an event.
fn on_waking(
    awaited: impl IntoFuture<IntoFuture = Completion>,
    code: impl Fn() + Send + Sync + 'static,
) {
    let mut future = Box::pin(awaited.into_future());
    let waker = Waker::from(Arc::new(Waking(code)));
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    // One that is dropped waits no more.
    Box::leak(Box::new(future));
}

fn a_waker_forks(device: &str) -> Result<()> {
    let (stream, gate) = (syncpoint::open(device)?.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    let (point, behind) = (stream.record()?, of_this_process("the work behind"));
    on_waking(&point, || {
        forks();
    });
    on_waking(&point, of_this_process("the waker behind"));
    stream.enqueue(behind)?;
    gate.open()?;
    stream.record()?.synchronize_with(Wait::NoHelp, None)
}

/// Runs `code` again and again on other threads while `meanwhile` runs on this one.
fn beside<T>(code: impl Fn() + Sync, meanwhile: impl FnOnce() -> T) -> T {
    const THREADS: usize = 2;
    let (enough, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            // Relaxed: a sign, ordered with nothing.
            scope.spawn(|| {
                code();
                begun.fetch_add(1, Ordering::Relaxed);
                while !enough.load(Ordering::Relaxed) {
                    code();
                }
            });
        }
        // A thread that begins holds locks of the C library, which a child that exits would wait for: no fork before.
        while begun.load(Ordering::Relaxed) < THREADS {
            thread::yield_now();
        }
        let outcome = meanwhile();
        enough.store(true, Ordering::Relaxed);
        outcome
    })
}

/// Other threads hear meanwhile, and hold the locks of the observers.
fn an_observer_forks() {
    let (main, parent) = (thread::current().id(), process::id());
    for _ in 0..10 {
        let once = AtomicBool::new(false);
        let forking = syncpoint::observe(move |_: &Record| {
            if thread::current().id() == main && !once.swap(true, Ordering::Relaxed) {
                forks();
            }
        });
        let behind = of_this_process("the observer behind");
        let mut watch = Some(syncpoint::observe(move |_: &Record| behind()));
        beside(
            || Gate::new().open().expect("a gate opens once"),
            || {
                drop(Gate::new());
                if process::id() != parent {
                    let ended = watch.take().map(|watch| watch.end(PATIENCE));
                    let refused = ended.and_then(Result::err).map(|error| error.kind());
                    assert_eq!(refused, Some(Kind::Unavailable), "the watch is the parent's");
                    syncpoint_base::end_child();
                }
            },
        );
        drop((forking, watch));
    }
}

/// Work that a helping thread runs sets a stream free, and forks; others hold the stream's locks.
fn helped_work_forks() -> Result<()> {
    let (device, parent) = (host()?, process::id());
    for _ in 0..100 {
        let (helped, freed, gate) = (device.stream()?, device.stream()?, Gate::new());
        freed.wait(&gate.point())?;
        freed.enqueue(of_this_process("the work set free"))?;
        helped.enqueue(move || {
            gate.open().expect("it is opened here only");
            forks();
        })?;
        let use_it = || drop((freed.wait(&Gate::new().point()), freed.recover()));
        let outcome = beside(use_it, || {
            let outcome = helped.record().and_then(|end| end.synchronize());
            if process::id() != parent {
                syncpoint_base::end_child();
            }
            outcome
        });
        outcome?;
    }
    Ok(())
}

/// A thread goes on at the first of many wakes, and forks while the others come.
fn a_woken_waiter_forks() -> Result<()> {
    for _ in 0..30 {
        let gate = Gate::new();
        let points = vec![gate.point(); 20_000];
        let opener = thread::spawn(move || {
            // Long enough for main to sleep, most times; where it does not there is no wake, and nothing is shown.
            linger(Duration::from_millis(15));
            gate.open()
        });
        wait_any(&points)?.outcome?;
        if forks() {
            // It sleeps as the parent's thread did.
            let late = Gate::new().point().synchronize_timeout(Duration::from_millis(1));
            process::exit(i32::from(late.is_ok()));
        }
        opener.join().expect("it does not panic")?;
    }
    Ok(())
}

static LATE: OnceLock<Device> = OnceLock::new();

extern "C" fn shut_down_late() {
    let_work_end();
    let device = LATE.get().expect("the way has set it");
    let outcome = device.shutdown(PATIENCE);
    if outcome.as_ref().map_err(syncpoint::Error::kind) != Err(Kind::Unavailable) {
        println!("a shutdown while the process exits: {outcome:?}");
    }
}

/// A worker comes to its next work once the exit has begun, and rests there.
fn an_older_handler_shuts_down() -> Result<()> {
    // SAFETY: as in `an_older_handler_synchronizes`.
    unsafe { libc::atexit(shut_down_late) };
    let device = host()?;
    let stream = device.stream()?;
    LATE.set(device).expect("set once");
    run_until_exit(&stream)?;
    stream.enqueue(|| println!("begun while the process exits"))?;
    process::exit(EXIT)
}

/// Whether the older handler runs: the library begins nothing any more.
static EXITS: AtomicBool = AtomicBool::new(false);

/// Long enough for work that ends to be told of.
extern "C" fn let_work_end() {
    EXITS.store(true, Ordering::Release);
    linger(Duration::from_millis(100));
}

fn linger(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        thread::yield_now();
    }
}

/// Enqueues work that ends once the exit has begun, and waits for its beginning.
fn run_until_exit(stream: &Stream) -> Result<()> {
    let (began, has_begun) = channel();
    stream.enqueue(move || {
        began.send(()).expect("main lives");
        while !EXITS.load(Ordering::Acquire) {
            thread::yield_now();
        }
    })?;
    has_begun.recv().expect("the work runs");
    Ok(())
}

/// Work ends once the exit has begun: no waker and no observer is called for it.
fn work_ends_while_the_process_exits(device: &str) -> Result<()> {
    // SAFETY: as in `an_older_handler_synchronizes`.
    unsafe { libc::atexit(let_work_end) };
    let (stream, gate) = (syncpoint::open(device)?.stream()?, Gate::new());
    run_until_exit(&stream)?;
    stream.open(&gate)?;
    for point in [gate.point(), stream.record()?] {
        on_waking(&point, || println!("woken while the process exits"));
    }
    let watch = syncpoint::observe(|record: &Record| println!("heard while it exits: {record:?}"));
    Box::leak(Box::new((watch, gate)));
    process::exit(EXIT)
}
