//! Ends: this test program once more, as a process of its own that comes to its end with work on its way.

#![expect(clippy::exit, reason = "it is what these are about")]

use std::env;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio, exit};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use syncpoint::{Buffer, Device, Gate, Point, Result, Stream, Wait};

use crate::patience::until;

/// Which end a child comes to.
const END: &str = "SYNCPOINT_TEST_END";

/// The test that plays the child.
const PLAYER: &str = "the_child";

/// What children exit with.
const CODE: i32 = 7;

/// How long an end may take; a stream has delays for much longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than that.
const LONG: Duration = Duration::from_secs(300);

/// What is on its way on a device as the process ends.
type End = fn(&Device) -> Result<()>;

const ENDS: [(&str, End); 6] = [
    (BY_A_RETURN, with_everything_dropped),
    ("with everything dropped", with_everything_dropped),
    ("with work that is held", with_work_that_is_held),
    ("while others wait", while_others_wait),
    ("with a big fill on its way", with_a_big_fill_on_its_way),
    ("from work", from_work),
];

/// The end of a program whose `main` returns, as that of the tests does. All others call `exit`.
const BY_A_RETURN: &str = "by a return";

/// Has a child come to each of the ends, three times over: promptly, in silence, and with its code. The test `the_child`
/// calls [`play`].
#[track_caller]
pub fn assert_all() {
    for (end, _) in ENDS {
        for _ in 0..3 {
            assert_ends(end);
        }
    }
}

#[track_caller]
fn assert_ends(end: &str) {
    let mut child = Command::new(env::current_exe().expect("a test has a program"));
    child.args(["--exact", PLAYER, "--nocapture"]).env(END, end);
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let (status, said) = ended(child.spawn().expect("a child runs"), end);
    let code = if end == BY_A_RETURN { 0 } else { CODE };
    assert_eq!((status.code(), &*said), (Some(code), ""), "{end}: {status}");
}

/// How a child ended, and what it said.
#[track_caller]
fn ended(mut child: Child, end: &str) -> (ExitStatus, String) {
    let stderr = child.stderr.take().expect("it is piped");
    let (sender, silent) = channel();
    // As it comes: a child that nobody reads stands once the pipe is full.
    let reader = thread::spawn(move || {
        let said = io::read_to_string(stderr);
        sender.send(()).unwrap_or(());
        said
    });
    let is_late = silent.recv_timeout(PATIENCE).is_err();
    if is_late {
        child.kill().expect("a child can be killed");
    }
    let status = child.wait().expect("a child can be waited for");
    let said = reader.join().expect("nothing panics there").expect("its words");
    assert!(!is_late, "{end}: no end after {PATIENCE:?}: {said}");
    (status, said)
}

/// In the child: comes to its end, with work on the device that is opened so. Nothing elsewhere.
pub fn play(open: fn() -> Result<Device>) {
    let Ok(wanted) = env::var(END) else { return };
    let (_, end) = ENDS.iter().find(|(end, _)| *end == wanted).expect("an end");
    open().and_then(|device| end(&device)).expect("nothing is refused");
    if wanted != BY_A_RETURN {
        exit(CODE);
    }
}

fn with_everything_dropped(device: &Device) -> Result<()> {
    let (stream, buffer) = (device.stream()?, device.buffer(64)?);
    stream.fill(&buffer, 0..64, 1)?;
    stream.delay(LONG)?;
    stream.record_timed().map(drop)
}

fn with_work_that_is_held(device: &Device) -> Result<()> {
    let (stream, gate) = (device.stream()?, Gate::new());
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    stream.delay(LONG)?;
    Box::leak(Box::new((stream.record()?.notify(drop)?, stream, gate)));
    Ok(())
}

/// For what is on the device, and for what is held.
fn while_others_wait(device: &Device) -> Result<()> {
    let (stream, gate) = (device.stream()?, Gate::new());
    let (buffer, filled) = fill(&stream)?;
    stream.wait(&gate.point())?;
    let end = stream.record()?;
    let waits = [Wait::Adaptive, Wait::Block, Wait::Yield, Wait::Spin];
    for (wait, end) in waits.iter().flat_map(|wait| [(*wait, &filled), (*wait, &end)]) {
        let end = end.clone();
        thread::spawn(move || end.synchronize_with(wait, None));
    }
    // A wait that runs out tells who else waits.
    until("the waits of the others", || {
        let late = end.synchronize_timeout(Duration::ZERO).expect_err("nobody opens the gate");
        late.report().is_some_and(|report| report.host_waits().len() >= waits.len())
    });
    Box::leak(Box::new((device.clone(), stream, buffer, gate)));
    Ok(())
}

/// The waiter sleeps in the driver for it, and the device is at work as the driver's own exit handlers run.
fn with_a_big_fill_on_its_way(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    let (buffer, end) = fill(&stream)?;
    Box::leak(Box::new((end.notify(drop)?, stream, buffer)));
    Ok(())
}

/// Fills of much memory, again and again.
fn fill(stream: &Stream) -> Result<(Buffer, Point)> {
    let buffer = stream.device().buffer(LEN)?;
    for value in 0..100 {
        stream.fill(&buffer, 0..LEN, value)?;
    }
    Ok((buffer, stream.record()?))
}

const LEN: u64 = 32 << 20;

fn from_work(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    stream.enqueue(|| -> () { exit(CODE) })?;
    stream.record()?.synchronize_with(Wait::NoHelp, None)
}
