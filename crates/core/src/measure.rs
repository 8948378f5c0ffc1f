//! Measuring how long work on a stream takes, right by default.
//!
//! Events round a short piece of work measure the gaps between the host's calls as well, several times the work itself.
//! So the stream is held with a gate until start, work and end are all enqueued; then nothing of the host lies between.

use std::fmt;
use std::time::{Duration, Instant};

use syncpoint_base::Usage;

use crate::error::{Error, Reason, Result};
use crate::gate::Gate;
use crate::stream::Stream;
use crate::wait::Wait;

/// How to measure: how often, and on which clock.
///
/// # Examples
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use syncpoint::Measure;
///
/// let stream = syncpoint::open("host:0")?.stream()?;
/// let measured = Measure::new().repeats(20).run(&stream, |stream| stream.enqueue(|| { /* work */ }))?;
/// println!("{measured}");
/// assert_eq!(measured.samples().len(), 20);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "nothing is measured until it is run"]
pub struct Measure {
    warm_up: u32,
    repeats: u32,
    by: By,
}

/// Whose clock measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Device,
    Host,
}

impl Measure {
    /// Three rounds to warm up, then 21, on the device's own clock.
    pub fn new() -> Self {
        Self { warm_up: 3, repeats: 21, by: By::Device }
    }

    /// This many rounds before the first that counts.
    pub fn warm_up(self, rounds: u32) -> Self {
        Self { warm_up: rounds, ..self }
    }

    /// This many rounds that count.
    pub fn repeats(self, rounds: u32) -> Self {
        Self { repeats: rounds, ..self }
    }

    /// The host's clock, from the opening of the gate until this thread sees the end: what a caller feels, with the
    /// wake-ups of the stream and of the caller in it.
    pub fn by_host_clock(self) -> Self {
        Self { by: By::Host, ..self }
    }

    /// Measures: `enqueue` puts the work of one round on the stream, each round anew. Blocks until all rounds are done;
    /// the work runs on the device, not on this thread.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`: no rounds. What `enqueue` returned; the stream's failure. The stream is not left held.
    pub fn run(
        &self,
        stream: &Stream,
        mut enqueue: impl FnMut(&Stream) -> Result<()>,
    ) -> Result<Measurement> {
        if self.repeats == 0 {
            let message = "of no rounds there is nothing to tell; repeat at least once";
            return Err(Error::misuse(Reason::OutOfRange, message));
        }
        for _ in 0..self.warm_up {
            self.round(stream, &mut enqueue)?;
        }
        let round = |_| {
            let before = Usage::now();
            let time = self.round(stream, &mut enqueue)?;
            let disturbed = Usage::now().zip(before).map(|(now, before)| now.since(before));
            Ok((time, disturbed))
        };
        let rounds = (0..self.repeats).map(round).collect::<Result<Vec<_>>>()?;
        let (samples, disturbed): (Vec<Duration>, _) = rounds.into_iter().unzip();
        let (clock, longest) = (stream.device().clock(), samples.iter().max().copied());
        let (clock, resolution) = match self.by {
            By::Device => {
                (clock.name().to_owned(), clock.resolution_of(longest.unwrap_or_default()))
            }
            By::Host => ("host monotonic".to_owned(), Duration::from_nanos(1)),
        };
        Ok(Measurement { samples, disturbed, clock, resolution })
    }

    fn round(
        &self,
        stream: &Stream,
        enqueue: &mut impl FnMut(&Stream) -> Result<()>,
    ) -> Result<Duration> {
        match self.by {
            By::Device => {
                let ((start, end), _opened) = held(stream, |stream| {
                    let start = stream.record_timed()?;
                    enqueue(stream)?;
                    Ok((start, stream.record_timed()?))
                })?;
                end.synchronize_with(Wait::NoHelp, None)?;
                end.elapsed_since(&start)
            }
            By::Host => {
                let (end, opened) = held(stream, |stream| {
                    enqueue(stream)?;
                    stream.record()
                })?;
                end.synchronize_with(Wait::NoHelp, None)?;
                Ok(opened.elapsed())
            }
        }
    }
}

/// Holds the stream while `fill` enqueues, and lets it go whatever comes of that. Gives when it let go.
fn held<T>(stream: &Stream, fill: impl FnOnce(&Stream) -> Result<T>) -> Result<(T, Instant)> {
    let gate = Opened(Gate::named("measure"));
    stream.wait(&gate.0.point())?;
    let filled = fill(stream);
    let opened = Instant::now();
    drop(gate);
    Ok((filled?, opened))
}

/// A gate that opens when it is dropped: also where the user's function panics.
struct Opened(Gate);

impl Drop for Opened {
    fn drop(&mut self) {
        // It is ours alone, so nobody opened it before.
        let _first = self.0.open();
    }
}

impl Default for Measure {
    fn default() -> Self {
        Self::new()
    }
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measurement {
    samples: Vec<Duration>,
    /// What the system did to the process during each round.
    disturbed: Vec<Option<Usage>>,
    clock: String,
    resolution: Duration,
}

/// A round that took much longer or much less than the others.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outlier {
    /// Which round that counted, from 0.
    pub round: usize,
    /// What it took.
    pub time: Duration,
    /// How many times the median that is.
    pub times_median: f64,
    /// How often the system took a core away from a thread of this process during the round; `None` where it does not
    /// tell.
    pub preemptions: Option<u64>,
    /// How often a thread of this process waited for a page of memory during the round; `None` as above.
    pub page_faults: Option<u64>,
}

/// `round 6 took 90µs, 8.2 times the median; meanwhile the process lost a core 2 times and had 12 page faults`.
impl fmt::Display for Outlier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { round, time, times_median, preemptions, page_faults } = self;
        write!(formatter, "round {round} took {time:?}, {times_median:.1} times the median; ")?;
        match (preemptions, page_faults) {
            (Some(0), Some(0)) => formatter.write_str(
                "the process had its cores and its memory meanwhile: the work itself, or the device, was late",
            ),
            (Some(preemptions), Some(page_faults)) => write!(
                formatter,
                "meanwhile the process lost a core {preemptions} times and had {page_faults} page faults"
            ),
            _ => formatter.write_str("what the system did meanwhile is not known here"),
        }
    }
}

impl Measurement {
    /// Every round, in order.
    pub fn samples(&self) -> &[Duration] {
        &self.samples
    }

    /// The median: half of the rounds took no longer.
    pub fn median(&self) -> Duration {
        self.quantile(1, 2)
    }

    /// The shortest round.
    pub fn shortest(&self) -> Duration {
        self.quantile(0, 1)
    }

    /// The longest round.
    pub fn longest(&self) -> Duration {
        self.quantile(1, 1)
    }

    /// The spread: what lies between the first and the third quarter of the rounds.
    pub fn spread(&self) -> Duration {
        self.quantile(3, 4).saturating_sub(self.quantile(1, 4))
    }

    /// The clock that measured.
    pub fn clock(&self) -> &str {
        &self.clock
    }

    /// The smallest difference that the clock can tell of spans as long as the longest. A median near it says only that the work is shorter.
    pub fn resolution(&self) -> Duration {
        self.resolution
    }

    /// The rounds that lie more than one and a half spreads outside the middle half: on a shared machine something
    /// else ran meanwhile; many of them say that the work itself is of two kinds.
    pub fn outliers(&self) -> Vec<Outlier> {
        let margin = self.spread().mul_f64(1.5).max(self.resolution);
        let least = self.quantile(1, 4).saturating_sub(margin);
        let most = self.quantile(3, 4).saturating_add(margin);
        let median = self.median().max(Duration::from_nanos(1));
        let outside =
            self.samples.iter().enumerate().filter(|(_, time)| **time < least || **time > most);
        outside
            .map(|(round, time)| {
                let disturbed = self.disturbed.get(round).copied().flatten();
                Outlier {
                    round,
                    time: *time,
                    times_median: time.div_duration_f64(median),
                    preemptions: disturbed.map(|usage| usage.preemptions),
                    page_faults: disturbed.map(|usage| usage.page_faults),
                }
            })
            .collect()
    }

    /// The sample at a share of the sorted samples; there is at least one.
    fn quantile(&self, part: usize, of: usize) -> Duration {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * part / of]
    }
}

/// `12.3µs (11.9µs to 40.1µs, spread 300ns, 21 rounds, 1 outlier, host:0 monotonic clock, resolution 1ns)`.
impl fmt::Display for Measurement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outliers = self.outliers().len();
        let plural = if outliers == 1 { "" } else { "s" };
        write!(
            formatter,
            "{:?} ({:?} to {:?}, spread {:?}, {} rounds, {outliers} outlier{plural}, {} clock, resolution {:?})",
            self.median(),
            self.shortest(),
            self.longest(),
            self.spread(),
            self.samples.len(),
            self.clock,
            self.resolution
        )
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    fn measured(micros: &[u64]) -> Measurement {
        let samples = micros.iter().copied().map(Duration::from_micros).collect();
        let (disturbed, resolution) = (vec![None; micros.len()], Duration::from_nanos(1));
        Measurement { samples, disturbed, clock: "test".to_owned(), resolution }
    }

    #[test]
    fn an_outlier_says_what_the_system_did_meanwhile() {
        let mut measured = measured(&[10, 11, 10, 12, 11, 10, 90]);
        assert!(measured.outliers()[0].to_string().ends_with("is not known here"));
        measured.disturbed[6] = Some(Usage::default());
        let words = measured.outliers()[0].to_string();
        assert!(words.starts_with("round 6 took 90µs, 8.2 times the median; "), "{words}");
        assert!(words.ends_with("or the device, was late"), "{words}");
        measured.disturbed[6] = Some(Usage { preemptions: 2, page_faults: 12 });
        let words = measured.outliers()[0].to_string();
        assert!(words.ends_with("lost a core 2 times and had 12 page faults"), "{words}");
    }

    #[test]
    fn one_late_round_is_an_outlier_and_moves_no_median() {
        let measured = measured(&[10, 11, 10, 12, 11, 10, 90]);
        assert_eq!(measured.median(), Duration::from_micros(11));
        let outliers = measured.outliers();
        assert_eq!((outliers.len(), outliers[0].round), (1, 6));
        assert!((outliers[0].times_median - 90.0 / 11.0).abs() < 1e-9);
    }

    #[test]
    fn equal_rounds_have_no_spread_and_no_outlier() {
        let measured = measured(&[5; 9]);
        assert_eq!(measured.spread(), Duration::ZERO);
        assert!(measured.outliers().is_empty());
        assert_eq!(
            measured.to_string(),
            "5µs (5µs to 5µs, spread 0ns, 9 rounds, 0 outliers, test clock, resolution 1ns)"
        );
    }
}
