//! Samples: nanoseconds of one operation, ours and the rival's in turn, and their medians.

use std::{
    error::Error,
    hint,
    time::{Duration, Instant},
};

/// Why there is no figure.
pub(super) type Trouble = Box<dyn Error>;

/// The nanoseconds of one operation.
pub(super) type Measured = Result<f64, Trouble>;

/// Measures again whenever it is called.
pub(super) type Sampler = Box<dyn FnMut() -> Measured>;

/// A sampler whose streams or threads are there.
pub(super) type Prepared = Result<Sampler, Trouble>;

/// Who it is, and what prepares its sampler.
pub(super) type Rival = (&'static str, Box<dyn FnOnce() -> Prepared>);

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effort {
    /// Enough samples for figures that can be repeated.
    Full,
    /// A few samples, to see that all of it works.
    Quick,
}

impl Effort {
    /// How many samples a median is of: odd, so that it is one of them.
    pub(super) fn samples(self) -> usize {
        match self {
            Self::Full => 21,
            Self::Quick => 3,
        }
    }
}

/// The median of several samples, after one to warm up; of a single one, that.
pub(super) fn alone(samples: usize, ours: &mut Sampler) -> Measured {
    if samples > 1 {
        ours()?;
    }
    Ok(median((0..samples).map(|_| ours()).collect::<Result<_, _>>()?))
}

/// The medians of both, sample by sample in turn, after one of each to warm up.
pub(super) fn beside(
    samples: usize,
    ours: &mut Sampler,
    rivals: &mut Sampler,
) -> Result<(f64, f64), Trouble> {
    ours()?;
    rivals()?;
    let mut pair = || Ok((ours()?, rivals()?));
    let pairs: Vec<(f64, f64)> = (0..samples).map(|_| pair()).collect::<Result<_, Trouble>>()?;
    let (ours, rivals) = pairs.into_iter().unzip();
    Ok((median(ours), median(rivals)))
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Times so many operations, without a pause.
pub(super) fn time_each<E>(
    count: u32,
    mut operation: impl FnMut() -> Result<(), E>,
) -> Result<f64, E> {
    let begin = Instant::now();
    for _ in 0..count {
        operation()?;
    }
    Ok(each(begin.elapsed(), count))
}

/// Times so many operations, each after a pause that is not counted.
pub(super) fn time_apart<E>(
    count: u32,
    pause: Duration,
    mut operation: impl FnMut() -> Result<(), E>,
) -> Result<f64, E> {
    let mut total = Duration::ZERO;
    for _ in 0..count {
        compute(pause);
        let begin = Instant::now();
        operation()?;
        total += begin.elapsed();
    }
    Ok(each(total, count))
}

/// The nanoseconds of one of so many.
pub(super) fn each(total: Duration, count: u32) -> f64 {
    total.as_secs_f64() * 1e9 / f64::from(count)
}

/// Lets time pass without giving up the core, as a program that computes between two calls does.
fn compute(length: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < length {
        hint::spin_loop();
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "no figure is worked out: each is one of the samples")]
mod tests {
    use super::*;

    fn counting(mut next: f64) -> Sampler {
        Box::new(move || {
            next += 1.0;
            Ok(next)
        })
    }

    #[test]
    fn a_median_is_the_sample_in_the_middle() {
        assert_eq!(median(vec![900.0, 1.0, 3.0, 2.0, 4.0]), 3.0);
    }

    #[test]
    fn the_first_sample_warms_up_unless_there_is_but_one() {
        assert_eq!(alone(3, &mut counting(0.0)).unwrap(), 3.0);
        assert_eq!(alone(1, &mut counting(0.0)).unwrap(), 1.0);
        let both = beside(3, &mut counting(0.0), &mut counting(100.0)).unwrap();
        assert_eq!(both, (3.0, 103.0));
    }

    #[test]
    fn the_first_trouble_ends_the_sampling() {
        let mut asked = 0;
        let mut broken: Sampler = Box::new(move || {
            asked += 1;
            Err(format!("broken at sample {asked}").into())
        });
        assert_eq!(alone(3, &mut broken).unwrap_err().to_string(), "broken at sample 1");
    }
}
