//! The bridge: random programs over the host, Vulkan and CUDA, held against the reference model of the laws.

#![cfg(target_os = "linux")]

mod machine;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use syncpoint::{Buffer, Device, Kind, Point, Result, Stream};
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
        let trial = Trial { seeds: 100, programs: 100, repeats: 1, runs_on: true, races: true };
        hold(trial, |_seed| devices());
    }
}

/// Those, and a simulated device whose time is not the others'.
fn devices_and_sim() -> Result<Vec<Device>> {
    let mut devices = devices()?;
    devices.push(syncpoint::open("sim:0")?);
    Ok(devices)
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
    let (devices, long) = (devices_and_sim()?, Duration::from_secs(20));
    for round in 0..200 {
        let (gate, journal) = (syncpoint::Gate::new(), Arc::new(Mutex::new(Vec::new())));
        let last = chain(&devices, &gate.point(), &journal)?;
        if round % 2 == 0 {
            gate.open()?;
            last.synchronize_timeout(long)?;
            assert_eq!(
                journal.lock().map(|turns| turns.clone()).unwrap_or_default(),
                [0, 1, 2, 3, 4, 5]
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

/// Has a stream wait for a point and then carry bytes from one buffer to another, of whatever devices, by host work.
fn carry(stream: &Stream, after: &Point, from: &Buffer, to: &Buffer) -> Result<Point> {
    let (from, to) = (from.clone(), to.clone());
    stream.wait(after)?;
    stream.enqueue(move || to.write(0, &from.to_vec(0..LENGTH)?))?;
    stream.record()
}

fn note<T>(journal: &Mutex<Vec<T>>, entry: T) {
    journal.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
}

/// Odd, so that the bytes at the end go another way than whole words.
const LENGTH: u64 = 4097;

/// Nothing between the rounds but waits of streams: the next fills while nobody on the host knows what has ended.
#[test]
#[expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
fn bytes_go_from_device_to_device_in_the_order_of_their_streams() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let devices = devices()?;
    let streams = devices.iter().map(Device::stream).collect::<Result<Vec<_>>>()?;
    let [host, vulkan, cuda, _, last] = &streams[..] else { unreachable!("five devices") };
    let buffer = |stream: &Stream| stream.device().buffer(LENGTH);
    let (filled, carried, copied) = (buffer(vulkan)?, buffer(cuda)?, buffer(cuda)?);
    let (brought, ended, read) = (buffer(last)?, buffer(last)?, Arc::new(Mutex::new(Vec::new())));
    let mut end = host.record()?;
    for round in 0..200_u8 {
        vulkan.wait(&end)?;
        vulkan.fill(&filled, 0..LENGTH, round)?;
        let at_cuda = carry(host, &vulkan.record()?, &filled, &carried)?;
        cuda.wait(&at_cuda)?;
        cuda.copy(&carried, 0..LENGTH, &copied, 0..LENGTH)?;
        carry(last, &cuda.record()?, &copied, &brought)?;
        last.copy(&brought, 0..LENGTH, &ended, 0..LENGTH)?;
        let (ended, read) = (ended.clone(), Arc::clone(&read));
        last.enqueue(move || ended.to_vec(0..LENGTH).map(|bytes| note(&read, bytes)))?;
        end = last.record()?;
    }
    end.synchronize_timeout(Duration::from_secs(20))?;
    let read = read.lock().map(|read| read.clone()).unwrap_or_default();
    assert_eq!(read.len(), 200, "each round once");
    for (round, bytes) in (0_u8..).zip(&read) {
        assert!(bytes.iter().all(|byte| *byte == round), "round {round}: {bytes:?}");
    }
    Ok(())
}
