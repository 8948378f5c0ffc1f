//! Drivers that read another clock of the device's beside the host's than the one by which its queues tell times.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod lying;
mod machine;
mod theirs;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use syncpoint::vulkan::handles;
use syncpoint::{Kind, Result, Stream, TimedPoint, Timestamp};

use theirs::Theirs;

const LONG: Duration = Duration::from_secs(20);

/// As far as two clocks of one driver were seen to be apart, in nanoseconds.
const OFF: i64 = 11_850_000_000;

/// Nearer than any other clock that is tried here, and further than a time is told by one that is believed.
const CLOSE: Duration = Duration::from_millis(100);

/// One test at a time: how far off the clock is read is of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    lying::read_clock_off_by(0);
    alone
}

/// Whether there is a driver that reads both clocks, and the lie before it.
fn reads_two_clocks() -> Result<bool> {
    if !between::used(lying::with_another_clock) || !machine::is_there() {
        return Ok(false);
    }
    let device = syncpoint::vulkan::open(0)?;
    Ok(machine::has(machine::TWO_CLOCKS, Theirs::of(&handles(&device)?).reads_two_clocks()))
}

fn timed(stream: &Stream) -> Result<TimedPoint> {
    let point = stream.record_timed()?;
    point.synchronize_timeout(LONG)?;
    Ok(point)
}

#[test]
fn a_device_whose_driver_reads_another_clock_has_times_of_the_clock_of_its_queues() -> Result<()> {
    let _alone = alone();
    if !reads_two_clocks()? {
        return Ok(());
    }
    for off in [OFF, -OFF] {
        lying::read_clock_off_by(off);
        let stream = syncpoint::vulkan::open(0)?.stream()?;
        let (first, last) = (timed(&stream)?, timed(&stream)?);
        let times = [first.timestamp()?, last.timestamp()?];
        assert!(times.iter().all(|time| time.error.is_zero()), "{off}: {times:?}");
        let told = Duration::from_nanos(times[1].nanos - times[0].nanos);
        assert_eq!(told, last.elapsed_since(&first)?, "{off}");
        // For good: two times of a device are of one clock.
        lying::read_clock_off_by(0);
        assert!(timed(&stream)?.timestamp()?.error.is_zero(), "{off}");
    }
    Ok(())
}

/// Times until one is told within less than this, or one is the device's own: on a busy machine the host may see one badly.
fn closely_told(stream: &Stream) -> Result<Timestamp> {
    for _ in 0..100 {
        let told = timed(stream)?.timestamp()?;
        if told.error < CLOSE {
            return Ok(told);
        }
    }
    panic!("a machine that is as busy tells nothing")
}

/// For so long nobody asks whether it has come: then nobody knows any more which clock it is of.
#[test]
fn a_time_that_was_noticed_late_is_told_as_badly_as_it_was_seen_and_decides_nothing() -> Result<()>
{
    let _alone = alone();
    if !reads_two_clocks()? {
        return Ok(());
    }
    lying::read_clock_off_by(-OFF / 20);
    let opens = Instant::now();
    let stream = syncpoint::vulkan::open(0)?.stream()?;
    let (opened, host) = (Instant::now(), syncpoint::open("host:0")?.stream()?);
    let (before, point) = (Instant::now(), stream.record_timed()?);
    host.delay(Duration::from_secs(1))?;
    host.synchronize_timeout(LONG)?;
    point.synchronize_timeout(LONG)?;
    let (told, after) = (point.timestamp()?, Instant::now());
    let nanos = Duration::from_nanos(told.nanos);
    assert!(told.error >= Duration::from_secs(1), "{told:?}");
    assert!(nanos + told.error >= before - opened, "{told:?}");
    assert!(nanos <= after - opens + told.error, "{told:?}");
    assert!(closely_told(&stream)?.error.is_zero(), "the clock is of another");
    assert_eq!(point.timestamp()?, told, "it is the same at each call");
    Ok(())
}

#[test]
fn a_time_of_before_which_the_clock_was_set_is_refused_where_others_were_told_by_it() -> Result<()>
{
    let _alone = alone();
    if !reads_two_clocks()? {
        return Ok(());
    }
    let stream = syncpoint::vulkan::open(0)?.stream()?;
    let believed = closely_told(&stream)?;
    assert!(!believed.error.is_zero(), "{believed:?}");
    let first = timed(&stream)?;
    let told = first.timestamp()?;
    lying::read_clock_off_by(OFF);
    let last = timed(&stream)?;
    let refused = last.timestamp().expect_err("the clock was set");
    assert_eq!(refused.kind(), Kind::Driver);
    // What the queue wrote fits the moment before: it is the clock that does not.
    // Where the moment before was read anew meanwhile, by the clock that was set, it is the other way round.
    let words = [" and later at ", " and a queue of it wrote "];
    assert!(words.iter().any(|words| refused.message().contains(words)), "{refused}");
    last.elapsed_since(&first)?;
    assert_eq!(first.timestamp()?, told, "it is the same at each call");
    Ok(())
}
