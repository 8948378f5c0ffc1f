//! Limits of time: a device ends a wait that lasts, and no stream of ours that can be held on the host is the one that waits.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod double;

use std::time::Duration;

use syncpoint::{Error, Gate, Kind, Point, Result, Stream};

use double::{Double, Queue};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// How long a device waits here. Metal's own limit is some seconds.
const LIMIT: Duration = Duration::from_millis(50);

/// The number of a command buffer that has lasted too long.
const TIMEOUT: i64 = 2;

fn limited() -> Double {
    let double = Double::default();
    double.limit_waits(LIMIT);
    double
}

#[track_caller]
fn failure(point: &Point) -> Error {
    point.synchronize_timeout(LONG).expect_err("the work has failed")
}

/// A stream to which others may commit, and which the device kills before a latch: it was committed last, so whatever was to
/// be killed has been by then.
#[track_caller]
fn outlast_the_limit(stream: &Stream) -> Result<Error> {
    let gate = Gate::new();
    let _queue = Queue::of(stream)?;
    stream.wait(&gate.point())?;
    let error = failure(&stream.record()?);
    gate.open()?;
    Ok(error)
}

#[test]
fn who_waits_for_what_has_much_before_it_is_not_killed_for_that() -> Result<()> {
    let double = limited();
    let device = double.device();
    let (first, second, clock) = (device.stream()?, device.stream()?, device.stream()?);
    let (source, target) = (device.buffer(8)?, device.buffer(8)?);
    let let_go = double.hold_up(0);
    for byte in 1..4 {
        first.fill(&source, 0..8, byte)?;
    }
    second.wait(&first.record()?)?;
    second.copy(&source, 0..8, &target, 0..8)?;
    let copied = second.record()?;
    outlast_the_limit(&clock)?;
    drop(let_go);
    copied.synchronize_timeout(LONG)?;
    assert_eq!(target.to_vec(0..8)?, [3; 8]);
    Ok(())
}

/// Nobody knows what they commit, nor for how long it takes.
#[test]
fn who_waits_for_what_is_behind_work_of_others_is_not_killed_for_that() -> Result<()> {
    let double = limited();
    let device = double.device();
    let (lent, given_out) = (device.stream()?, device.stream()?);
    let (second, third, clock) = (device.stream()?, device.stream()?, device.stream()?);
    let end = double::block(&lent)?;
    second.wait(&lent.record()?)?;
    Queue::of(&given_out)?;
    let end_too = double::block(&given_out)?;
    third.wait(&given_out.record()?)?;
    let behind = [second.record()?, third.record()?];
    outlast_the_limit(&clock)?;
    drop((end, end_too));
    behind.iter().try_for_each(|point| point.synchronize_timeout(LONG))
}

#[test]
fn who_waits_for_what_comes_next_waits_on_the_device() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (first, second, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
    let let_go = double.hold_up(0);
    first.fill(&buffer, 0..8, 1)?;
    second.wait(&first.record()?)?;
    assert_eq!((double.commits(), second.statistics().held), (2, 0));
    first.fill(&buffer, 0..8, 2)?;
    second.wait(&first.record()?)?;
    assert_eq!((double.commits(), second.statistics().held), (3, 1));
    drop(let_go);
    second.record()?.synchronize_timeout(LONG)
}

/// What others commit stands behind a latch on the device, which nothing of ours can make longer.
#[test]
fn a_latch_that_outlasts_the_device_is_told_as_such_and_the_stream_recovers() -> Result<()> {
    let double = limited();
    let device = double.device();
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    let error = outlast_the_limit(&stream)?;
    assert_eq!((error.kind(), error.code().map(|(code, _)| code)), (Kind::Driver, Some(TIMEOUT)));
    assert!(error.message().contains("wait on the host"), "{error}");
    // What is asked now is whether the stream recovers: a machine that is late is to kill nothing more.
    double.limit_waits(LONG);
    assert!(stream.recover()?.is_some());
    stream.fill(&buffer, 0..8, 2)?;
    stream.record()?.synchronize_timeout(LONG)
}
