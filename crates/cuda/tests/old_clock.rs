//! A point that was recorded before anybody could tell its device's clock: once told, its time stays.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::time::{Duration, Instant};

use syncpoint::Result;
use syncpoint_conformance::patience::{promptly, settle, until};

use fake::Fake;

/// After so long what is known of the device's clock is old.
const OLD: Duration = Duration::from_millis(4100);

/// One test, because what is scripted meets the whole process.
#[test]
fn the_time_of_a_point_stays_although_the_clock_is_looked_at_anew() -> Result<()> {
    let fake = Fake::used();
    // The first stream is the backend's own, on which it looks at the clock.
    fake.script("stall 1");
    let device = syncpoint::cuda::open(0)?;
    let stream = device.stream()?;
    let recorded = promptly(move || stream.record_timed())?;
    settle(&recorded);
    fake.script("release");
    until("a time", || recorded.timestamp().is_ok());
    let (told, known) = (recorded.timestamp()?, Instant::now());
    until("an old clock", || known.elapsed() > OLD);
    let stream = device.stream()?;
    for _ in 0..50 {
        let later = stream.record_timed()?;
        settle(&later);
        assert_eq!(recorded.timestamp()?, told);
    }
    Ok(())
}
