//! What it costs to put work on a stream that is busy.

use syncpoint::{Device, Gate, Stream, Wait};

use super::super::{
    sample::{Measured, Prepared, Trouble, time_each},
    work,
};

/// How much a held stream is given before it is let go.
pub(in super::super) const DEPTH: u32 = 1000;
/// How much a worker is given while it runs.
pub(in super::super) const RUNNING: u32 = 20_000;

/// The stream is filled while a gate holds it, and emptied outside the measurement.
pub(super) fn busy<F: FnOnce() + Send + 'static>(
    device: &Device,
    make: impl Fn() -> F + 'static,
) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || held(&stream, || Ok(time_each(DEPTH, || stream.enqueue(make()))?))))
}

/// Holds a stream with a gate while `measure` runs.
pub(super) fn held(stream: &Stream, measure: impl FnOnce() -> Measured) -> Measured {
    let gate = Gate::new();
    stream.wait(&gate.point())?;
    let measured = measure();
    gate.open()?;
    stream.synchronize()?;
    measured
}

/// A worker runs what is enqueued meanwhile; the time is until it is done.
pub(super) fn running(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || {
        let mut left = RUNNING;
        time_each(RUNNING, || {
            stream.enqueue(work::word())?;
            left -= 1;
            if left > 0 {
                return Ok::<_, Trouble>(());
            }
            Ok(stream.record()?.synchronize_with(Wait::NoHelp, None)?)
        })
    }))
}
