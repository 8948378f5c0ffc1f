//! Signals that interrupt every thread, again and again, end no wait early and lose nothing.
//!
//! In a process of its own: they go to all of it.
#![cfg(target_os = "linux")]

use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use syncpoint::{Gate, Kind, Wait, wait_any_timeout};
use syncpoint_conformance::patience::{PATIENCE, heard, refused, say, settle};
use syncpoint_conformance::signal;

const POLICIES: [Wait; 5] = [Wait::Adaptive, Wait::Spin, Wait::Yield, Wait::Block, Wait::NoHelp];

/// How long the threads are interrupted: several of the slices in which a host wait sleeps.
const STORM: Duration = Duration::from_millis(300);

#[test]
fn signals_that_interrupt_every_thread_end_no_wait_early_and_lose_nothing() {
    signal::heed();
    let device = syncpoint::open("host:0").unwrap();
    let (stream, delayed, gate) = (device.stream().unwrap(), device.stream().unwrap(), Gate::new());
    let (told, hears) = channel();
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(|| ()).unwrap();
    let end = stream.record().unwrap();
    end.notify(move |outcome| say(&told, outcome.is_ok())).unwrap();

    let start = delayed.record_timed().unwrap();
    delayed.delay(STORM).unwrap();
    let delay_over = delayed.record_timed().unwrap();
    let waiting = POLICIES.map(|wait| {
        let end = end.clone();
        thread::spawn(move || end.synchronize_with(wait, Some(PATIENCE)))
    });
    let running_out = POLICIES.map(|wait| {
        let end = end.clone();
        thread::spawn(move || {
            let begin = Instant::now();
            refused(end.synchronize_with(wait, Some(STORM / 2)), Kind::TimedOut);
            refused(wait_any_timeout(&[end], STORM / 4), Kind::TimedOut);
            begin.elapsed()
        })
    });
    while !delay_over.query().unwrap() || !running_out.iter().all(JoinHandle::is_finished) {
        assert!(signal::interrupt() > POLICIES.len(), "all of them are interrupted");
        thread::yield_now();
    }
    assert!(!end.query().unwrap(), "the gate is closed");
    for thread in running_out {
        let waited = thread.join().unwrap();
        assert!(waited >= STORM / 2 + STORM / 4, "gave up after {waited:?}");
    }
    let delay = delay_over.elapsed_since(&start).unwrap();
    assert!(delay >= STORM, "a delay of {STORM:?} was over after {delay:?}");
    gate.open().unwrap();
    settle(&end);
    assert!(heard(&hears, "the notified function"));
    for thread in waiting {
        thread.join().unwrap().unwrap();
    }
}
