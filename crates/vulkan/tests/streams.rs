//! What streams of a device do, seen through the public door: bytes, times, delays, waits across, and leaps of values.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod machine;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use syncpoint::{Gate, Result};
#[cfg(target_os = "linux")]
use syncpoint_conformance::patience;

/// Every edge of a fill: the device fills whole words, and the bytes around them go another way.
#[test]
fn a_fill_touches_its_bytes_and_no_others() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(24)?);
    for start in 0..12 {
        for end in start..24 {
            stream.fill(&buffer, 0..24, 0)?;
            stream.fill(&buffer, start..end, 0xa5)?;
            stream.synchronize()?;
            let bytes = buffer.to_vec(0..24)?;
            let is_inside = |(index, byte): (u64, &u8)| {
                *byte == if (start..end).contains(&index) { 0xa5 } else { 0 }
            };
            assert!((0..).zip(&bytes).all(is_inside), "{start}..{end}: {bytes:?}");
        }
    }
    Ok(())
}

#[test]
fn a_copy_of_odd_bytes_goes_where_it_should() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (stream, source, target) = (device.stream()?, device.buffer(64)?, device.buffer(64)?);
    let bytes: Vec<u8> = (0..64).collect();
    source.write(0, &bytes)?;
    stream.copy(&source, 3..20, &target, 11..28)?;
    stream.copy(&target, 11..28, &target, 40..57)?;
    stream.synchronize()?;
    assert_eq!(target.to_vec(40..57)?, bytes[3..20]);
    assert_eq!(target.to_vec(0..11)?, [0; 11]);
    Ok(())
}

#[test]
fn a_delay_takes_at_least_as_long_as_it_says() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let stream = syncpoint::vulkan::open(0)?.stream()?;
    let start = stream.record_timed()?;
    stream.delay(Duration::from_millis(5))?;
    let end = stream.record_timed()?;
    end.synchronize_timeout(Duration::from_secs(10))?;
    assert!(end.elapsed_since(&start)? >= Duration::from_millis(5));
    Ok(())
}

/// For longer than any test runs: what waited for its end would hang.
#[test]
fn a_delay_holds_its_own_stream_alone() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (slow, quick, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
    slow.delay(Duration::from_secs(24 * 60 * 60))?;
    let end = slow.record()?;
    quick.fill(&buffer, 0..8, 1)?;
    quick.synchronize_timeout(Duration::from_secs(10))?;
    assert!(!end.query()?, "the delay was left out");
    Ok(())
}

#[test]
fn a_chain_over_two_devices_and_the_host_keeps_its_order() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let devices = [syncpoint::vulkan::open(0)?, syncpoint::vulkan::open(0)?];
    let host = syncpoint::open("host:0")?;
    let gate = Gate::new();
    let streams = [devices[0].stream()?, host.stream()?, devices[1].stream()?, host.stream()?];
    let (count, mut last) = (Arc::new(AtomicU64::new(0)), gate.point());
    for turn in 0..400 {
        let stream = &streams[turn % streams.len()];
        stream.wait(&last)?;
        let count = Arc::clone(&count);
        let expected = turn as u64;
        stream.enqueue(move || {
            let before = count.fetch_add(1, Ordering::AcqRel);
            assert_eq!(before, expected, "out of turn");
        })?;
        last = stream.record()?;
    }
    gate.open()?;
    last.synchronize_timeout(Duration::from_secs(30))?;
    assert_eq!(count.load(Ordering::Acquire), 400);
    Ok(())
}

/// Values that pass on the host are not signalled, so the next signal leaps, and the host signals in between. Here for the
/// layer of Khronos; `asked` looks at the values.
#[test]
fn a_value_too_far_ahead_is_come_to_in_steps_that_the_device_allows() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open_with_difference(0, 4)?;
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    for round in 1..=5 {
        for _ in 0..round * 7 {
            stream.enqueue(|| {})?;
        }
        stream.fill(&buffer, 0..8, round)?;
    }
    stream.synchronize_timeout(Duration::from_secs(10))?;
    assert_eq!(buffer.to_vec(0..8)?, [5; 8]);
    Ok(())
}

/// More streams than any device has queues, all on one.
#[test]
fn a_thousand_streams_share_a_queue() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let buffer = device.buffer(4000)?;
    let gate = Gate::new();
    let streams = (0..1000).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    for (index, stream) in (0..).zip(&streams) {
        stream.wait(&gate.point())?;
        stream.fill(&buffer, index * 4..index * 4 + 4, 7)?;
    }
    gate.open()?;
    let ends = streams.iter().map(|stream| stream.record()).collect::<Result<Vec<_>>>()?;
    drop(streams);
    syncpoint::wait_all_timeout(&ends, Duration::from_secs(60))?;
    assert_eq!(buffer.to_vec(0..4000)?, [7; 4000]);
    Ok(())
}

/// How much memory the process has, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let statistics = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statistics.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("the kernel tells") * 4096
}

#[cfg(target_os = "linux")]
#[test]
fn memory_of_work_that_nobody_waits_for_is_let_go() -> Result<()> {
    const LEN: u64 = 4 << 20;
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let stream = device.stream()?;
    let before = resident();
    for _ in 0..300 {
        let buffer = device.buffer(LEN)?;
        stream.fill(&buffer, 0..LEN, 1)?;
    }
    // The stream lives, and nobody asks for its end. The last hundred may stay.
    patience::until("the memory of early work", || resident() < before + 150 * LEN);
    Ok(())
}
