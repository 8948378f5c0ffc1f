//! Clocks that go round: spans and times are right, or it is said that nobody knows.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod between;
mod lying;
mod machine;

use std::time::{Duration, Instant};

use syncpoint::{Error, Kind, Result, Stream};
use syncpoint_conformance::patience;

const LONG: Duration = Duration::from_secs(20);

/// A stream of a device with a short clock; `None`: there is no device, or its clock has other steps.
fn stream() -> Option<Stream> {
    if !between::used(lying::with_a_short_clock) || !machine::is_there() {
        return None;
    }
    let device = syncpoint::vulkan::open(0).expect("it is there");
    let has_steps_of_nanoseconds = device.clock().resolution() == Duration::from_nanos(1);
    machine::has(machine::NANOSECONDS, has_steps_of_nanoseconds)
        .then(|| device.stream().expect("a stream"))
}

/// The span of a delay on the clock of the device, held against the host's.
fn span(stream: &Stream, delay: Duration) -> Result<Duration> {
    let begin = Instant::now();
    let start = stream.record_timed()?;
    start.synchronize_timeout(LONG)?;
    stream.delay(delay)?;
    let end = stream.record_timed()?;
    end.synchronize_timeout(LONG)?;
    let (span, most) = (end.elapsed_since(&start)?, begin.elapsed());
    assert!(span >= delay && span <= most, "{span:?} of {delay:?} in {most:?}");
    let [first, last] = [start.timestamp()?, end.timestamp()?];
    let told = Duration::from_nanos(last.nanos - first.nanos);
    assert!(told.abs_diff(span) <= first.error + last.error, "{told:?} is not {span:?}");
    Ok(span)
}

#[track_caller]
fn assert_left_open(error: &Error) {
    assert_eq!(error.kind(), Kind::Driver, "{error}");
    assert!(error.message().contains("begins anew every 268.435456ms"), "{error}");
}

#[test]
fn a_span_longer_than_a_round_is_right_where_the_host_saw_both_ends() {
    let Some(stream) = stream() else { return };
    for delay in [0, 150, 300, 700].map(Duration::from_millis) {
        // A machine in a hiccup sees too little.
        patience::until("a span", || match span(&stream, delay) {
            Ok(_) => true,
            Err(error) => {
                assert_left_open(&error);
                false
            }
        });
    }
}

#[test]
fn a_span_of_which_the_host_saw_too_little_is_refused() -> Result<()> {
    let Some(stream) = stream() else { return Ok(()) };
    let host = syncpoint::open("host:0")?.stream()?;
    let start = stream.record_timed()?;
    // Nobody asks for the point meanwhile.
    host.delay(Duration::from_millis(600))?;
    host.synchronize_timeout(LONG)?;
    let end = stream.record_timed()?;
    end.synchronize_timeout(LONG)?;
    assert_left_open(&end.elapsed_since(&start).expect_err("nobody knows"));
    assert_left_open(&start.timestamp().expect_err("others would be told by it"));
    Ok(())
}
