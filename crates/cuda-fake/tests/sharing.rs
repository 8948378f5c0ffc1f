//! Events that two processes share.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

mod fake;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use fake::*;

const SHARED: u32 = DISABLE_TIMING | 4;

/// By which the other process is told what to open.
const HANDLE: &str = "SYNCPOINT_TEST_HANDLE";

/// What the other process says when it has come to the end of a step, and waits for the next.
const SIGN: &str = "the other process waits";

/// This test in another process.
struct Other(Child, BufReader<ChildStdout>);

impl Other {
    fn begin(handle: &ExportHandle) -> Self {
        Self::begin_as("the_other_process", handle)
    }

    /// Another one of the tests here.
    fn begin_as(test: &str, handle: &ExportHandle) -> Self {
        let digits =
            handle.0.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(HANDLE, digits);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        Self(child, BufReader::new(output))
    }

    /// Waits until it has come to the end of a step.
    fn step(&mut self) {
        let mut line = String::new();
        while !line.contains(SIGN) {
            line.clear();
            assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "the other process has ended");
        }
    }

    /// Lets it begin the next one.
    fn next(&self) {
        writeln!(self.0.stdin.as_ref().unwrap()).unwrap();
    }

    fn end(mut self) {
        self.next();
        assert!(self.0.wait().unwrap().success());
    }
}

/// In the other process: the end of a step.
fn step() {
    println!("{SIGN}");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

#[test]
fn each_process_sees_what_the_other_records() {
    let fake = Fake::ready("");
    let (stream, event) = (fake.stream(NON_BLOCKING), fake.event(SHARED));
    let mut handle = ExportHandle([0; 64]);
    assert_eq!(fake.cuIpcGetEventHandle(&raw mut handle, event), 0);
    let hold = fake.hold(stream);
    assert_eq!(fake.cuEventRecord(event, stream), 0);
    let mut other = Other::begin(&handle);
    other.step();
    hold.end();
    other.next();
    other.step();
    assert_eq!(fake.cuEventQuery(event), NOT_READY);
    assert_eq!(fake.cuStreamWaitEvent(stream, event, 0), 0);
    assert_eq!(fake.cuStreamQuery(stream), NOT_READY);
    other.next();
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    assert_eq!(fake.cuEventSynchronize(event), 0);
    other.end();
}

/// In the other process: what to open. `None` in the first.
fn told() -> Option<ExportHandle> {
    let digits = env::var(HANDLE).ok()?;
    let byte = |index: usize| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).unwrap();
    Some(ExportHandle(std::array::from_fn(byte)))
}

#[test]
fn the_other_process() {
    let Some(handle) = told() else { return };
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let event = made(|room| fake.cuIpcOpenEventHandle(room, handle));
    assert_eq!(fake.cuEventQuery(event), NOT_READY);
    assert_eq!(fake.cuStreamWaitEvent(stream, event, 0), 0);
    assert_eq!(fake.cuStreamQuery(stream), NOT_READY);
    step();
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    assert_eq!(fake.cuEventQuery(event), 0);
    assert_eq!(fake.elapsed(event, event), Err(INVALID_HANDLE));
    let hold = fake.hold(stream);
    assert_eq!(fake.cuEventRecord(event, stream), 0);
    assert_eq!(fake.cuEventQuery(event), NOT_READY);
    step();
    hold.end();
    assert_eq!(fake.cuEventSynchronize(event), 0);
    step();
}

#[test]
fn a_broken_context_ends_the_wait_for_another_process() {
    const LAUNCH_FAILED: i32 = 719;
    let fake = Fake::ready("break cuCtxGetDevice 1 719");
    let (stream, event, context) = (fake.stream(NON_BLOCKING), fake.event(SHARED), fake.context());
    let hold = fake.hold(stream);
    assert_eq!(fake.cuEventRecord(event, stream), 0);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            assert_eq!(fake.cuCtxSetCurrent(context), 0);
            fake.cuEventSynchronize(event)
        });
        while fake.count("cuEventSynchronize") == 0 {
            std::thread::yield_now();
        }
        assert_eq!(fake.cuCtxGetDevice(&mut 0), LAUNCH_FAILED);
        assert_eq!(waiting.join().unwrap(), LAUNCH_FAILED);
    });
    hold.end();
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let fake = Fake::ready("");
    let mut handle = ExportHandle([0xa5; 64]);
    assert_eq!(fake.cuIpcOpenEventHandle(&mut 0, handle), INVALID_VALUE);
    let event = fake.event(DISABLE_TIMING);
    assert_eq!(fake.cuIpcGetEventHandle(&raw mut handle, event), INVALID_HANDLE);
    let event = fake.event(SHARED);
    assert_eq!(fake.cuIpcGetEventHandle(&raw mut handle, event), 0);
    assert_eq!(fake.cuIpcOpenEventHandle(&mut 0, handle), INVALID_CONTEXT, "in its own process");
    let mut again = ExportHandle([0; 64]);
    assert_eq!(fake.cuIpcGetEventHandle(&raw mut again, event), 0);
    assert_eq!(again, handle);
}

#[test]
fn a_shared_event_that_is_destroyed_leaves_no_file() {
    let fake = Fake::ready("");
    let own = format!("-{}-", std::process::id());
    let files = || {
        let files = std::fs::read_dir("/dev/shm").unwrap().flatten();
        files.filter(|file| file.file_name().to_string_lossy().contains(&own)).count()
    };
    let before = files();
    let events = [(); 1000].map(|()| fake.event(SHARED));
    assert!(files() > before);
    for event in events {
        assert_eq!(fake.cuEventDestroy_v2(event), 0);
    }
    assert!(files() < before + 1000);
}

#[test]
fn an_event_that_its_exporter_destroyed_is_refused_to_who_opened_it() {
    let fake = Fake::ready("");
    let (stream, event) = (fake.stream(NON_BLOCKING), fake.event(SHARED));
    let mut handle = ExportHandle([0; 64]);
    assert_eq!(fake.cuIpcGetEventHandle(&raw mut handle, event), 0);
    assert_eq!(fake.cuEventRecord(event, stream), 0);
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    let mut other = Other::begin_as("the_other_process_with_a_destroyed_event", &handle);
    other.step();
    assert_eq!(fake.cuEventDestroy_v2(event), 0);
    other.end();
}

#[test]
fn the_other_process_with_a_destroyed_event() {
    let Some(handle) = told() else { return };
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let event = made(|room| fake.cuIpcOpenEventHandle(room, handle));
    assert_eq!(fake.cuEventQuery(event), 0);
    step();
    assert_eq!(fake.cuEventQuery(event), INVALID_HANDLE);
    assert_eq!(fake.cuEventRecord(event, stream), INVALID_HANDLE);
    assert_eq!(fake.cuStreamWaitEvent(stream, event, 0), INVALID_HANDLE);
    assert_eq!(fake.cuEventSynchronize(event), INVALID_HANDLE);
    assert_eq!(fake.cuEventDestroy_v2(event), INVALID_HANDLE);
}
