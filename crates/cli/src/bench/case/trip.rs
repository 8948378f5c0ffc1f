//! What it costs to enqueue, record and synchronize: in a loop, cold, and through a pipeline of streams.

use std::time::Duration;

use syncpoint::{Device, Result, Stream};

use super::super::sample::{Prepared, time_apart, time_each};

/// How many trips a sample has that nothing keeps apart.
const LOOP: u32 = 2000;
/// How many pipelines a sample has.
pub(in super::super) const PIPELINES: u32 = 20;

pub(super) fn in_a_loop(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || Ok(time_each(LOOP, || trip(&stream))?)))
}

pub(super) fn apart(device: &Device, pause: Duration, count: u32) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || Ok(time_apart(count, pause, || trip(&stream))?)))
}

fn trip(stream: &Stream) -> Result<()> {
    stream.enqueue(|| ())?;
    stream.record()?.synchronize()
}

pub(super) fn pipeline(device: &Device, stages: usize) -> Prepared {
    let streams = (0..stages).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move || Ok(time_each(PIPELINES, || pass(&streams))?)))
}

/// Through all streams, each after the one before.
fn pass(streams: &[Stream]) -> Result<()> {
    let mut last = None;
    for stream in streams {
        if let Some(point) = &last {
            stream.wait(point)?;
        }
        stream.enqueue(|| ())?;
        last = Some(stream.record()?);
    }
    last.map_or(Ok(()), |point| point.synchronize())
}
