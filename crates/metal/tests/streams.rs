//! Streams: each with a queue of its own, used by any thread, and never a wait on the device for what nobody has committed.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod double;

use std::thread;
use std::time::Duration;

use syncpoint::{Gate, Measure, Result, Stream};
use syncpoint_conformance::patience::until;

use double::Double;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn no_command_buffer_waits_for_what_nobody_has_committed() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let buffer = device.buffer(64)?;
    let streams = (0..8).map(|_| device.stream()).collect::<Result<Vec<Stream>>>()?;
    let gate = Gate::new();
    streams[0].wait(&gate.point())?;
    for round in 0..50 {
        for (index, stream) in streams.iter().enumerate() {
            let next = &streams[(index + 1 + round % 3) % streams.len()];
            stream.fill(&buffer, 0..64, 1)?;
            next.wait(&stream.record()?)?;
            if round % 5 == 0 {
                next.enqueue(|| {})?;
            }
        }
    }
    assert_eq!(double.early_waits(), 0);
    gate.open()?;
    for stream in &streams {
        stream.record()?.synchronize_timeout(LONG)?;
    }
    assert_eq!(double.early_waits(), 0, "of {} command buffers", double.commits());
    Ok(())
}

#[test]
fn threads_that_use_one_stream_at_once_are_served_one_after_the_other() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, other) = (device.stream()?, device.stream()?);
    let buffer = device.buffer(64)?;
    thread::scope(|scope| {
        let work = || -> Result<()> {
            for _ in 0..100 {
                stream.fill(&buffer, 0..64, 1)?;
                let filled = stream.record()?;
                other.wait(&filled)?;
                let timed = stream.record_timed()?;
                filled.query()?;
                timed.synchronize_timeout(LONG)?;
                assert!(filled.query()?, "what comes before a point is complete with it");
            }
            Ok(())
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it ends"))
    })?;
    other.record()?.synchronize_timeout(LONG)?;
    assert_eq!(double.early_waits(), 0);
    assert_eq!(double.begun_beside(), 0, "one thread at a time puts a command buffer together");
    Ok(())
}

#[test]
fn a_wait_for_what_is_known_complete_commits_nothing() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (first, second) = (device.stream()?, device.stream()?);
    let buffer = device.buffer(8)?;
    first.fill(&buffer, 0..8, 1)?;
    let filled = first.record()?;
    filled.synchronize_timeout(LONG)?;
    let before = double.commits();
    for _ in 0..10 {
        second.wait(&filled)?;
        first.wait(&filled)?;
        second.record()?.synchronize_timeout(LONG)?;
    }
    assert_eq!(double.commits(), before);
    Ok(())
}

#[test]
fn what_a_drop_lets_go_of_ends_on_a_thread_of_ours() -> Result<()> {
    let double = Double::default();
    let (device, ends) = (double.device(), double.ends());
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    stream.fill(&buffer, 0..8, 1)?;
    stream.record()?.synchronize_timeout(LONG)?;
    drop((buffer, stream, device));
    assert_eq!(ends.recv_timeout(LONG).as_deref(), Ok("syncpoint-reap"));
    Ok(())
}

/// By either clock: the device's, and the host's around a wait for the device.
#[test]
fn what_takes_a_while_is_measured_as_long_as_it_takes() -> Result<()> {
    let (stream, pause) = (Double::default().device().stream()?, Duration::from_millis(5));
    for measure in [Measure::new(), Measure::new().by_host_clock()] {
        let measured = measure.warm_up(1).repeats(5).run(&stream, |stream| stream.delay(pause))?;
        assert_eq!(measured.samples().len(), 5);
        assert!(measured.shortest() >= pause, "{measured}");
    }
    Ok(())
}

/// What watches command buffers, such as a capture of a frame, sees a whole one: its handler has come before a host that
/// waits goes on.
#[test]
fn who_waits_on_the_host_goes_on_behind_the_handler_of_the_command_buffer() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    double.hold_handlers();
    stream.fill(&buffer, 0..8, 7)?;
    let filled = stream.record()?;
    until("the work of the device", || buffer.to_vec(0..1).is_ok_and(|bytes| bytes == [7]));
    for _ in 0..50 {
        assert!(!filled.query()?, "its event is signalled, and its handler has not come");
    }
    double.call_handlers();
    filled.synchronize_timeout(LONG)
}
