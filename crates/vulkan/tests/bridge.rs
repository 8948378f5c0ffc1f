//! The bridge: random programs over the host, Vulkan and CUDA, held against the reference model of the laws.

#![cfg(target_os = "linux")]

mod machine;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use syncpoint::{Buffer, Device, Error, Gate, Point, Result, Stream};
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

/// One stream on each device, every one waiting for the one before, and work on each, of which one may fail; what ran, and
/// the point behind the last.
struct Chain {
    gate: Gate,
    ran: Arc<Mutex<Vec<usize>>>,
    last: Point,
    fails_at: usize,
}

impl Chain {
    /// It fails at this device; at none where there are fewer.
    fn held(devices: &[Device], fails_at: usize) -> Result<Self> {
        let (gate, ran) = (Gate::new(), Arc::default());
        let mut last = gate.point();
        for (turn, device) in devices.iter().enumerate() {
            let (stream, ran) = (device.stream()?, Arc::clone(&ran));
            stream.wait(&last)?;
            stream.enqueue(move || {
                if turn == fails_at {
                    return Err(Error::failed("the first cause"));
                }
                note(&ran, turn);
                Ok(())
            })?;
            last = stream.record()?;
        }
        Ok(Self { gate, ran, last, fails_at })
    }

    /// What is before the failure ran in order, and nothing else.
    fn is_kept(&self, devices: usize) {
        let outcome = self.last.synchronize_timeout(Duration::from_secs(20));
        let ran = self.ran.lock().map(|ran| ran.clone()).unwrap_or_default();
        assert_eq!(ran, (0..devices.min(self.fails_at)).collect::<Vec<_>>());
        match outcome {
            Ok(()) => assert!(self.fails_at >= devices, "the failure was lost"),
            Err(failure) => assert!(failure.message().contains("the first cause"), "{failure}"),
        }
    }
}

/// Some at a time, so that what one does goes on while others begin.
#[test]
fn ten_thousand_chains_over_all_backends_keep_their_order_and_their_failures() -> Result<()> {
    const CHAINS: usize = 10_000;
    const AT_A_TIME: usize = 20;
    if !machine::is_there() {
        return Ok(());
    }
    let devices = devices_and_sim()?;
    for begun in (0..CHAINS).step_by(AT_A_TIME) {
        // Each device fails as often as it does not, whichever chains are beside.
        let place = |chain: usize| (chain * 7 + begun / AT_A_TIME) % (2 * devices.len());
        let chains = (0..AT_A_TIME).map(|chain| Chain::held(&devices, place(chain)));
        let chains = chains.collect::<Result<Vec<_>>>()?;
        chains.iter().try_for_each(|chain| chain.gate.open())?;
        for chain in &chains {
            chain.is_kept(devices.len());
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
