//! Device time: clocks, stamps, and points that know when they came.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Kind, Reason, Result};
use crate::id;
use crate::point::{Point, State};
use crate::sync::process::{AtomicU64, Ordering};

/// A device's clock: whose it is and how fine it is. Times of different clocks are never subtracted.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Face>);

#[derive(Debug)]
struct Face {
    id: u64,
    name: String,
    resolution: Duration,
    step: fn(Duration) -> Duration,
}

impl Clock {
    /// A clock of its own, told apart from every other.
    pub fn new(name: impl Into<String>, resolution: Duration) -> Self {
        Self::with_steps(name, resolution, |_span| Duration::ZERO)
    }

    /// The same of a driver that gives spans in steps, which depend on how long they are.
    pub fn with_steps(
        name: impl Into<String>,
        resolution: Duration,
        step: fn(Duration) -> Duration,
    ) -> Self {
        Self(Arc::new(Face { id: id::next(), name: name.into(), resolution, step }))
    }

    /// The name, such as `host:0 monotonic`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The smallest difference that the clock can tell.
    pub fn resolution(&self) -> Duration {
        self.0.resolution
    }

    /// The smallest difference that two spans of about this length can have: the [resolution](Self::resolution), or where
    /// that is more the step in which the driver gives such spans. Only CUDA's grows, because it gives floats of
    /// milliseconds: 0.5 µs from 4.1 s on, 1 µs from 8.2 s, 4 µs for a minute, a quarter of a millisecond for an hour.
    pub fn resolution_of(&self, span: Duration) -> Duration {
        self.0.resolution.max((self.0.step)(span))
    }
}

impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Clock {}

impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} clock, resolution {:?}", self.0.name, self.0.resolution)
    }
}

/// A time on a device's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Timestamp {
    /// Nanoseconds since the clock began: on the host since its device was opened, elsewhere as the backend says.
    pub nanos: u64,
    /// How far the time may be off, beyond the resolution; zero where the device gives absolute times.
    pub error: Duration,
}

impl Timestamp {
    /// A time that the device itself gave.
    pub fn exact(nanos: u64) -> Self {
        Self { nanos, error: Duration::ZERO }
    }
}

/// A span of time with a sign, for points that nothing orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignedDuration {
    nanos: i64,
}

impl SignedDuration {
    /// A span of this many nanoseconds.
    pub fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// The span in nanoseconds; negative where the end came before the start.
    pub fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// The span without its sign.
    pub fn abs(self) -> Duration {
        Duration::from_nanos(self.nanos.unsigned_abs())
    }
}

/// How a timed point knows its time.
#[doc(hidden)]
#[expect(
    clippy::exhaustive_enums,
    reason = "part of the contract, which is outside the semver promise"
)]
#[derive(Clone, Debug)]
pub enum Time {
    /// It was known when the point was recorded: nanoseconds of the device's clock.
    Known(u64),
    /// The stream writes it when it comes to the point.
    Stamp(Arc<Stamp>),
    /// The driver keeps it and is asked.
    Driver(Arc<dyn RawTime>),
}

/// A room for one time, written once by the stream that comes to the point.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Stamp(AtomicU64);

impl Stamp {
    /// Writes the time. Before the value of the point is completed, so that who sees it complete sees the time.
    pub fn write(&self, nanos: u64) {
        // Relaxed: the completed value of the timeline publishes it.
        self.0.store(nanos, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        // Relaxed: the reader saw the point complete.
        self.0.load(Ordering::Relaxed)
    }
}

/// A time that a driver keeps, where only the driver can subtract.
#[doc(hidden)]
pub trait RawTime: std::any::Any + fmt::Debug + Send + Sync {
    /// Nanoseconds from `start` to this; both are complete and of one clock.
    fn nanos_since(&self, start: &dyn RawTime) -> Result<i64>;

    /// The time on the device's clock, with its error bound: the same at each call. May wait where the clock is not known.
    fn timestamp(&self) -> Result<Timestamp>;
}

impl dyn RawTime {
    /// The time as the backend whose type it is keeps it.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another backend's.
    pub fn of_backend<T: RawTime>(&self) -> Result<&T> {
        let time: &dyn std::any::Any = self;
        time.downcast_ref().ok_or_else(|| {
            let message =
                "the two points are of different backends; compare times of one device only";
            Error::misuse(Reason::WrongDevice, message)
        })
    }
}

/// A point that also knows the device's time: only timed points have [`elapsed_since`](Self::elapsed_since), so
/// asking an untimed one does not compile.
///
/// Everything that a [`Point`] can do, it can do by dereference.
///
/// # Examples
/// How long work took on the device's own clock:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// let stream = syncpoint::open("host:0")?.stream()?;
/// let start = stream.record_timed()?;
/// stream.enqueue(|| { /* work */ })?;
/// let end = stream.record_timed()?;
/// end.synchronize()?;
/// println!("{:?} on {}", end.elapsed_since(&start)?, end.clock());
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail,E0599
/// # fn main() -> syncpoint::Result<()> {
/// let stream = syncpoint::open("host:0")?.stream()?;
/// let (start, end) = (stream.record()?, stream.record()?);
/// end.elapsed_since(&start)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TimedPoint {
    point: Point,
    time: Time,
    clock: Clock,
}

impl TimedPoint {
    pub(crate) fn new(point: Point, time: Time, clock: Clock) -> Self {
        Self { point, time, clock }
    }

    /// The point without its time.
    pub fn point(&self) -> &Point {
        &self.point
    }

    /// The clock that stamps it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The time from `start` to this point, as fine as [`Clock::resolution_of`] says of it. Asks no driver before its own
    /// state; never blocks.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: the two are of different clocks. `Misuse(NotComplete)`: one is pending; synchronize it.
    /// `Misuse(Reversed)`: this point's time lies before the start's, and the two are of two streams, or of one that
    /// recorded the end first. `Driver`: it does although one stream recorded start before end, so the clock ran
    /// backwards. For points of two streams the library cannot tell a wrong order from a clock that ran backwards: both are
    /// `Reversed`. The message of either has both raw values. The failure of either's work.
    pub fn elapsed_since(&self, start: &Self) -> Result<Duration> {
        let nanos = self.signed_elapsed_since(start)?.as_nanos();
        u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| self.backwards(start, nanos))
    }

    /// The time from `start` to this point with its sign, for points that nothing orders.
    ///
    /// # Errors
    /// As [`elapsed_since`](Self::elapsed_since), except that a reversed span is an answer.
    pub fn signed_elapsed_since(&self, start: &Self) -> Result<SignedDuration> {
        self.same_clock(start)?;
        start.settled()?;
        self.settled()?;
        let nanos = match (&self.time, &start.time) {
            (Time::Driver(end), Time::Driver(start)) => end.nanos_since(start.as_ref())?,
            _ => difference(self.timestamp()?.nanos, start.timestamp()?.nanos),
        };
        Ok(SignedDuration::from_nanos(nanos))
    }

    /// When the point came, on its [clock](Self::clock). Each time the same. Never blocks, except on CUDA where the device
    /// was too busy to tell its clock until now: then it waits for that, a second at most.
    ///
    /// # Errors
    /// `Misuse(NotComplete)`: the point is pending; synchronize it. `TimedOut`: the device is still too busy. The failure of
    /// its work.
    pub fn timestamp(&self) -> Result<Timestamp> {
        self.settled()?;
        match &self.time {
            Time::Known(nanos) => Ok(Timestamp::exact(*nanos)),
            Time::Stamp(stamp) => Ok(Timestamp::exact(stamp.read())),
            Time::Driver(time) => time.timestamp(),
        }
    }

    fn same_clock(&self, start: &Self) -> Result<()> {
        if self.clock == start.clock {
            return Ok(());
        }
        let message = format!(
            "{} is timed by the {} clock and {} by the {} clock; compare times of one device only",
            self.point,
            self.clock.name(),
            start.point,
            start.clock.name()
        );
        Err(Error::misuse(Reason::WrongDevice, message))
    }

    fn settled(&self) -> Result<()> {
        match self.point.state_unnoticed() {
            State::Complete => Ok(()),
            State::Failed(error) => Err(error),
            State::Pending => {
                let message = format!(
                    "{} is not complete; synchronize it before asking for its time",
                    self.point
                );
                Err(Error::misuse(Reason::NotComplete, message))
            }
        }
    }

    #[cold]
    fn backwards(&self, start: &Self, nanos: i64) -> Error {
        // Two points of an idle stream may have one value; of those nobody knows which came first.
        let ordered = self.timeline() == start.timeline() && self.value() > start.value();
        let span = Duration::from_nanos(nanos.unsigned_abs());
        if ordered {
            let message = format!(
                "the {} clock ran backwards by {span:?}, from {} to {}; do not use this time",
                self.clock.name(),
                start.raw(),
                self.raw()
            );
            return Error::new(Kind::Driver, message);
        }
        let message = format!(
            "{} came at {}, {span:?} before {} at {}; swap them, or ask for signed_elapsed_since",
            self.point,
            self.raw(),
            start.point,
            start.raw()
        );
        Error::misuse(Reason::Reversed, message)
    }

    /// The time as the clock gave it, in words.
    fn raw(&self) -> String {
        match self.timestamp() {
            Ok(Timestamp { nanos, error: Duration::ZERO }) => format!("{nanos} ns"),
            Ok(Timestamp { nanos, error }) => format!("some {nanos} ns (within {error:?})"),
            Err(_) => "a time that the driver does not tell".to_owned(),
        }
    }
}

/// The times from one point to many, in one go: for reading a trace's worth of times off the path that is measured. Each
/// has its own outcome, as of [`TimedPoint::elapsed_since`]: one that is pending spoils no other.
///
/// # Examples
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// let stream = syncpoint::open("host:0")?.stream()?;
/// let start = stream.record_timed()?;
/// let ends: Vec<_> = (0..3)
///     .map(|_| {
///         stream.enqueue(|| { /* a step */ })?;
///         stream.record_timed()
///     })
///     .collect::<syncpoint::Result<_>>()?;
/// stream.synchronize()?;
/// let times: Vec<_> = syncpoint::elapsed_all(&start, &ends).collect::<syncpoint::Result<_>>()?;
/// assert!(times.is_sorted());
/// # Ok(())
/// # }
/// ```
pub fn elapsed_all<'a>(
    start: &'a TimedPoint,
    ends: &'a [TimedPoint],
) -> impl Iterator<Item = Result<Duration>> + use<'a> {
    ends.iter().map(|end| end.elapsed_since(start))
}

/// The signed difference of two unsigned times, saturated: 292 years are enough for any program.
fn difference(end: u64, start: u64) -> i64 {
    let wide = i128::from(end) - i128::from(start);
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

impl Deref for TimedPoint {
    type Target = Point;

    fn deref(&self) -> &Point {
        &self.point
    }
}

impl IntoFuture for TimedPoint {
    type Output = Result<()>;
    type IntoFuture = crate::future::Completion;

    fn into_future(self) -> Self::IntoFuture {
        self.point.into_future()
    }
}

impl IntoFuture for &TimedPoint {
    type Output = Result<()>;
    type IntoFuture = crate::future::Completion;

    fn into_future(self) -> Self::IntoFuture {
        (&self.point).into_future()
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_difference_never_wraps() {
        assert_eq!(difference(7, 9), -2);
        assert_eq!(difference(u64::MAX, 0), i64::MAX);
        assert_eq!(difference(0, u64::MAX), i64::MIN);
    }
}
