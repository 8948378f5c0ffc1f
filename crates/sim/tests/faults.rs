//! Every fault, and what it takes along.
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

use std::time::Duration;

use syncpoint::sim::{Fault, Sim};
use syncpoint::{Kind, Point, Result, State, Stream};

const MOMENT: Duration = Duration::from_millis(1);

/// Longer than anything here takes, shorter than anybody waits for a test.
const DEADLINE: Duration = Duration::from_secs(10);

/// A stepped world of two devices and one stream on each.
fn world() -> Result<(Sim, Stream, Stream)> {
    let sim = Sim::builder().seed(7).devices(2).stepped().build();
    let (near, far) = (sim.device(0)?.stream()?, sim.device(1)?.stream()?);
    Ok((sim, near, far))
}

#[track_caller]
fn work(stream: &Stream) -> Result<Point> {
    stream.delay(Duration::from_micros(1))?;
    stream.record()
}

#[track_caller]
fn failure(point: &Point) -> Kind {
    match point.state() {
        State::Failed(error) => error.kind(),
        state => panic!("{point} must have failed: {state:?}"),
    }
}

#[test]
fn a_lost_device_fails_what_is_not_known_complete_and_what_waits_for_it() -> Result<()> {
    let (sim, near, far) = world()?;
    let seen = work(&near)?;
    seen.synchronize()?;
    sim.plan(0, 3, Fault::Lose)?;
    let (unseen, lost, behind) = (work(&near)?, work(&near)?, work(&near)?);
    let before = work(&far)?;
    far.wait(&behind)?;
    let waiting = work(&far)?;
    sim.run_until_idle();
    assert!(seen.query()? && before.query()?);
    for point in [&lost, &behind, &waiting] {
        assert_eq!(failure(point), Kind::DeviceLost, "{point}");
    }
    assert!(!matches!(unseen.state(), State::Pending));
    assert_eq!(near.recover().unwrap_err().kind(), Kind::DeviceLost);
    assert_eq!(sim.device(0)?.stream().unwrap_err().kind(), Kind::DeviceLost);
    assert_eq!(sim.device(0)?.buffer(8).unwrap_err().kind(), Kind::DeviceLost);
    Ok(())
}

#[test]
fn a_stream_that_waited_for_a_lost_device_recovers_and_goes_on() -> Result<()> {
    let (sim, near, far) = world()?;
    near.delay(Duration::from_secs(1))?;
    far.wait_stream(&near)?;
    work(&far)?;
    sim.lose(0)?;
    assert!(
        near.device().is_spent() && !far.device().is_spent(),
        "who keeps devices passes over the lost one"
    );
    assert_eq!(far.synchronize().unwrap_err().kind(), Kind::DeviceLost);
    assert!(far.recover()?.is_some());
    work(&far)?.synchronize_timeout(DEADLINE)
}

#[test]
fn a_lost_device_lets_go_what_waits_for_it_on_another_device() -> Result<()> {
    let (sim, near, far) = world()?;
    near.delay(Duration::from_secs(1))?;
    far.wait_stream(&near)?;
    sim.lose(0)?;
    assert!(far.recover()?.is_some());
    let end = work(&far)?;
    sim.run_until_idle();
    assert!(end.query()?, "the device still waits for a signal of the one that is lost");
    Ok(())
}

#[test]
fn a_device_that_is_lost_by_hand_wakes_whoever_waits() -> Result<()> {
    let sim = Sim::builder().devices(2).build();
    let (near, far) = (sim.device(0)?.stream()?, sim.device(1)?.stream()?);
    let gate = syncpoint::Gate::new();
    near.wait(&gate.point())?;
    far.wait_stream(&near)?;
    let point = far.record()?;
    let waiter = std::thread::spawn(move || point.synchronize());
    sim.lose(0)?;
    let outcome = waiter.join().expect("a wait does not panic");
    assert_eq!(outcome.unwrap_err().kind(), Kind::DeviceLost);
    Ok(())
}

#[test]
fn failed_work_fails_its_stream_and_dependants_with_one_cause() -> Result<()> {
    let (sim, near, far) = world()?;
    sim.plan(0, 2, Fault::Fail)?;
    let (sound, failed) = (work(&near)?, work(&near)?);
    far.wait(&failed)?;
    let dependant = work(&far)?;
    sim.run_until_idle();
    assert!(sound.query()?);
    let (first, second) = (failed.query().unwrap_err(), dependant.query().unwrap_err());
    assert!(first.is_same(&second) && first.kind() == Kind::Failed, "{first}");
    assert!(near.recover()?.is_some_and(|error| error.is_same(&first)));
    work(&near)?.synchronize()
}

#[test]
fn a_refused_submission_is_the_error_of_its_call() -> Result<()> {
    let (sim, near, _far) = world()?;
    sim.plan(0, 2, Fault::Refuse)?;
    let before = work(&near)?;
    let error = near.delay(Duration::ZERO).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Driver, Some((1, "SIM_REFUSED"))));
    assert_eq!(near.record()?, before);
    work(&near)?.synchronize()
}

#[test]
fn a_refused_submission_that_was_held_fails_its_stream() -> Result<()> {
    let (sim, near, _far) = world()?;
    let gate = syncpoint::Gate::new();
    near.wait(&gate.point())?;
    let (first, second) = (work(&near)?, work(&near)?);
    sim.plan(0, 1, Fault::Refuse)?;
    gate.open()?;
    assert_eq!(first.synchronize().unwrap_err().kind(), Kind::Driver);
    assert_eq!(second.synchronize().unwrap_err().kind(), Kind::Driver);
    assert_eq!(sim.operations(0)?, 1, "nothing behind it was submitted");
    Ok(())
}

#[test]
fn a_slow_signal_is_heard_late_and_other_streams_do_not_notice() -> Result<()> {
    let (sim, near, far) = world()?;
    sim.plan(0, 1, Fault::SlowSignal(Duration::from_secs(1)))?;
    let slow = work(&near)?;
    let next = work(&near)?;
    far.wait(&slow)?;
    let waiting = work(&far)?;
    while sim.now() < Duration::from_millis(500) && sim.step() {}
    let log = sim.log();
    assert!(log.contains("sim:1/0  ends 2: delay"), "far goes on on the device: {log}");
    slow.synchronize()?;
    assert!(sim.now() >= Duration::from_secs(1));
    next.synchronize()?;
    waiting.synchronize()
}

#[test]
fn nobody_sees_complete_what_waited_for_a_point_that_is_not() -> Result<()> {
    let (sim, near, far) = world()?;
    sim.plan(0, 1, Fault::SlowSignal(Duration::from_secs(1)))?;
    let slow = work(&near)?;
    far.wait(&slow)?;
    let waiting = work(&far)?;
    while !waiting.query()? {
        assert!(sim.step());
    }
    assert!(slow.query()?, "the wait is over, so what it waited for is complete");
    Ok(())
}

#[test]
fn a_signal_that_never_comes_times_out_and_says_where() -> Result<()> {
    let (sim, near, far) = world()?;
    sim.plan(0, 1, Fault::NoSignal)?;
    let silent = work(&near)?;
    let behind = work(&near)?;
    far.wait(&silent)?;
    let waiting = far.record()?;
    for point in [&silent, &behind, &waiting] {
        let error = point.synchronize_timeout(MOMENT).unwrap_err();
        assert_eq!(error.kind(), Kind::TimedOut);
        let report = error.report().expect("a wait that ran out has a report").to_string();
        assert!(report.contains("stream"), "{report}");
        assert!(matches!(point.state(), State::Pending));
    }
    sim.lose(0)?;
    assert_eq!(waiting.synchronize().unwrap_err().kind(), Kind::DeviceLost);
    Ok(())
}

#[test]
fn a_clock_that_runs_backwards_is_an_error_and_no_time() -> Result<()> {
    let (sim, near, _far) = world()?;
    let start = near.record_timed()?;
    near.synchronize()?;
    sim.turn_clock_back(0, Duration::from_millis(1))?;
    work(&near)?;
    let end = near.record_timed()?;
    near.synchronize()?;
    let error = end.elapsed_since(&start).unwrap_err();
    assert_eq!(error.kind(), Kind::Driver);
    let (from, to) = (start.timestamp()?.nanos, end.timestamp()?.nanos);
    let words = format!(
        "the sim:0 virtual clock ran backwards by {:?}, from {from} ns to {to} ns; do not use this time",
        Duration::from_nanos(from - to)
    );
    assert_eq!(error.message(), words);
    work(&near)?;
    let later = near.record_timed()?;
    near.synchronize()?;
    assert!(later.elapsed_since(&end)? >= Duration::from_micros(1));
    Ok(())
}

#[test]
fn a_clock_that_runs_backwards_between_two_streams_is_told_with_both_times() -> Result<()> {
    let (sim, near, _far) = world()?;
    let other = sim.device(0)?.stream()?;
    let start = near.record_timed()?;
    near.synchronize()?;
    sim.turn_clock_back(0, Duration::from_millis(1))?;
    other.wait(&start)?;
    work(&other)?;
    let end = other.record_timed()?;
    other.synchronize()?;
    let error = end.elapsed_since(&start).unwrap_err();
    assert_eq!(error.kind(), Kind::Misuse(syncpoint::Reason::Reversed));
    for point in [&start, &end] {
        let raw = format!(" {} ns", point.timestamp()?.nanos);
        assert!(error.message().contains(&raw), "{error} must have{raw}");
    }
    Ok(())
}

#[test]
fn a_fault_for_what_is_over_is_refused() -> Result<()> {
    let (sim, near, _far) = world()?;
    work(&near)?;
    let error = sim.plan(0, 1, Fault::Fail).unwrap_err();
    assert!(matches!(error.kind(), Kind::Misuse(syncpoint::Reason::OutOfRange)), "{error}");
    assert!(sim.plan(2, 1, Fault::Fail).is_err());
    assert!(sim.lose(2).is_err() && sim.operations(2).is_err());
    assert!(sim.turn_clock_back(2, MOMENT).is_err());
    Ok(())
}
