//! Models of the host: streams handed over between those who put, run, help, wake and cancel.
//!
//! They run the real streams, turns, helpers and workers. Where a bug is planted, the workers are replaced by ones that
//! make one mistake.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a model is a test")]

mod failure;
mod hand_over;
mod planted;

use std::sync::Arc;
use std::time::Duration;

use loom::sync::atomic::AtomicU64;
use loom::thread;
use syncpoint_core::{Device, Point, Stream, Wait};

use crate::clock::HostClock;
use crate::device;
use crate::help;
use crate::serve::{Scheduler, Shared};
use crate::stream::HostStream;
use crate::sync::Ordering;

/// A host device whose workers are threads of the model.
struct Host(Device);

impl Host {
    /// A host that brings its own workers, so many when they are needed.
    fn new(base: usize) -> Self {
        Self(device::modelled(scheduler(base)))
    }

    /// A host with so many workers that do this.
    fn worked_by(workers: usize, work: fn(&Arc<Scheduler>)) -> Self {
        let scheduler = scheduler(workers);
        scheduler.count_workers(workers);
        for _ in 0..workers {
            let scheduler = Arc::clone(&scheduler);
            thread::spawn(move || {
                work(&scheduler);
                scheduler.end_worker();
            });
        }
        Self(device::modelled(scheduler))
    }

    fn stream(&self) -> Stream {
        self.0.stream().expect("the host has room for a stream")
    }

    /// Ends the workers.
    fn close(self) {
        self.0.shutdown(Duration::MAX).expect("workers end");
    }
}

fn scheduler(base: usize) -> Arc<Scheduler> {
    Scheduler::modelled(Shared::new(HostClock::begin(), 1 << 20), base)
}

/// Sleeps until a point is complete, and helps with nothing.
fn sleep_until(point: &Point) {
    point.synchronize_with(Wait::Block, None).expect("nothing fails here");
}

/// Helps with what a point needs, as far as that goes.
fn help_with(point: &Point) {
    help::help(raw(point), point.value());
}

/// The host's own stream behind a point.
fn raw(point: &Point) -> Arc<HostStream> {
    point.timeline().own_stream().expect("the stream lives")
}

/// The items that ran, in their order, as digits of one number.
#[derive(Clone, Default)]
struct Journal(Arc<AtomicU64>);

impl Journal {
    /// Work that notes a digit.
    fn note(&self, digit: u64) -> impl FnOnce() + Send + 'static {
        let journal = self.clone();
        move || journal.write(digit)
    }

    /// Two steps, which are one only for whoever is alone, as items of a stream are. Relaxed: the stream orders them.
    fn write(&self, digit: u64) {
        let before = self.read();
        self.0.store(before * 10 + digit, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// What ran must be exactly this.
    #[track_caller]
    fn must_say(&self, expected: u64) {
        assert_eq!(self.read(), expected, "the items that ran, in their order");
    }
}
