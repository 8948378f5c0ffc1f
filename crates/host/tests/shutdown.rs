//! A device that is shut down: what had not begun fails, and nothing begins again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, ThreadId};
use std::time::Duration;

use syncpoint::{Gate, Kind, Point, Result, Stream};
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::patience::{PATIENCE, failure_of, heard, refused, say, settle};

#[test]
fn a_stream_of_a_device_that_was_shut_down_begins_no_new_era() {
    let device = syncpoint_host::open("host:shutdown");
    let (parked, idle, gate) = (device.stream().unwrap(), device.stream().unwrap(), Gate::new());
    parked.wait(&gate.point()).unwrap();
    parked.enqueue(|| ()).unwrap();
    let never = parked.record().unwrap();
    device.shutdown(Duration::from_secs(60)).unwrap();
    assert_eq!(never.synchronize().unwrap_err().kind(), Kind::Failed);
    for stream in [&parked, &idle] {
        assert!(stream.recover().unwrap().is_none(), "a shutdown has no recovery");
        let error = stream.enqueue(|| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.message().contains("shut down"), "{error}");
    }
    gate.open().unwrap();
}

#[test]
fn what_is_queued_behind_running_work_fails_at_once() {
    let device = syncpoint_host::open("host:shutdown");
    let (stream, other) = (device.stream().unwrap(), device.stream().unwrap());
    let busy = Busy::on(&stream).unwrap();
    let running = stream.record().unwrap();
    stream.enqueue(|| ()).unwrap();
    let queued = stream.record().unwrap();
    other.wait(&queued).unwrap();
    refused(device.shutdown(Duration::from_millis(5)), Kind::TimedOut);
    failure_of(&queued);
    failure_of(&other.record().unwrap());
    failure_of(&stream.record().unwrap());
    assert!(!running.query().unwrap(), "the work still runs");
    busy.let_go();
    settle(&running);
    failure_of(&queued);
    device.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_record_on_a_stream_that_was_cancelled_while_its_last_work_ran_has_failed() {
    let device = syncpoint_host::open("host:shutdown");
    let stream = device.stream().unwrap();
    let busy = Busy::on(&stream).unwrap();
    let running = stream.record().unwrap();
    refused(device.shutdown(Duration::from_millis(5)), Kind::TimedOut);
    failure_of(&stream.record().unwrap());
    assert!(!running.query().unwrap(), "the work still runs");
    busy.let_go();
    settle(&running);
    failure_of(&stream.record().unwrap());
}

#[test]
fn a_shutdown_waits_for_a_thread_that_helps() {
    let helped = (0..2000).any(|_| {
        let device = syncpoint_host::open("host:helped");
        let work = Work::on(&device.stream().unwrap());
        let helps = work.thread == work.waiting.thread().id();
        if helps {
            let error = refused(device.shutdown(Duration::from_millis(5)), Kind::TimedOut);
            assert!(error.to_string().contains("still runs"), "{error}");
        }
        work.end().unwrap();
        device.shutdown(PATIENCE).unwrap();
        helps
    });
    assert!(helped, "a waiting thread never ran the work");
}

/// Work that runs until it is let go, perhaps on the thread that waits for it.
struct Work {
    thread: ThreadId,
    waiting: thread::JoinHandle<Result<()>>,
    let_go: Sender<()>,
}

impl Work {
    fn on(stream: &Stream) -> Self {
        let ((begun, wait_for_begin), (let_go, end)) = (channel(), channel());
        let (begin, point) = behind_a_gate(stream, begun, end);
        let waiting = thread::spawn(move || {
            begin.open()?;
            point.synchronize()
        });
        let thread = heard(&wait_for_begin, "the beginning of the work");
        Self { thread, waiting, let_go }
    }

    fn end(self) -> Result<()> {
        drop(self.let_go);
        self.waiting.join().unwrap()
    }
}

fn behind_a_gate(stream: &Stream, begun: Sender<ThreadId>, end: Receiver<()>) -> (Gate, Point) {
    let gate = Gate::new();
    stream.wait(&gate.point()).unwrap();
    stream
        .enqueue(move || {
            say(&begun, thread::current().id());
            end.recv().unwrap_or_default();
        })
        .unwrap();
    (gate, stream.record().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_delay_that_is_cancelled_keeps_nothing_until_its_end() {
    use syncpoint_conformance::patience::until;

    let timers = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.trim() == "syncpoint-timer").count()
    };
    let device = syncpoint_host::open("host:delayed");
    let stream = device.stream().unwrap();
    stream.delay(Duration::from_secs(3600)).unwrap();
    until("the timer", || timers() == 1);
    device.shutdown(PATIENCE).unwrap();
    drop((stream, device));
    // The timer ends with its device, which each of its streams keeps.
    until("the end of the device", || timers() == 0);
}
