//! How long work took on the device's own clock, and how each mistake in asking is told apart.
#![expect(clippy::print_stdout, clippy::panic_in_result_fn, reason = "an example shows and checks")]

use std::hint::black_box;
use std::time::Duration;

use syncpoint::{Error, EventOptions, Gate, Kind, Reason, Result};

fn main() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let stream = device.stream()?;
    println!("times of {device} are read on the {}", device.clock());

    let start = stream.record_timed()?;
    stream.enqueue(|| (1..=200_000_u64).map(black_box).for_each(|_| ()))?;
    let worked = stream.record_timed()?;
    stream.delay(Duration::from_millis(20))?;
    let end = stream.record_timed()?;
    end.synchronize()?;
    println!("work:  {:.1?}", worked.elapsed_since(&start)?);
    println!("delay: {:.1?}", end.elapsed_since(&worked)?);
    println!("both:  {:.1?}", end.elapsed_since(&start)?);
    assert!(end.elapsed_since(&worked)? >= Duration::from_millis(20));

    // The same with events, as in CUDA and PyTorch.
    let timed = EventOptions::timed();
    let (before, after) = (device.event_with(timed)?, device.event_with(timed)?);
    before.record(&stream)?;
    stream.delay(Duration::from_millis(5))?;
    after.record(&stream)?;
    after.synchronize()?;
    println!("between two events: {:.1?}", after.elapsed_since(&before)?);

    println!("\neach mistake has an error of its own:");
    let unrecorded = device.event_with(timed)?;
    tell(Reason::NotRecorded, unrecorded.elapsed_since(&before));
    let untimed = device.event();
    untimed.record(&stream)?;
    tell(Reason::NotTimed, untimed.elapsed_since(&before));
    tell(Reason::Reversed, start.elapsed_since(&end));
    let gate = Gate::new();
    stream.wait(&gate.point())?;
    let pending = stream.record_timed()?;
    tell(Reason::NotComplete, pending.elapsed_since(&end));
    gate.open()?;
    stream.synchronize()
}

/// Shows an error, which must be this one.
fn tell<T: std::fmt::Debug>(reason: Reason, result: Result<T>) {
    assert_eq!(
        result.as_ref().map_err(Error::kind).err(),
        Some(Kind::Misuse(reason)),
        "{result:?}"
    );
    println!("  {reason}: {}", result.err().map_or_else(String::new, |error| error.to_string()));
}
