//! What the driver is asked, heard by a witness that stands between it and the backend.
//!
//! Drivers leave the rules of semaphores to their callers: where one is broken they do not answer, but stand.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]
#![expect(unsafe_code, reason = "commands of the user's are submitted: none")]

mod between;
mod machine;
#[expect(dead_code, reason = "the queues are our own")]
mod witness;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use syncpoint::vulkan::RawStream;
use syncpoint::{Device, Gate, Kind, Result, Submission};
use syncpoint_conformance::patience;

use witness::{Heard, Turn};

/// Streams that wait for one another across and across, some of them held by gates that open late: what they wait for is
/// then not submitted for long.
fn weave(device: &Device) -> Result<()> {
    let streams = (0..8).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    let (buffer, mut points, mut gates) = (device.buffer(64)?, Vec::new(), Vec::new());
    for (turn, chosen) in (0..500).zip(draws()) {
        let stream = &streams[chosen % streams.len()];
        if turn % 25 == 0 {
            let gate = Gate::new();
            stream.wait(&gate.point())?;
            gates.push(gate);
        }
        if let Some(point) = points.get(chosen / 8 % points.len().max(1)) {
            stream.wait(point)?;
        }
        stream.fill(&buffer, 0..64, 1)?;
        points.push(stream.record()?);
        if turn % 50 == 49 {
            gates.drain(..).try_for_each(|gate: Gate| gate.open())?;
        }
    }
    syncpoint::wait_all_timeout(&points, Duration::from_secs(20))
}

/// Numbers without an order to speak of, the same in every run.
fn draws() -> impl Iterator<Item = usize> {
    let next = |last: &usize| Some((last * 75 + 74) % 65_537);
    std::iter::successors(Some(1), next)
}

/// What is heard of such streams. What should not have been is told first: the streams may stand for it.
fn heard_of_weaving(turn: &Turn) -> Result<Heard> {
    let (device, mut outcome) = (syncpoint::vulkan::open(0)?, Ok(()));
    let heard = turn.heard(|| outcome = weave(&device));
    assert_eq!(heard.offences, [""; 0]);
    outcome.map(|()| heard)
}

/// One queue stands still where a wait comes before its signal, and so does hardware that streams share.
#[test]
fn no_submission_waits_for_a_signal_that_nobody_has_submitted() -> Result<()> {
    let Some(turn) = Turn::come() else { return Ok(()) };
    let heard = heard_of_weaving(&turn)?;
    assert!(heard.waits > 500, "{heard:?}");
    Ok(())
}

/// A driver with one queue gives the right bytes also without, so what it is told is looked at.
#[test]
fn a_wait_across_names_the_semaphore_and_the_value_of_the_other_stream() -> Result<()> {
    let Some(turn) = Turn::come() else { return Ok(()) };
    let device = syncpoint::vulkan::open(0)?;
    let (first, second, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
    let heard = heard_of(&turn, || {
        first.fill(&buffer, 0..8, 1)?;
        first.fill(&buffer, 0..8, 2)?;
        second.wait(&first.record()?)?;
        second.fill(&buffer, 0..8, 3)?;
        second.synchronize_timeout(LONG)
    })?;
    let [begun, filled, next] = &heard.submissions[..] else { panic!("{heard:?}") };
    assert_eq!(begun.waits, []);
    assert_eq!(filled.waits, begun.signals, "batches of one queue may overlap");
    assert_eq!(next.waits, filled.signals, "the wait is the device's");
    assert_eq!(heard.offences, [""; 0]);
    Ok(())
}

#[test]
fn what_follows_commands_of_the_users_waits_for_them() -> Result<()> {
    let Some(turn) = Turn::come() else { return Ok(()) };
    let device = syncpoint::vulkan::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    let heard = heard_of(&turn, || {
        stream.submit(|lent| {
            let raw = lent.native::<RawStream>().expect("a stream of Vulkan lends one");
            for _ in 0..2 {
                // SAFETY: no commands.
                unsafe { raw.submit(&[]) }?;
            }
            Ok::<_, syncpoint::Error>(())
        })?;
        stream.fill(&buffer, 0..8, 1)?;
        stream.synchronize_timeout(LONG)
    })?;
    let [first, second, .., fill] = &heard.submissions[..] else { panic!("{heard:?}") };
    assert_eq!(second.waits, first.signals);
    assert!(fill.waits.contains(&second.signals[0]), "{heard:?}");
    assert_eq!(heard.offences, [""; 0]);
    Ok(())
}

/// What is heard of something that is not refused.
fn heard_of(turn: &Turn, run: impl FnOnce() -> Result<()>) -> Result<Heard> {
    let mut outcome = Ok(());
    let heard = turn.heard(|| outcome = run());
    outcome.map(|()| heard)
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn every_signal_is_above_the_one_before_and_no_further_than_the_device_allows() -> Result<()> {
    const MOST: u64 = 4;
    let Some(turn) = Turn::come() else { return Ok(()) };
    let device = syncpoint::vulkan::open_with_difference(0, MOST)?;
    let heard = heard_of(&turn, || leap(&device))?;
    assert!(heard.signals >= 5 && heard.raises >= 5, "{heard:?}");
    assert!((1..=MOST).contains(&heard.furthest), "{heard:?}");
    assert_eq!(heard.offences, [""; 0]);
    Ok(())
}

/// Values that pass on the host are not signalled, so the device's next signal is far from its last.
fn leap(device: &Device) -> Result<()> {
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    for round in 1..=5 {
        for _ in 0..round * 7 {
            stream.enqueue(|| {})?;
        }
        stream.fill(&buffer, 0..8, round)?;
    }
    stream.synchronize_timeout(Duration::from_secs(20))
}

/// Commands of the user's have values of their own, one each, on a stream that is busy.
#[test]
fn commands_of_the_users_are_no_further_ahead_than_the_device_allows() -> Result<()> {
    const MOST: u64 = 4;
    const LEN: u64 = 32 << 20;
    let Some(turn) = Turn::come() else { return Ok(()) };
    let device = syncpoint::vulkan::open_with_difference(0, MOST)?;
    let (stream, buffer) = (device.stream()?, device.buffer(LEN)?);
    // A machine in a hiccup finds all of it over before the last is submitted.
    patience::until("a refusal", || {
        let refused = Arc::new(OnceLock::new());
        let told = Arc::clone(&refused);
        let heard = heard_of(&turn, || {
            stream.fill(&buffer, 0..LEN, 1)?;
            stream.submit(move |lent| submit_until_refused(lent, MOST + 4, &told))?;
            stream.synchronize_timeout(LONG)
        });
        let heard = heard.expect("the stream goes on");
        assert!((1..=MOST).contains(&heard.furthest), "{heard:?}");
        assert_eq!(heard.offences, [""; 0]);
        let refused = refused.get();
        assert!(refused.is_none_or(|refused| *refused == Kind::Exhausted), "{refused:?}");
        refused.is_some()
    });
    Ok(())
}

/// Submits nothing so often, or until that is refused.
fn submit_until_refused(lent: &Submission<'_>, times: u64, refused: &OnceLock<Kind>) {
    let raw = lent.native::<RawStream>().expect("a stream of Vulkan lends one");
    for _ in 0..times {
        // SAFETY: no commands.
        if let Err(error) = unsafe { raw.submit(&[]) } {
            return refused.set(error.kind()).expect("the first ends it");
        }
    }
}

/// A wait without an end is one that no lost device and no deadline can end.
#[test]
fn the_host_waits_in_the_driver_a_slice_at_a_time() {
    let Some(turn) = Turn::come() else { return };
    // A machine in a hiccup finds everything over before it sleeps.
    patience::until("a sleep", || {
        let heard = heard_of_weaving(&turn).expect("they end");
        assert!(heard.longest <= Duration::from_millis(50), "{heard:?}");
        heard.sleeps > 0
    });
}
