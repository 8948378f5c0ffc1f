//! Models of fills that the driver keeps, beside what happens to their stream on other threads.

use loom::thread;

use super::double::Bench;
use super::{HeldStream, a_peer_fails, a_record_beside, outcome, raw};
use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::model::holds;
use crate::point::Point;
use crate::stream::Stream;

#[test]
fn a_record_beside_a_fill_of_another_thread_signals_no_value_twice() {
    holds(2, || a_record_beside(fill));
}

#[test]
fn a_failure_of_a_fill_reaches_whoever_waits_natively_beside_it() {
    holds(2, || a_peer_fails(HeldStream::fail, HeldStream::complete, fill));
}

#[test]
fn a_loss_beside_a_fill_reaches_it_and_whoever_waits_natively_for_it() {
    holds(2, || {
        let bench = Bench::<true>::new();
        let (fills, waits, buffer) = (bench.stream(), bench.stream(), bench.buffer());
        let lost = raw(&fills.timeline().point(1));
        let loses = thread::spawn(move || {
            let error = Error::failed("on purpose");
            lost.domain().lose(|driver| std::ptr::eq(driver, lost.driver()), &error);
        });
        // Behind the loss it is refused.
        if let Ok(filled) = fill(&fills, &buffer) {
            let told = waits.wait(&filled).and_then(|()| waits.record());
            let told = told.map_or_else(Err, |end| outcome(&end));
            assert!(told.is_err() && outcome(&filled).is_err(), "what never comes was complete");
        }
        loses.join().expect("a loss is told");
        bench.engine.close();
        while let Some(given) = bench.engine.take() {
            drop(given);
        }
        bench.close();
    });
}

/// One that the driver keeps.
fn fill(stream: &Stream, buffer: &Buffer) -> Result<Point> {
    stream.fill(buffer, 0..1, 1)?;
    stream.record()
}
