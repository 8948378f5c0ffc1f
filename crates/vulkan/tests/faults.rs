//! Faults: each function of the driver that can fail does once, and devices are lost in every call that tells so.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod faulty;
mod machine;

use std::sync::mpsc::channel;
use std::time::Duration;

use ash::vk;
use syncpoint::{Buffer, Device, Error, Gate, Kind, Result, Stream};

use faulty::Fault;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// So many bytes that a fill of them is not over when it is first asked for.
const LARGE: u64 = 32 << 20;

/// Everything that calls a driver: two streams, one of them waiting for the other, work of each kind, times.
fn work(device: &Device) -> Result<()> {
    let (first, second) = (device.stream()?, device.stream()?);
    let (source, target) = (device.buffer(64)?, device.buffer(64)?);
    let start = first.record_timed()?;
    first.fill(&source, 1..63, 7)?;
    second.wait(&first.record()?)?;
    second.copy(&source, 0..64, &target, 0..64)?;
    let end = second.record_timed()?;
    // Values that pass on the host, more than the device allows to leap over.
    for _ in 0..8 {
        second.enqueue(|| {})?;
    }
    second.fill(&target, 0..1, 9)?;
    let last = second.record()?;
    last.query()?;
    last.synchronize_timeout(LONG)?;
    end.elapsed_since(&start)?;
    assert_eq!(target.to_vec(0..3)?, [9, 7, 7]);
    Ok(())
}

fn open_and_work() -> Result<()> {
    work(&syncpoint::vulkan::open_with_difference(0, 3)?)
}

/// Whatever fails is told with its name, or harms nothing, and the next device is as good as new.
#[track_caller]
fn assert_told(fault: Fault) -> u64 {
    faulty::plan(Some(fault));
    let outcome = open_and_work();
    let met = faulty::met();
    faulty::plan(None);
    if let Err(error) = outcome {
        assert!(error.to_string().contains(fault.function), "{fault:?}: {error}");
        assert_eq!(error.kind(), Kind::Exhausted, "{fault:?}: {error}");
    }
    open_and_work().expect("a new device works");
    met
}

#[test]
fn what_fails_once_is_told_by_its_name_and_harms_nothing_later() {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return;
    }
    let code = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
    let mut met = Vec::new();
    for function in faulty::FUNCTIONS {
        for first in 1..=4 {
            let fault = Fault { function, first, times: 1, code };
            if assert_told(fault) > 0 {
                met.push(*function);
            }
        }
    }
    // The driver begins once in a process.
    for function in faulty::FUNCTIONS.iter().skip(2) {
        assert!(met.contains(function), "{function} was never called");
    }
}

#[test]
fn a_lost_device_fails_what_is_pending_and_wakes_every_waiter() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    for function in ["vkQueueSubmit", "vkWaitSemaphores", "vkGetSemaphoreCounterValue"] {
        for first in 1..=3 {
            lose(Fault { function, first, times: u64::MAX, code: vk::Result::ERROR_DEVICE_LOST })?;
        }
    }
    Ok(())
}

/// Loses a device while a stream of it is held by the host, another waits for that one, and one of the host does.
fn lose(fault: Fault) -> Result<()> {
    let (device, host) = (syncpoint::vulkan::open(0)?, syncpoint::open("host:0")?);
    let (busy, behind, held) = (device.stream()?, device.stream()?, device.stream()?);
    let (buffer, gate, beside) = (device.buffer(64)?, Gate::new(), host.stream()?);
    held.wait(&gate.point())?;
    held.fill(&buffer, 0..64, 1)?;
    let waiting = held.record()?;
    behind.wait(&waiting)?;
    beside.wait(&waiting)?;
    let points = [waiting, behind.record()?, beside.record()?];
    faulty::plan(Some(fault));
    let refused = work_until_refused(&busy, &buffer);
    assert_eq!(refused.kind(), Kind::DeviceLost, "{fault:?}: {refused}");
    for point in &points {
        let error = point.synchronize_timeout(LONG).expect_err("a lost device completes nothing");
        assert_eq!(error.kind(), Kind::DeviceLost, "{fault:?}: {error}");
    }
    faulty::plan(None);
    assert_eq!(busy.fill(&buffer, 0..64, 3).expect_err("it is lost").kind(), Kind::DeviceLost);
    assert_eq!(busy.recover().expect_err("it is lost").kind(), Kind::DeviceLost);
    gate.open()?;
    open_and_work()
}

/// Works on a stream, asking and waiting, until the device is noticed to be lost.
fn work_until_refused(stream: &Stream, buffer: &Buffer) -> Error {
    loop {
        let worked = stream.fill(buffer, 0..64, 2).and_then(|()| stream.record());
        let asked = worked.and_then(|point| point.query().map(|_| point));
        if let Err(error) = asked.and_then(|point| point.synchronize_timeout(LONG)) {
            return error;
        }
    }
}

/// Nobody asks again after those who only listen: each end is told, whichever look at another is refused.
#[test]
fn a_look_that_is_refused_once_forgets_no_end_that_was_seen() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (function, code) = ("vkGetSemaphoreCounterValue", vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    for first in 1..=4 {
        let device = syncpoint::vulkan::open(0)?;
        let (streams, buffer) = ([device.stream()?, device.stream()?], device.buffer(LARGE)?);
        let ((sender, told), mut listening) = (channel(), Vec::new());
        faulty::plan(Some(Fault { function, first, times: 1, code }));
        for stream in &streams {
            stream.fill(&buffer, 0..LARGE, 1)?;
            let sender = sender.clone();
            let end = stream.record()?;
            listening.push(end.notify(move |outcome| sender.send(outcome).unwrap_or(()))?);
        }
        for _ in &streams {
            told.recv_timeout(LONG).expect("each end is told")?;
        }
        faulty::plan(None);
    }
    Ok(())
}

/// A driver that forgets who sleeps in it is asked again after each slice.
#[test]
fn a_driver_that_wakes_nobody_costs_a_slice_and_no_more() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let function = "vkWaitSemaphores";
    let fault = Fault { function, first: 1, times: u64::MAX, code: vk::Result::TIMEOUT };
    faulty::plan(Some(fault));
    let outcome = open_and_work();
    faulty::plan(None);
    outcome
}
