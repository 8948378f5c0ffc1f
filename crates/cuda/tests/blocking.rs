//! How often a wait of the host asks the driver before it sleeps: alone in the process, since all its questions count.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::time::{Duration, Instant};

use syncpoint::{Event, EventOptions, Kind, Result};
use syncpoint_conformance::secluded::refuse_new_threads;

use fake::Fake;

/// So short that a sleep of it is one.
const TIME: Duration = Duration::from_millis(5);

/// One way to wait for an event, which runs out.
type Waits = fn(&Event) -> Result<()>;

/// How many questions of the driver's a wait takes at least.
fn questions(waits: Waits, event: &Event) -> u64 {
    let asked = || {
        let before = Fake::used().count("cuEventQuery");
        assert_eq!(waits(event).map_err(|error| error.kind()), Err(Kind::TimedOut));
        Fake::used().count("cuEventQuery") - before
    };
    // A sleep may end early, and is then one question more.
    (0..5).map(|_| asked()).min().unwrap_or(0)
}

#[test]
fn a_wait_for_a_blocking_event_asks_before_it_sleeps_and_behind_that_and_never_between()
-> Result<()> {
    syncpoint::wait_as_with(64);
    let fake = Fake::used_as("stall 2");
    let device = syncpoint::cuda::open(0)?;
    let (plain, blocking) =
        (device.event(), device.event_with(EventOptions::builder().blocking().build()?)?);
    // The first is the transfers'.
    let stalled = device.stream()?;
    stalled.delay(Duration::ZERO)?;
    plain.record(&stalled)?;
    blocking.record(&stalled)?;
    // No poller asks beside the waits.
    refuse_new_threads();
    let waits: [Waits; 2] = [
        |event| event.synchronize_timeout(TIME),
        |event| event.synchronize_deadline(Instant::now() + TIME),
    ];
    for waits in waits {
        let [spinning, sleeping] = [&plain, &blocking].map(|event| questions(waits, event));
        assert!(sleeping < spinning, "{sleeping} questions where {spinning} are one spin");
    }
    fake.script("release");
    Ok(())
}
