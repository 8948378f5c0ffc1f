//! What it costs to hand work of the device itself over: fills of a few bytes, and what is asked of them.

use std::hint::black_box;

use syncpoint::{Buffer, Device, Result, Stream};

use super::super::sample::{Prepared, time_each};

/// How many are handed over for one sample, onto streams that have nothing to do.
pub(in super::super) const TURN: u32 = 50;

/// How many bytes are filled.
pub(in super::super) const BYTES: u64 = 64;

/// Two streams, and what they fill.
struct Bed {
    stream: Stream,
    other: Stream,
    buffer: Buffer,
}

impl Bed {
    fn fill(&self, stream: &Stream) -> Result<()> {
        stream.fill(&self.buffer, 0..BYTES, 1)
    }
}

pub(super) fn alone(device: &Device) -> Prepared {
    turns(device, |bed| bed.fill(&bed.stream))
}

pub(super) fn record(device: &Device) -> Prepared {
    turns(device, |bed| {
        bed.fill(&bed.stream)?;
        black_box(bed.stream.record()?);
        Ok(())
    })
}

pub(super) fn wait(device: &Device) -> Prepared {
    turns(device, |bed| {
        bed.fill(&bed.other)?;
        bed.stream.wait(&bed.other.record()?)
    })
}

pub(super) fn query(device: &Device) -> Prepared {
    turns(device, |bed| {
        bed.fill(&bed.stream)?;
        black_box(bed.stream.record()?.query()?);
        Ok(())
    })
}

/// What was handed over is waited for outside the measurement.
fn turns(device: &Device, operation: fn(&Bed) -> Result<()>) -> Prepared {
    let (stream, other, buffer) = (device.stream()?, device.stream()?, device.buffer(BYTES)?);
    let bed = Bed { stream, other, buffer };
    Ok(Box::new(move || {
        let measured = time_each(TURN, || operation(&bed));
        bed.stream.synchronize()?;
        bed.other.synchronize()?;
        Ok(measured?)
    }))
}
