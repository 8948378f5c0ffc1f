//! Measuring: medians of short samples, ours and the rival's in turn.

use std::time::Instant;

/// One row of the table, in nanoseconds an operation.
pub(crate) struct Row {
    pub(crate) nanos: f64,
    pub(crate) rival: Option<(&'static str, f64)>,
}

/// A named row, measured when it is called.
pub(crate) type Named = (&'static str, Box<dyn Fn() -> Row>);

/// How many samples a median is of.
const SAMPLES: usize = 21;

/// Ours alone: `sample` gives the nanoseconds of one operation.
pub(crate) fn alone(mut sample: impl FnMut() -> f64) -> Row {
    sample();
    Row { nanos: median((0..SAMPLES).map(|_| sample()).collect()), rival: None }
}

/// Ours beside a rival, sample by sample in turn.
pub(crate) fn beside(
    name: &'static str,
    mut ours: impl FnMut() -> f64,
    mut rival: impl FnMut() -> f64,
) -> Row {
    ours();
    rival();
    let samples: Vec<(f64, f64)> = (0..SAMPLES).map(|_| (ours(), rival())).collect();
    let (ours, rivals) = samples.into_iter().unzip();
    Row { nanos: median(ours), rival: Some((name, median(rivals))) }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Nanoseconds of one of `count` operations.
pub(crate) fn time_each(count: u32, operations: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    operations();
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}
