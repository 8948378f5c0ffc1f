//! Deadlines of host waits: zero, tiny, largest, past what a clock can tell, and what happens meanwhile.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Device, Gate, Kind, Point, Stream, Wait};
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::patience::{PATIENCE, heard, promptly, refused, say, settle};

const POLICIES: [Wait; 5] = [Wait::Adaptive, Wait::Spin, Wait::Yield, Wait::Block, Wait::NoHelp];

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

/// A stream that comes no further than to the gate, and the point behind it.
fn held() -> (Stream, Gate, Point) {
    held_on(&host())
}

fn held_on(device: &Device) -> (Stream, Gate, Point) {
    let (stream, gate) = (device.stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(|| ()).unwrap();
    let point = stream.record().unwrap();
    (stream, gate, point)
}

#[test]
fn a_deadline_of_zero_asks_once_and_finds_what_is_complete() {
    // A device of its own: on another the tests beside this one have streams that are not complete.
    let device = syncpoint_host::open("host:deadlines");
    let (stream, gate, point) = held_on(&device);
    let past = Instant::now();
    for wait in POLICIES {
        refused(point.synchronize_with(wait, Some(Duration::ZERO)), Kind::TimedOut);
    }
    refused(point.synchronize_deadline(past), Kind::TimedOut);
    refused(device.synchronize_timeout(Duration::ZERO), Kind::TimedOut);
    gate.open().unwrap();
    settle(&point);
    for wait in POLICIES {
        point.synchronize_with(wait, Some(Duration::ZERO)).unwrap();
    }
    point.synchronize_deadline(past).unwrap();
    stream.synchronize_timeout(Duration::ZERO).unwrap();
    device.synchronize_timeout(Duration::ZERO).unwrap();
}

#[test]
fn the_points_of_a_device_are_of_the_moment_and_not_of_what_follows() {
    let device = syncpoint_host::open("host:moment");
    let (first, gate, _) = held_on(&device);
    let points = device.record_all().unwrap();
    let (second, later, _) = held_on(&device);
    first.wait(&later.point()).unwrap();
    gate.open().unwrap();
    syncpoint::wait_all_timeout(&points, PATIENCE).unwrap();
    for stream in [first, second] {
        refused(stream.synchronize_timeout(Duration::ZERO), Kind::TimedOut);
    }
    later.open().unwrap();
    device.synchronize_timeout(PATIENCE).unwrap();
}

#[test]
fn a_tiny_deadline_runs_out_and_never_early() {
    let (_stream, gate, point) = held();
    for wait in POLICIES {
        for timeout in [Duration::from_nanos(1), Duration::from_micros(1), Duration::from_millis(3)]
        {
            let begin = Instant::now();
            refused(point.synchronize_with(wait, Some(timeout)), Kind::TimedOut);
            assert!(begin.elapsed() >= timeout, "{wait:?} gave up before {timeout:?} was over");
        }
    }
    gate.open().unwrap();
    settle(&point);
}

#[test]
fn half_of_the_deadlines_that_run_out_are_told_within_a_millisecond() {
    let (_stream, gate, point) = held();
    let late = |_| {
        let deadline = Instant::now() + Duration::from_millis(5);
        refused(point.synchronize_deadline(deadline), Kind::TimedOut);
        deadline.elapsed()
    };
    // How late the latest are is for docs/costs.md: a machine with much else to do may be late more often than not.
    let medians: Vec<_> = (0..5).map(|_| median((0..21).map(late))).collect();
    assert!(medians.iter().any(|late| *late <= Duration::from_millis(1)), "late by {medians:?}");
    gate.open().unwrap();
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn the_largest_deadlines_wait_until_the_point_comes() {
    for timeout in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 40)] {
        for wait in POLICIES {
            let (stream, gate, point) = held();
            let waiting = thread::spawn(move || {
                point.synchronize_with(wait, Some(timeout)).map(|()| stream.query())
            });
            gate.open().unwrap();
            assert!(waiting.join().unwrap().unwrap().unwrap(), "{wait:?} for {timeout:?}");
        }
        let (stream, gate, _point) = held();
        let waiting = thread::spawn(move || stream.synchronize_timeout(timeout));
        gate.open().unwrap();
        waiting.join().unwrap().unwrap();
        host().synchronize_timeout(timeout).unwrap();
    }
}

#[test]
fn a_deadline_that_no_clock_can_tell_does_not_overflow_a_shutdown_or_a_delay() {
    let device = syncpoint_host::open("host:overflow");
    let (delayed, idle) = (device.stream().unwrap(), device.stream().unwrap());
    delayed.delay(Duration::MAX).unwrap();
    let never = delayed.record().unwrap();
    idle.enqueue(|| ()).unwrap();
    settle(&idle.record().unwrap());
    refused(never.synchronize_timeout(Duration::from_millis(5)), Kind::TimedOut);
    promptly(move || device.shutdown(Duration::MAX)).unwrap();
    refused(never.synchronize_timeout(PATIENCE), Kind::Failed);
}

#[test]
fn a_wait_with_a_deadline_runs_no_work_on_its_thread() {
    for _ in 0..200 {
        let (stream, (sender, receiver)) = (host().stream().unwrap(), channel());
        stream.enqueue(move || say(&sender, thread::current().id())).unwrap();
        stream.synchronize_timeout(PATIENCE).unwrap();
        assert_ne!(heard(&receiver, "the thread of the work"), thread::current().id());
    }
}

#[test]
fn completion_between_the_look_and_the_sleep_is_never_lost() {
    let waiting = host().stream().unwrap();
    for round in 0..3000_u32 {
        let gate = Gate::new();
        waiting.wait(&gate.point()).unwrap();
        let point = waiting.record().unwrap();
        let opener = thread::spawn(move || {
            // A different moment each time, from before the look to after the sleep.
            for _ in 0..(round % 97) * 40 {
                std::hint::spin_loop();
            }
            gate.open()
        });
        let wait = POLICIES[usize::try_from(round).unwrap() % POLICIES.len()];
        point.synchronize_with(wait, Some(PATIENCE)).unwrap();
        opener.join().unwrap().unwrap();
    }
}

#[test]
fn a_wake_of_the_users_own_is_not_used_up_by_a_wait() {
    let (stream, gate, point) = held();
    thread::current().unpark();
    refused(point.synchronize_timeout(Duration::from_millis(5)), Kind::TimedOut);
    gate.open().unwrap();
    stream.synchronize().unwrap();
    // Returns at once, for the token is still there; without it this would hang.
    promptly_park();
}

fn promptly_park() {
    let begin = Instant::now();
    thread::park_timeout(PATIENCE);
    assert!(begin.elapsed() < PATIENCE, "a wait took the token of unpark");
}

#[test]
fn a_timeout_frees_nothing_that_the_work_uses() {
    let (stream, used) = (host().stream().unwrap(), Arc::new(()));
    let busy = Busy::on(&stream).unwrap();
    let capture = Arc::clone(&used);
    stream.enqueue(move || drop(capture)).unwrap();
    let point = stream.record().unwrap();
    refused(point.synchronize_timeout(Duration::from_millis(5)), Kind::TimedOut);
    drop(stream);
    assert_eq!(Arc::strong_count(&used), 2, "the work still holds what it will use");
    busy.let_go();
    settle(&point);
    assert_eq!(Arc::strong_count(&used), 1);
}
