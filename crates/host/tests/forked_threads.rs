//! Threads of ours in children that were forked while their parent made threads.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use syncpoint_conformance::child::{self, Ended};
use syncpoint_conformance::patience::PATIENCE;

/// One of some 250 hung where threads of ours were the standard library's in a child.
const CHILDREN: usize = 300;

/// A worker, a timer, and the notifier, each made by the child.
fn work_anew() -> i32 {
    let device = syncpoint_host::open("host:child");
    let stream = device.stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    stream.delay(Duration::from_micros(1)).unwrap();
    let (told, hears) = std::sync::mpsc::channel();
    stream.record().unwrap().notify(move |outcome| told.send(outcome.is_ok()).unwrap()).unwrap();
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(true));
    0
}

/// Catches a thread that waits for a lock of the standard library's whose holder stayed with the parent.
#[test]
fn a_child_makes_threads_also_where_its_parent_was_making_some() {
    syncpoint_host::open("host:parent").stream().unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    // The lock is held while the name is freed, and a long one keeps the system busy.
                    let thread = thread::Builder::new().name("n".repeat(8 << 20));
                    thread.spawn(|| ()).unwrap().join().unwrap();
                }
            });
        }
        let ended = catch_unwind(|| {
            (0..CHILDREN).try_for_each(|child| match child::forked(work_anew) {
                ended if ended == Ended::silently(0) => Ok(()),
                ended => Err((child, ended)),
            })
        });
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(ended.unwrap(), Ok(()));
    });
}
