//! Work that blocks, and work that computes, in a way that nobody can see: what it costs its neighbours, and in threads.
//!
//! `cargo test --release -p syncpoint-host --test blocking -- --nocapture --test-threads=1` prints the figures of
//! docs/costs.md.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint_conformance::patience::{PATIENCE, heard, say, until};

/// Each test measures the machine: one at a time.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_neighbour_of_blocking_work_is_served_soon_whatever_blocks() {
    let _turn = turn();
    // The goal is 10 ms. A crowd gets more: its threads have to be made, and twice as long on a machine that is busy.
    for (blockers, bound) in [(1, 10), (8, 10), (64, 20), (256, 50)] {
        let mut delays: Vec<_> = (0..11).map(|_| delay_behind(blockers)).collect();
        delays.sort();
        println!("behind {blockers} blockers: {:?}, at worst {:?}", delays[5], delays[10]);
        let (soonest, bound) = (delays[0], Duration::from_millis(bound));
        assert!(soonest < bound, "at best {soonest:?} behind {blockers} that block");
    }
}

/// How long a stream waits for its turn behind so many that were given work before it, which blocks.
fn delay_behind(blockers: usize) -> Duration {
    let device = syncpoint_host::open("host:blocked");
    let streams: Vec<_> = (0..blockers).map(|_| device.stream().unwrap()).collect();
    let neighbour = device.stream().unwrap();
    let let_go: Vec<_> = streams
        .iter()
        .map(|stream| {
            let (let_go, end) = channel::<()>();
            stream.enqueue(move || end.recv().unwrap_or_default()).unwrap();
            let_go
        })
        .collect();
    let ((sender, receiver), begin) = (channel(), Instant::now());
    neighbour.enqueue(move || say(&sender, begin.elapsed())).unwrap();
    let delay = heard(&receiver, "the work of the neighbour");
    drop(let_go);
    device.synchronize_timeout(PATIENCE).unwrap();
    device.shutdown(PATIENCE).unwrap();
    // Those that end still cost the next attempt time.
    until("the end of the workers", || workers() == 0);
    delay
}

#[test]
fn work_that_computes_for_long_brings_no_crowd_of_threads() {
    let _turn = turn();
    let base = thread::available_parallelism().unwrap().get();
    let (device, stop) = (syncpoint_host::open("host:computing"), Arc::new(AtomicBool::new(false)));
    let streams: Vec<_> = (0..1000).map(|_| device.stream().unwrap()).collect();
    for stream in &streams {
        let stop = Arc::clone(&stop);
        stream.enqueue(move || compute(Duration::from_millis(10), &stop)).unwrap();
    }
    let (begin, mut most) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(1) {
        most = most.max(workers());
        thread::yield_now();
    }
    stop.store(true, Ordering::Relaxed);
    device.synchronize().unwrap();
    println!("{most} workers compute on {base} cores");
    assert!(most <= 4 * base + 16, "{most} workers compute on {base} cores");
}

/// Computes so long, or until it is to stop.
fn compute(length: Duration, stop: &AtomicBool) {
    let begin = Instant::now();
    while begin.elapsed() < length && !stop.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}

/// How many workers of host devices live in this process.
fn workers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "syncpoint-host").count()
}
