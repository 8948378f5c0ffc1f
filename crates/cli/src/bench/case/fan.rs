//! What it costs when many streams wait for one, and one for all of them.

use std::time::Instant;

use syncpoint::{Device, Gate, Point, Result, Stream};

use super::super::sample::{Prepared, each};

/// How many streams wait for the first.
pub(in super::super) const WIDTH: u32 = 1000;

/// From the release of the first to the end of the last, for each of those between.
pub(super) fn out_and_in(device: &Device) -> Prepared {
    let (first, last) = (device.stream()?, device.stream()?);
    let between = (0..WIDTH).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move || {
        let gate = Gate::new();
        first.wait(&gate.point())?;
        let end = fan(&first, &between, &last)?;
        let begin = Instant::now();
        gate.open()?;
        end.synchronize()?;
        Ok(each(begin.elapsed(), WIDTH))
    }))
}

fn fan(first: &Stream, between: &[Stream], last: &Stream) -> Result<Point> {
    first.fork(between)?;
    last.join(between)?;
    last.record()
}
