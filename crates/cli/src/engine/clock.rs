//! The time of a run on a device's own clock, counted from the beginning of the run.

use std::time::Duration;

use syncpoint::{Device, Point, Result, Stream, StreamOptions, TimedPoint};

use crate::report::Clock;

/// How long a device is given to tell what time it is.
const PATIENCE: Duration = Duration::from_millis(200);

/// A device with the moment at which the run began on its clock.
#[derive(Debug)]
pub(super) struct DeviceClock {
    device: Device,
    /// A stream that does nothing but tell the time.
    stream: Stream,
    begin: TimedPoint,
}

impl DeviceClock {
    /// A clock that counts from the moment at which `begin` is complete.
    pub(super) fn new(device: &Device, begin: &Point) -> Result<Self> {
        let stream = device.stream_with(StreamOptions::new().named("clock of the run"))?;
        stream.wait(begin)?;
        let begin = stream.record_timed()?;
        Ok(Self { device: device.clone(), stream, begin })
    }

    /// Whose clock it is.
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// The first point of the run on this device. What waits for it never has a time before it.
    pub(super) fn begin(&self) -> &Point {
        self.begin.point()
    }

    /// When a point came; none if it has not, or if the device does not tell.
    pub(super) fn time(&self, point: &TimedPoint) -> Option<Duration> {
        let elapsed = point.signed_elapsed_since(&self.begin).ok()?;
        // A clock that runs backwards may put a point before the beginning: then it came at the beginning.
        Some(Duration::from_nanos(u64::try_from(elapsed.as_nanos()).unwrap_or(0)))
    }

    /// When the run began and how far that may be off, where the device only estimates it.
    fn estimate(&self) -> Option<(Duration, Duration)> {
        let begin = self.begin.timestamp().ok()?;
        (!begin.error.is_zero()).then_some((Duration::from_nanos(begin.nanos), begin.error))
    }

    /// What time it is now; none before the run has begun.
    pub(super) fn now(&self) -> Option<Duration> {
        self.begin.query().ok().filter(|begun| *begun)?;
        let now = self.stream.record_timed().ok()?;
        now.synchronize_timeout(PATIENCE).ok()?;
        self.time(&now)
    }
}

/// The clock of a report: of one device its own; of several all of them, each counted from the beginning of the run, and
/// so far apart.
pub(super) fn face(clocks: &[DeviceClock], apart: Duration) -> Clock {
    let names: Vec<&str> = clocks.iter().map(|clock| clock.device.clock().name()).collect();
    let resolutions = clocks.iter().map(|clock| clock.device.clock().resolution());
    let mut face = Clock::new(names.join(" and "), resolutions.max().unwrap_or_default());
    face.error = (clocks.len() > 1).then_some(apart);
    if let [only] = clocks {
        face.began = only.estimate();
    }
    face
}

/// Waits until every device has begun.
pub(super) fn wait_for_begin(clocks: &[DeviceClock]) {
    for clock in clocks {
        // A device that does not answer is told of when its steps do not end.
        clock.begin.synchronize_timeout(PATIENCE).ok();
    }
}
