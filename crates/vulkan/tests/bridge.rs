//! The bridge: random programs over the host, Vulkan and CUDA, held against the reference model of the laws.

#![cfg(target_os = "linux")]

mod machine;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use syncpoint::{Device, Kind, Point, Result};
use syncpoint_conformance::model::{Trial, hold};

/// The host, Vulkan, CUDA, the host, Vulkan: a program's streams are on any of them.
fn devices() -> Result<Vec<Device>> {
    syncpoint::cuda::use_library(&syncpoint_cuda_fake::library())?;
    let (host, vulkan) = (syncpoint::open("host:0")?, syncpoint::vulkan::open);
    Ok(vec![host.clone(), vulkan(0)?, syncpoint::cuda::open(0)?, host, vulkan(0)?])
}

#[test]
fn ten_thousand_random_programs_across_backends_end_as_the_reference_says() {
    if machine::is_there() {
        let trial = Trial { seeds: 100, programs: 100, repeats: 1, runs_on: true };
        hold(trial, |_seed| devices());
    }
}

/// One stream on each device, every one waiting for the one before, and work on each; the point behind the last.
fn chain(devices: &[Device], first: &Point, journal: &Arc<Mutex<Vec<usize>>>) -> Result<Point> {
    let mut last = first.clone();
    for (turn, device) in devices.iter().enumerate() {
        let (stream, journal) = (device.stream()?, Arc::clone(journal));
        stream.wait(&last)?;
        stream.enqueue(move || {
            if let Ok(mut turns) = journal.lock() {
                turns.push(turn);
            }
        })?;
        last = stream.record()?;
    }
    Ok(last)
}

#[test]
#[expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
fn a_chain_over_all_backends_keeps_its_order_and_its_failure() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let (devices, long) = (devices()?, Duration::from_secs(20));
    for round in 0..200 {
        let (gate, journal) = (syncpoint::Gate::new(), Arc::new(Mutex::new(Vec::new())));
        let last = chain(&devices, &gate.point(), &journal)?;
        if round % 2 == 0 {
            gate.open()?;
            last.synchronize_timeout(long)?;
            assert_eq!(
                journal.lock().map(|turns| turns.clone()).unwrap_or_default(),
                [0, 1, 2, 3, 4]
            );
        } else {
            let cause = syncpoint::Error::new(Kind::Failed, "the first cause");
            gate.fail(cause.clone())?;
            let failure = last.synchronize_timeout(long).unwrap_err();
            assert!(failure.message().contains("the first cause"), "{failure}");
            assert!(
                journal.lock().is_ok_and(|turns| turns.is_empty()),
                "work ran behind a failure"
            );
        }
    }
    Ok(())
}
