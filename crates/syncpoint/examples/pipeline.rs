//! Three stages on three streams: while one batch is copied, the next is loaded and the last is stored.
#![expect(clippy::print_stdout, clippy::panic_in_result_fn, reason = "an example shows and checks")]

use std::ops::Range;
use std::time::Duration;

use syncpoint::{Result, Stream, TimedPoint};

const BATCHES: u8 = 4;
/// How many bytes a batch has.
const BATCH: u64 = 1000;
/// What a stage takes besides its work, as a disk or a bus would.
const TRANSFER: Duration = Duration::from_millis(30);
/// What one character of the picture stands for.
const TICK: Duration = Duration::from_millis(5);

fn main() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let [load, copy, store] = [device.stream()?, device.stream()?, device.stream()?];
    let buffer = || device.buffer(BATCH * u64::from(BATCHES));
    let (input, middle, output) = (buffer()?, buffer()?, buffer()?);
    let origin = load.record_timed()?;
    let mut lanes = [("load ", Vec::new()), ("copy ", Vec::new()), ("store", Vec::new())];

    for batch in 0..BATCHES {
        let range = range(batch);
        let work = || load.fill(&input, range.clone(), batch + 1);
        lanes[0].1.push(stage(&load, work)?);

        copy.wait_stream(&load)?; // this batch is loaded; the next may be loading
        let work = || copy.copy(&input, range.clone(), &middle, range.clone());
        lanes[1].1.push(stage(&copy, work)?);

        store.wait_stream(&copy)?;
        let work = || store.copy(&middle, range.clone(), &output, range.clone());
        lanes[2].1.push(stage(&store, work)?);
    }
    let end = store.record_timed()?;
    end.synchronize_timeout(Duration::from_secs(10))?;

    for (name, runs) in &lanes {
        println!("{name} {}", lane(runs, &origin)?);
    }
    let (took, in_order) = (end.elapsed_since(&origin)?, TRANSFER * 3 * u32::from(BATCHES));
    println!("(a digit is {TICK:?} of that batch)");
    println!("took {took:.0?}; one by one it takes {in_order:?}");
    assert!(took < in_order, "the stages overlap");
    for batch in 0..BATCHES {
        let stored = output.to_vec(range(batch))?;
        assert!(stored.iter().all(|byte| *byte == batch + 1), "a stage waits for the one before");
    }
    Ok(())
}

fn range(batch: u8) -> Range<u64> {
    BATCH * u64::from(batch)..BATCH * (u64::from(batch) + 1)
}

/// Enqueues one run of a stage between two timed points.
fn stage(stream: &Stream, work: impl FnOnce() -> Result<()>) -> Result<[TimedPoint; 2]> {
    let start = stream.record_timed()?;
    stream.delay(TRANSFER)?;
    work()?;
    Ok([start, stream.record_timed()?])
}

/// Draws the runs of a stage, each as the digit of its batch.
fn lane(runs: &[[TimedPoint; 2]], origin: &TimedPoint) -> Result<String> {
    let mut lane = String::new();
    for ([start, end], digit) in runs.iter().zip('1'..) {
        let column = |point: &TimedPoint| -> Result<usize> {
            Ok((point.elapsed_since(origin)?.as_micros() / TICK.as_micros()) as usize)
        };
        lane = format!("{lane:from$}", from = column(start)?);
        lane.extend(std::iter::repeat_n(digit, column(end)?.saturating_sub(lane.len())));
    }
    Ok(lane)
}
