//! Virtual time: how long fills, copies, delays and host work take on the device's own clock.
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Gate, Kind, Measure, Reason, Result, Stream, elapsed_all};

/// A stepped world of two devices and one stream on each.
fn world() -> Result<(Sim, Stream, Stream)> {
    let sim = Sim::builder().seed(7).devices(2).stepped().build();
    let (near, far) = (sim.device(0)?.stream()?, sim.device(1)?.stream()?);
    Ok((sim, near, far))
}

/// How long some work of a stream takes on the device's own clock.
fn span(stream: &Stream, work: impl FnOnce(&Stream) -> Result<()>) -> Result<Duration> {
    let start = stream.record_timed()?;
    work(stream)?;
    let end = stream.record_timed()?;
    end.synchronize()?;
    end.elapsed_since(&start)
}

#[test]
fn times_are_exact_on_the_virtual_clock() -> Result<()> {
    let (_sim, near, far) = world()?;
    let start = near.record_timed()?;
    near.delay(Duration::from_millis(3))?;
    let end = near.record_timed()?;
    end.synchronize()?;
    assert_eq!(end.elapsed_since(&start)?, Duration::from_millis(3));
    let other = far.record_timed()?;
    other.synchronize()?;
    assert!(other.elapsed_since(&start).is_err(), "each device has a clock of its own");
    Ok(())
}

#[test]
fn of_many_times_one_that_is_pending_failed_or_of_another_clock_spoils_no_other() -> Result<()> {
    let (sim, near, far) = world()?;
    let (failing, gate) = (sim.device(0)?.stream()?, Gate::new());
    let start = near.record_timed()?;
    near.delay(Duration::from_millis(3))?;
    let first = near.record_timed()?;
    near.wait(&gate.point())?;
    let pending = near.record_timed()?;
    failing.enqueue(|| Err::<(), _>("on purpose"))?;
    let failed = failing.record_timed()?;
    failed.synchronize().unwrap_err();
    let other = far.record_timed()?;
    other.synchronize()?;
    first.synchronize()?;
    let ends = [pending, failed, other, start.clone(), first];
    let kinds: Vec<_> = elapsed_all(&start, &ends).map(|time| time.map_err(|e| e.kind())).collect();
    let refused = [Reason::NotComplete, Reason::WrongDevice].map(Kind::Misuse);
    let third = Duration::from_millis(3);
    assert_eq!(
        kinds,
        [Err(refused[0]), Err(Kind::Failed), Err(refused[1]), Ok(Duration::ZERO), Ok(third)]
    );
    Ok(())
}

#[test]
fn a_measured_hour_of_the_device_is_no_hour_of_the_host_and_each_names_its_clock() -> Result<()> {
    let (sim, near, _far) = world()?;
    let (device, hour) = (sim.device(0)?, Duration::from_secs(3600));
    let of = |measure: Measure| measure.repeats(3).run(&near, |stream| stream.delay(hour));
    let measured = of(Measure::new())?;
    assert_eq!([measured.shortest(), measured.longest()], [hour; 2]);
    assert_eq!(measured.clock(), device.clock().name());
    assert_eq!(measured.resolution(), device.clock().resolution());
    let felt = of(Measure::new().by_host_clock())?;
    assert!(felt.longest() < hour, "{felt}");
    assert_eq!((felt.clock(), felt.resolution()), ("host monotonic", Duration::from_nanos(1)));
    Ok(())
}

#[test]
fn fills_and_copies_take_as_long_as_they_are_large() -> Result<()> {
    let (sim, near, _far) = world()?;
    let buffer = sim.device(0)?.buffer(2_000_000)?;
    let small = span(&near, |stream| stream.fill(&buffer, 0..10, 1))?;
    let large = span(&near, |stream| stream.fill(&buffer, 0..1_000_000, 1))?;
    let copy =
        span(&near, |stream| stream.copy(&buffer, 0..1_000_000, &buffer, 1_000_000..2_000_000))?;
    assert_eq!([small, large, copy].map(|span| span.as_nanos()), [1_001, 101_000, 101_000]);
    Ok(())
}

#[test]
fn host_work_takes_no_time_or_as_long_as_a_draw_says() -> Result<()> {
    for (longest, seed) in [(0, 1), (1000, 2), (1000, 3)] {
        let builder = Sim::builder().seed(seed).late(Duration::ZERO).stepped();
        let sim = builder.host_work(Duration::from_nanos(longest)).build();
        let stream = sim.device(0)?.stream()?;
        let taken = span(&stream, |stream| stream.enqueue(|| ()))?.as_nanos();
        assert!(taken <= longest.into() && (taken > 0) == (longest > 0), "{taken} of {longest}");
    }
    Ok(())
}

#[test]
fn a_delay_that_no_clock_can_tell_ends_where_the_clock_does() -> Result<()> {
    let (sim, near, _far) = world()?;
    for _ in 0..4 {
        near.delay(Duration::MAX)?;
    }
    near.synchronize()?;
    assert_eq!(sim.now(), Duration::from_nanos(u64::MAX));
    Ok(())
}
