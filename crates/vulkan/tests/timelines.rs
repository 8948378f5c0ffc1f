//! Timeline semaphores of others: their values are points like any other, and are never signalled here.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "what a handle names only its owner can say")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod machine;
mod theirs;

use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use syncpoint::vulkan::SemaphoreHandles;
use syncpoint::{End, Kind, Reason, Result, Timeline};
use syncpoint_conformance::patience;

use theirs::Theirs;
use theirs::semaphore::Signals;

const LONG: Duration = Duration::from_secs(20);

/// A semaphore of a program's, and its values as points.
fn taken_in() -> Result<(Arc<Signals>, Timeline)> {
    let signals = Arc::new(Signals::new(&Arc::new(Theirs::new())));
    // SAFETY: the owner keeps all of it alive.
    let timeline =
        unsafe { syncpoint::vulkan::timeline(&signals.handles(), Arc::clone(&signals)) }?;
    Ok((signals, timeline))
}

#[test]
fn streams_of_every_device_wait_for_values_that_others_signal() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let (signals, timeline) = taken_in()?;
    let devices = [syncpoint::vulkan::open(0)?, syncpoint::open("host:0")?];
    let mut ends = Vec::new();
    for (value, device) in (1..).zip(&devices) {
        let (stream, buffer) = (device.stream()?, device.buffer(64)?);
        stream.wait(&timeline.point(value))?;
        stream.fill(&buffer, 0..64, 7)?;
        ends.push((stream.record()?, buffer));
    }
    for (value, (end, buffer)) in (1..).zip(&ends) {
        assert!(!timeline.point(value).query()? && !end.query()?);
        assert_eq!(buffer.to_vec(0..64)?, [0; 64], "the fill came before the value");
        signals.submit(value);
        end.synchronize_timeout(LONG)?;
        assert_eq!(buffer.to_vec(0..64)?, [7; 64]);
    }
    assert_eq!(timeline.completed(), 2);
    Ok(())
}

#[test]
fn the_host_waits_for_values_of_others_and_is_told_of_them() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let ((signals, timeline), (sender, told)) = (taken_in()?, channel());
    let notification = timeline.point(500).notify(move |end| sender.send(end).unwrap_or(()))?;
    drop(notification);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            (1..=500).try_for_each(|value| timeline.point(value).synchronize_timeout(LONG))
        });
        for value in 1..=500 {
            signals.submit(value);
        }
        waiting.join().unwrap()
    })?;
    told.recv_timeout(LONG).unwrap()
}

#[test]
fn a_value_that_does_not_come_ends_in_a_report_that_names_the_others() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let (signals, timeline) = taken_in()?;
    let stream = syncpoint::vulkan::open(0)?.stream()?;
    signals.signal(2);
    stream.wait(&timeline.point(3))?;
    let end = stream.record()?;
    let error = end.synchronize_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    let report = error.report().unwrap();
    assert_eq!(report.end(), &End::Others, "{report}");
    assert_eq!(report.links().len(), 2, "{report}");
    assert!(report.to_string().contains("\"semaphore 0x"), "{report}");
    signals.signal(3);
    end.synchronize_timeout(LONG)
}

#[test]
fn the_owner_of_a_semaphore_is_kept_until_the_last_point_is_gone() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let (signals, timeline) = taken_in()?;
    let (weak, point) = (Arc::downgrade(&signals), timeline.point(1));
    let end = point.notify(drop)?;
    drop((timeline, end));
    signals.submit(1);
    drop(signals);
    point.synchronize_timeout(LONG)?;
    assert_eq!(Weak::strong_count(&weak), 1);
    drop(point);
    patience::until("the owner's end", || Weak::strong_count(&weak) == 0);
    Ok(())
}

#[test]
fn handles_that_name_no_semaphore_are_refused() {
    if !machine::is_there() {
        return;
    }
    let signals = Signals::new(&Arc::new(Theirs::new()));
    let handles = signals.handles();
    let without = [
        SemaphoreHandles { instance: 0, ..handles },
        SemaphoreHandles { device: 0, ..handles },
        SemaphoreHandles { semaphore: 0, ..handles },
    ];
    for handles in without {
        // SAFETY: what is not null is the program's, which outlives the call.
        let error = unsafe { syncpoint::vulkan::timeline(&handles, ()) }.unwrap_err();
        assert_eq!(error.kind(), Kind::Misuse(Reason::StaleHandle));
    }
}
