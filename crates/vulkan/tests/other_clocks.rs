//! Drivers that read another clock of the device's beside the host's than the one by which its queues tell times.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod lying;
mod machine;
mod theirs;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use syncpoint::vulkan::handles;
use syncpoint::{Kind, Result, Stream, TimedPoint};

use theirs::Theirs;

const LONG: Duration = Duration::from_secs(20);

/// As far as two clocks of one driver were seen to be apart, in nanoseconds.
const OFF: i64 = 11_850_000_000;

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

#[test]
fn a_time_of_before_which_the_clock_was_set_is_refused_where_others_were_told_by_it() -> Result<()>
{
    let _alone = alone();
    if !reads_two_clocks()? {
        return Ok(());
    }
    let stream = syncpoint::vulkan::open(0)?.stream()?;
    let first = timed(&stream)?;
    let told = first.timestamp()?;
    assert!(!told.error.is_zero(), "{told:?}");
    lying::read_clock_off_by(OFF);
    let last = timed(&stream)?;
    let refused = last.timestamp().map_err(|error| error.kind());
    assert_eq!(refused, Err(Kind::Driver));
    last.elapsed_since(&first)?;
    assert_eq!(first.timestamp()?, told, "it is the same at each call");
    Ok(())
}
