//! Models of the driver's event between two processes: a wait that a device is given is for the record that was meant.

#![expect(clippy::expect_used, reason = "a model is a test")]

use std::sync::Arc;

use loom::thread;

use super::*;
use crate::model::{catches, holds};
use crate::sync::AtomicU64;

/// What both processes have: the numbers of the page, and the driver's event.
#[derive(Default)]
struct Both {
    turn: AtomicU64,
    run: AtomicU64,
    event: AtomicU64,
    settled: AtomicU64,
    /// As what the driver has its event recorded. Relaxed everywhere: drivers order nothing here.
    drivers: AtomicU64,
}

impl Both {
    fn recorded(&self) -> Recorded<'_, AtomicU64> {
        Recorded { turn: &self.turn, run: &self.run, event: &self.event }
    }

    /// The exporter records on a stream that did not record before.
    fn record(&self, generation: u64) {
        let recorded = self.recorded();
        recorded.begin_run(generation);
        if let Some(recording) = recorded.begin() {
            self.drivers.store(generation, Ordering::Relaxed);
            recording.is(generation);
        }
    }

    /// As what the driver had its event recorded when it was given a wait for this generation.
    fn wait(&self, generation: u64) -> Option<u64> {
        let settled = || self.settled.load(Ordering::Acquire);
        self.recorded().give(generation, settled, || self.drivers.load(Ordering::Relaxed))
    }
}

type Record = fn(&Both, u64);
type Wait = fn(&Both, u64) -> Option<u64>;

/// The exporter records on two streams while two importers wait, each for one of the records.
fn two_records_beside_two_waits(record: Record, wait: Wait) {
    let both = Arc::new(Both::default());
    record(&both, 1);
    let waits = [1, 2].map(|generation| {
        let both = Arc::clone(&both);
        thread::spawn(move || {
            let given = wait(&both, generation);
            assert!(given.is_none_or(|record| record == generation), "a wait for another record");
            let alone = both.settled.load(Ordering::Acquire) == 1;
            assert!(generation == 1 || given.is_none() || alone, "the first record was left out");
        })
    });
    record(&both, 2);
    both.settled.store(1, Ordering::Release);
    for wait in waits {
        wait.join().expect("a wait is given or not");
    }
}

#[test]
fn a_wait_that_a_device_is_given_is_for_its_record() {
    holds(3, || two_records_beside_two_waits(Both::record, Both::wait));
}

#[test]
fn a_record_that_no_wait_is_given_beside_is_the_drivers() {
    holds(3, || {
        let both = Arc::new(Both::default());
        let exporter = Arc::clone(&both);
        let records = thread::spawn(move || exporter.record(1));
        let early = both.wait(1);
        records.join().expect("a record ends");
        assert!(early.is_none_or(|record| record == 1));
        assert_eq!(both.wait(1), Some(1), "nobody kept the driver from it, and it was recorded");
    });
}

/// Records whatever importers do.
fn record_without_a_turn(both: &Both, generation: u64) {
    both.recorded().begin_run(generation);
    both.drivers.store(generation, Ordering::Relaxed);
    both.event.store(generation, Ordering::Release);
}

#[test]
fn a_record_without_a_turn_is_caught() {
    catches("a wait for another record", || {
        holds(3, || two_records_beside_two_waits(record_without_a_turn, Both::wait));
    });
}

/// Looks at the page before it gives the wait, and takes no turn.
fn wait_without_a_turn(both: &Both, generation: u64) -> Option<u64> {
    let covers = both.recorded().covers(generation, both.settled.load(Ordering::Acquire));
    covers.then(|| both.drivers.load(Ordering::Relaxed))
}

#[test]
fn a_wait_without_a_turn_is_caught() {
    catches("a wait for another record", || {
        holds(3, || two_records_beside_two_waits(Both::record, wait_without_a_turn));
    });
}

/// Tells of a run only once the driver has its first record.
fn record_before_the_run(both: &Both, generation: u64) {
    let recorded = both.recorded();
    if let Some(recording) = recorded.begin() {
        both.drivers.store(generation, Ordering::Relaxed);
        recording.is(generation);
    }
    recorded.begin_run(generation);
}

#[test]
fn a_run_that_is_told_late_is_caught() {
    catches("the first record was left out", || {
        holds(3, || two_records_beside_two_waits(record_before_the_run, Both::wait));
    });
}
