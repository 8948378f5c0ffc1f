//! Points that name a value which nobody has enqueued yet: they come with it, on the host as on a simulated device.
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Device, End, Kind, Reason, Result, Stream, WaitReport};

/// Longer than anything here takes, shorter than anybody waits for a test.
const DEADLINE: Duration = Duration::from_secs(10);

/// Long enough for a wait to run out in vain.
const MOMENT: Duration = Duration::from_millis(5);

/// Two streams of each device that far points are tried on.
fn pairs() -> Result<Vec<(Stream, Stream)>> {
    let devices = [syncpoint::open("host:0")?, Sim::builder().build().device(0)?];
    devices.iter().map(pair).collect()
}

fn pair(device: &Device) -> Result<(Stream, Stream)> {
    Ok((device.stream()?, device.stream()?))
}

/// What the wait for the end of a stream says when it runs out.
#[track_caller]
fn report(stream: &Stream) -> WaitReport {
    let error = stream.synchronize_timeout(MOMENT).expect_err("nothing lets it go");
    assert_eq!(error.kind(), Kind::TimedOut, "{error}");
    error.report().expect("a wait that ran out has a report").clone()
}

#[test]
fn a_stream_that_waits_for_a_value_not_enqueued_yet_goes_on_once_it_is_complete() -> Result<()> {
    for (a, b) in pairs()? {
        a.enqueue(|| ())?;
        b.wait(&a.timeline().point(2))?;
        b.enqueue(|| ())?;
        assert!(matches!(report(&b).end(), End::Working), "{}", report(&b));
        a.enqueue(|| ())?;
        b.synchronize_timeout(DEADLINE)?;
    }
    Ok(())
}

#[test]
fn a_thread_that_sleeps_for_a_value_not_enqueued_yet_wakes_once_it_is_complete() -> Result<()> {
    for (a, _b) in pairs()? {
        let point = a.timeline().point(2);
        let sleeper = std::thread::spawn(move || point.synchronize_timeout(DEADLINE));
        a.delay(Duration::from_micros(1))?;
        a.delay(Duration::from_micros(1))?;
        sleeper.join().expect("a wait does not panic")?;
    }
    Ok(())
}

#[test]
fn a_cycle_through_a_value_not_enqueued_yet_is_named_by_the_wait_that_runs_out() -> Result<()> {
    for (a, b) in pairs()? {
        b.wait(&a.timeline().point(2))?;
        a.wait_stream(&b)?;
        a.enqueue(|| ())?;
        for stream in [&a, &b] {
            assert!(matches!(report(stream).end(), End::Cycle), "{}", report(stream));
        }
    }
    Ok(())
}

#[test]
fn a_chain_that_comes_back_to_an_earlier_value_of_a_stream_is_no_cycle() -> Result<()> {
    for (a, b) in pairs()? {
        let (release, released) = channel();
        a.enqueue(move || released.recv_timeout(DEADLINE))?;
        b.wait_stream(&a)?;
        a.wait_stream(&b)?;
        let report = report(&a);
        assert!(matches!(report.end(), End::Working), "{report}");
        release.send(()).expect("the work waits");
        a.synchronize_timeout(DEADLINE)?;
    }
    Ok(())
}

#[test]
fn a_stream_refuses_to_wait_for_a_value_of_its_own_that_comes_after_the_wait() -> Result<()> {
    for (a, _b) in pairs()? {
        let refused = a.wait(&a.timeline().point(1)).expect_err("it comes after the wait");
        assert_eq!(refused.kind(), Kind::Misuse(Reason::WouldDeadlock), "{refused}");
        a.enqueue(|| ())?;
        a.synchronize_timeout(DEADLINE)?;
    }
    Ok(())
}
