//! Models of records: they name what was put before them, and are of the era that whoever records has seen.

use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use super::double::Bench;
use super::{engine_runs_to, raw, sleep_until, work};
use crate::error::Error;
use crate::model::holds;
use crate::point::State;
use crate::sync::{AtomicU64, Ordering};

#[test]
fn a_record_names_what_another_thread_had_put_before() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (stream, told) = (Arc::new(bench.stream()), Arc::new(AtomicU64::new(0)));
        let puts = thread::spawn({
            let (stream, told) = (Arc::clone(&stream), Arc::clone(&told));
            move || {
                stream.delay(Duration::from_nanos(1)).expect("a delay");
                // Release: pairs with the load below.
                told.store(1, Ordering::Release);
            }
        });
        // Acquire: pairs with the store above.
        let put = told.load(Ordering::Acquire);
        let recorded = stream.record().expect("a point");
        assert!(recorded.value() >= put, "a record names less than was put before it");
        puts.join().expect("work is put");
        engine_runs_to(&bench, &stream.timeline().point(1));
        sleep_until(&recorded);
        bench.close();
    });
}

#[test]
fn a_record_of_who_has_seen_a_recovery_is_of_the_new_era() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let stream = Arc::new(bench.stream());
        // Signalled, and failed all the same.
        let held = raw(&work(&stream));
        held.fail(1, &Error::failed("on purpose"));
        let recovers = thread::spawn({
            let stream = Arc::clone(&stream);
            move || stream.recover().expect("no device is lost")
        });
        let has_recovered = stream.failure().is_none();
        let recorded = stream.record().expect("a point");
        let has_failed = matches!(recorded.known(), State::Failed(_));
        assert!(!(has_recovered && has_failed), "a point of the new era has failed");
        recovers.join().expect("a recovery ends");
        drop(held);
        bench.engine.close();
        while let Some(given) = bench.engine.take() {
            given.ends();
        }
        bench.close();
    });
}
