//! A process may end whatever its streams still do.

use std::env;
use std::process::{Command, Stdio};
use std::thread;

use syncpoint::{Gate, Result};
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::patience::promptly;

/// Says to the child's own copy of this test what it is.
const CHILD: &str = "SYNCPOINT_TEST_CHILD";

#[test]
fn a_process_ends_at_once_with_work_running_queued_and_waiting() {
    if env::var_os(CHILD).is_some() {
        leave_everything_behind().expect("the host takes work");
        return;
    }
    let mut child = Command::new(env::current_exe().expect("this test is a program"));
    child.args(["--exact", "a_process_ends_at_once_with_work_running_queued_and_waiting"]);
    child.env(CHILD, "yes").stdin(Stdio::null());
    let output = promptly(move || child.output()).expect("the child runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "the child ends in silence: {told}");
}

/// Ends with work that runs for ever, work behind it, a stream at a gate, a callback due and threads that wait.
fn leave_everything_behind() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let streams = [(); 8].map(|()| device.stream());
    let gate = Box::leak(Box::new(Gate::new()));
    for stream in streams {
        let stream = stream?;
        Box::leak(Box::new(Busy::on(&stream)?));
        stream.enqueue(|| ())?;
        stream.wait(&gate.point())?;
        stream.delay(std::time::Duration::MAX)?;
        let end = stream.record()?;
        end.notify(drop)?;
        thread::spawn(move || end.synchronize());
    }
    Ok(())
}
