//! What a hop from stream to stream costs: all of them are enqueued behind a gate, then run.

use std::time::Instant;

use syncpoint::{Device, Gate, Point, Result, Stream};

use super::super::sample::{Prepared, each};

/// How many hops a sample has: as many as a large program has waiting. A debug build, whose figures mean nothing, shows
/// with fewer that all of it works.
pub(in super::super) const HOPS: u32 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

/// To enqueue and to run.
pub(super) fn both(device: &Device, width: usize) -> Prepared {
    let streams = streams(device, width)?;
    Ok(Box::new(move || {
        let (begin, gate) = (Instant::now(), Gate::new());
        finish(&gate, &chain(&streams, &gate)?)?;
        Ok(each(begin.elapsed(), HOPS))
    }))
}

/// To run alone.
pub(super) fn run(device: &Device, width: usize) -> Prepared {
    let streams = streams(device, width)?;
    Ok(Box::new(move || {
        let gate = Gate::new();
        let last = chain(&streams, &gate)?;
        let begin = Instant::now();
        finish(&gate, &last)?;
        Ok(each(begin.elapsed(), HOPS))
    }))
}

fn streams(device: &Device, width: usize) -> Result<Vec<Stream>> {
    (0..width).map(|_| device.stream()).collect()
}

/// Each stream waits for the one before; gives the last point.
fn chain(streams: &[Stream], gate: &Gate) -> Result<Point> {
    let mut point = gate.point();
    for stream in streams.iter().cycle().take(HOPS as usize) {
        stream.wait(&point)?;
        point = stream.record()?;
    }
    Ok(point)
}

fn finish(gate: &Gate, last: &Point) -> Result<()> {
    gate.open()?;
    last.synchronize()
}
