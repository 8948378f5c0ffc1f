//! Work on two streams runs side by side, and the device's own clock shows it.
#![expect(clippy::print_stdout, clippy::panic_in_result_fn, reason = "an example shows and checks")]

use std::time::Duration;

use syncpoint::{Result, Stream};

/// How long each of the two pieces of work takes.
const STEP: Duration = Duration::from_millis(100);

fn main() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let (copy, compute) = (device.stream()?, device.stream()?);

    let in_order = run(&compute, &compute)?;
    let side_by_side = run(&copy, &compute)?;

    println!("two steps of {STEP:?} on one stream:  {in_order:.1?}");
    println!("two steps of {STEP:?} on two streams: {side_by_side:.1?}");
    println!("saved: {:.1?}", in_order.saturating_sub(side_by_side));
    assert!(in_order >= 2 * STEP, "work on one stream runs in order");
    assert!(side_by_side >= STEP, "no step is left out");
    assert!(side_by_side < in_order, "work on two streams overlaps");
    Ok(())
}

/// Runs one step on each stream and gives the time from the begin of the first to the end of the last.
fn run(first: &Stream, second: &Stream) -> Result<Duration> {
    let start = first.record_timed()?;
    second.wait(&start)?; // neither begins before the clock is read; free where both are one stream

    first.delay(STEP)?;
    second.delay(STEP)?;

    first.wait_stream(second)?; // the end is when both are done
    let end = first.record_timed()?;
    end.synchronize()?; // the only call that blocks
    end.elapsed_since(&start)
}
