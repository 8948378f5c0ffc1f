//! Bursts of timed points: each is told, and none is taken for passed before the device has come to it.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::{Result, TimedPoint};
use syncpoint_conformance::patience;

use fake::Fake;

/// More than a stream keeps events for.
const BURST: usize = 1000;

/// What the device does between the two parts of a burst.
const WORK: Duration = Duration::from_millis(50);

#[test]
fn a_burst_of_timed_points_is_told_to_its_end() -> Result<()> {
    Fake::used();
    let stream = syncpoint::cuda::open(0)?.stream()?;
    let points = (0..BURST).map(|_| stream.record_timed()).collect::<Result<Vec<_>>>()?;
    let told = points.iter().map(|point| {
        let (sender, told) = channel();
        point.notify(move |outcome| patience::say(&sender, outcome))?;
        patience::heard(&told, "a point of the burst")
    });
    told.collect::<Result<Vec<_>>>()?;
    assert!(points.is_sorted_by_key(|point| point.timestamp().ok().map(|time| time.nanos)));
    Ok(())
}

#[test]
fn a_wait_for_the_middle_of_a_burst_holds_back_what_comes_later() -> Result<()> {
    Fake::used();
    let device = syncpoint::cuda::open(0)?;
    let (stream, other) = (device.stream()?, device.stream()?);
    let record = |_| stream.record_timed();
    let passed: Vec<TimedPoint> = (0..BURST).map(record).collect::<Result<_>>()?;
    stream.delay(WORK)?;
    let later: Vec<TimedPoint> = (0..BURST / 10).map(record).collect::<Result<_>>()?;
    patience::until("the first part", || passed[BURST - 1].query().is_ok_and(|is_over| is_over));
    let middle = &later[BURST / 20];
    other.wait(middle)?;
    other.record()?.synchronize_timeout(patience::PATIENCE)?;
    assert!(middle.query()?, "what waited for it is over, and it is not");
    later[BURST / 10 - 1].synchronize_timeout(patience::PATIENCE)
}
