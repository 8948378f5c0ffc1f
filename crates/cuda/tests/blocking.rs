//! How often a wait of the host asks the driver before it sleeps: alone in the process, since all its questions count.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::time::{Duration, Instant};

use syncpoint::{Event, EventOptions, Kind, Result, Wait};
use syncpoint_conformance::secluded::refuse_new_threads;

use fake::Fake;

/// So short that a sleep of it is one.
const TIME: Duration = Duration::from_millis(5);

/// More than a busy machine interrupts.
const TRIES: usize = 100;

/// One way to wait for an event, which runs out.
type Waits = fn(&Event) -> Result<()>;

/// How many questions of the driver's a wait takes.
fn questions(waits: Waits, event: &Event) -> u64 {
    let before = Fake::used().count("cuEventQuery");
    assert_eq!(waits(event).map_err(|error| error.kind()), Err(Kind::TimedOut));
    Fake::used().count("cuEventQuery") - before
}

/// The same of some waits for the same. A sleep may end early, and is then one question more; and on a busy machine the time
/// may be over before the thread asks for the first time.
fn some_questions(waits: Waits, event: &Event) -> impl Iterator<Item = u64> {
    (0..5).map(move |_| questions(waits, event))
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
    let asleep = some_questions(|event| event.synchronize_with(Wait::Block, Some(TIME)), &plain);
    let asleep = asleep.max().unwrap_or(0);
    for waits in waits {
        let sleeping = some_questions(waits, &blocking).min().unwrap_or(u64::MAX);
        assert!(sleeping <= asleep, "{sleeping} questions where {asleep} are one sleep");
        let spins = (0..TRIES).any(|_| questions(waits, &plain) > asleep);
        assert!(spins, "never more questions than the {asleep} of one sleep");
    }
    fake.script("release");
    Ok(())
}
