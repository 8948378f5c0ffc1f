//! The ends of a process that has work on a device: prompt, silent, and with its exit code.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]
#![expect(clippy::exit, reason = "it is what these are about")]

mod fake;

use std::env;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Gate, Result, Wait};
use syncpoint_conformance::patience::until;

use fake::Fake;

/// Which end a child comes to.
const END: &str = "SYNCPOINT_TEST_END";

/// What the children exit with.
const CODE: i32 = 7;

/// How long an end may take; a stream has work for much longer.
const PATIENCE: Duration = Duration::from_secs(20);

type End = fn() -> Result<()>;

const ENDS: [(&str, End); 7] = [
    ("with work on the device", with_work_on_the_device),
    ("with work that is held", with_work_that_is_held),
    ("while threads wait", while_threads_wait),
    ("before a latch", before_a_latch),
    ("with everything dropped", with_everything_dropped),
    ("from work", from_work),
    ("while a worker is inside the driver", while_a_worker_is_inside_the_driver),
];

#[test]
fn a_process_ends_promptly_whatever_is_on_its_way() {
    for (end, _) in ENDS {
        for _ in 0..3 {
            assert_ends(end);
        }
    }
}

#[track_caller]
fn assert_ends(end: &str) {
    let mut child = Command::new(env::current_exe().expect("a test has a program"));
    child.args(["--exact", "the_child", "--nocapture"]).env(END, end);
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let (mut child, begin) = (child.spawn().expect("a child runs"), Instant::now());
    while child.try_wait().expect("a child can be waited for").is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill().expect("a child can be killed");
            panic!("{end}: no end after {PATIENCE:?}");
        }
        thread::yield_now();
    }
    let output = child.wait_with_output().expect("its words");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*said), (Some(CODE), ""), "{end}");
}

/// What the children do; nothing where no end was given.
#[test]
fn the_child() {
    let Ok(wanted) = env::var(END) else { return };
    let (_, end) = ENDS.iter().find(|(end, _)| *end == wanted).expect("an end");
    Fake::used();
    end().expect("nothing is refused");
    std::process::exit(CODE);
}

const LONG: Duration = Duration::from_secs(300);

fn with_work_on_the_device() -> Result<()> {
    let stream = syncpoint::open("cuda:0")?.stream()?;
    stream.delay(LONG)?;
    let end = stream.record_timed()?;
    Box::leak(Box::new(end.notify(drop)?));
    Box::leak(Box::new(end));
    Ok(())
}

fn with_work_that_is_held() -> Result<()> {
    let (device, gate) = (syncpoint::open("cuda:0")?, Gate::new());
    let stream = device.stream()?;
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    stream.delay(LONG)?;
    Box::leak(Box::new((stream, gate)));
    Ok(())
}

fn while_threads_wait() -> Result<()> {
    let device = syncpoint::open("cuda:0")?;
    let stream = device.stream()?;
    stream.delay(LONG)?;
    let end = stream.record()?;
    for wait in [Wait::Adaptive, Wait::Block, Wait::Yield, Wait::Spin] {
        let end = end.clone();
        thread::spawn(move || end.synchronize_with(wait, None));
    }
    assert!(end.synchronize_timeout(Duration::from_millis(20)).is_err(), "the others have begun");
    Box::leak(Box::new(device));
    Ok(())
}

fn before_a_latch() -> Result<()> {
    let (device, gate) = (syncpoint::cuda::builder().device_gates(LONG).open(0)?, Gate::new());
    let stream = device.stream()?;
    syncpoint::cuda::expose(&stream)?;
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    let end = stream.record()?;
    Box::leak(Box::new((end.notify(drop)?, stream, gate)));
    Ok(())
}

fn with_everything_dropped() -> Result<()> {
    let device = syncpoint::cuda::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(64)?);
    stream.fill(&buffer, 0..64, 1)?;
    stream.delay(LONG)?;
    stream.record_timed().map(drop)
}

fn from_work() -> Result<()> {
    let stream = syncpoint::open("cuda:0")?.stream()?;
    stream.enqueue(|| -> () { std::process::exit(CODE) })?;
    stream.record()?.synchronize_with(Wait::NoHelp, None)
}

/// How long the worker's call takes: less than the end waits for who is inside.
const INSIDE: Duration = Duration::from_millis(60);

/// When it was about to begin.
static ABOUT: OnceLock<Instant> = OnceLock::new();

fn while_a_worker_is_inside_the_driver() -> Result<()> {
    extern "C" fn look() {
        if ABOUT.get().is_some_and(|about| about.elapsed() < INSIDE) {
            // The driver was taken down under the worker.
            Fake::used().end_at_once(CODE + 1);
        }
    }
    let fake = Fake::used();
    // Called after the handlers of the driver and of the backend.
    fake.at_exit(look);
    let (device, gate) = (syncpoint::open("cuda:0")?, Gate::new());
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    stream.wait(&gate.point())?;
    stream.fill(&buffer, 0..8, 1)?;
    let before = fake.count("cuMemsetD8Async");
    fake.script(&format!("block cuMemsetD8Async * {}", INSIDE.as_millis()));
    ABOUT.get_or_init(Instant::now);
    gate.open()?;
    until("the worker's call", || fake.count("cuMemsetD8Async") > before);
    Box::leak(Box::new((stream, buffer, device)));
    Ok(())
}
