//! Many items, many streams: nothing is lost, nothing is quadratic, nothing nests.
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Gate, Result, Stream};

const MANY: u64 = 100_000;

fn count(ran: &AtomicU64) {
    ran.fetch_add(1, Ordering::Relaxed);
}

/// Device work and host work in turns behind a gate.
fn a_hundred_thousand_items(sim: &Sim) -> Result<()> {
    let stream = sim.device(0)?.stream()?;
    let (gate, ran) = (Gate::new(), Arc::new(AtomicU64::new(0)));
    stream.wait(&gate.point())?;
    for index in 0..MANY {
        if index % 10 == 0 {
            let ran = Arc::clone(&ran);
            stream.enqueue(move || count(&ran))?;
        } else {
            stream.delay(Duration::from_nanos(1))?;
        }
    }
    assert_eq!(stream.statistics().held, MANY + 1);
    gate.open()?;
    stream.synchronize()?;
    assert_eq!(ran.load(Ordering::Relaxed), MANY / 10);
    assert_eq!(stream.statistics().held, 0);
    Ok(())
}

#[test]
fn a_hundred_thousand_items_come_to_their_end_in_a_stepped_world() -> Result<()> {
    a_hundred_thousand_items(&Sim::builder().stepped().build())
}

#[test]
fn a_hundred_thousand_items_come_to_their_end_in_an_automatic_world() -> Result<()> {
    a_hundred_thousand_items(&Sim::builder().build())
}

/// A ring of waits between streams: each hop waits for the one before.
fn hops(sim: &Sim, count: usize) -> Result<()> {
    let streams: Vec<Stream> = (0..16)
        .map(|index| sim.device(index % 2).and_then(|device| device.stream()))
        .collect::<Result<_>>()?;
    let gate = Gate::new();
    streams[0].wait(&gate.point())?;
    for hop in 0..count {
        let (from, to) = (&streams[hop % 16], &streams[(hop + 1) % 16]);
        from.delay(Duration::from_nanos(1))?;
        to.wait_stream(from)?;
    }
    gate.open()?;
    streams[count % 16].synchronize()
}

#[test]
fn a_hundred_thousand_hops_need_no_stack() -> Result<()> {
    let run = || -> Result<()> {
        hops(&Sim::builder().devices(2).stepped().build(), 100_000)?;
        hops(&Sim::builder().devices(2).build(), 20_000)
    };
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(run);
    thread.expect("a thread").join().expect("no overflow")
}

#[test]
fn a_thousand_streams_wait_for_one_and_one_for_them() -> Result<()> {
    let sim = Sim::builder().build();
    let device = sim.device(0)?;
    let (first, last) = (device.stream()?, device.stream()?);
    let middle: Vec<Stream> = (0..1000).map(|_| device.stream()).collect::<Result<_>>()?;
    let (gate, ran) = (Gate::new(), Arc::new(AtomicU64::new(0)));
    first.wait(&gate.point())?;
    first.fork(&middle)?;
    for stream in &middle {
        let ran = Arc::clone(&ran);
        stream.enqueue(move || count(&ran))?;
    }
    last.join(&middle)?;
    let seen = Arc::clone(&ran);
    last.enqueue(move || assert_eq!(seen.load(Ordering::Relaxed), 1000))?;
    gate.open()?;
    last.synchronize()
}
