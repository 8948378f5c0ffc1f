//! Fills and copies at any offsets and of any length: blits where Metal allows them, kernels elsewhere, and the right bytes.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod double;

use std::time::Duration;

use syncpoint::Result;

use double::{Call, Double};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// Bytes of a buffer: more than a group of threads has, at each end.
const SIZE: u64 = 80;

/// Begins and lengths: beside multiples of four and of a group, and nothing.
const BEGINS: [u64; 6] = [0, 1, 3, 4, 8, 33];
const LENGTHS: [u64; 8] = [0, 1, 3, 4, 31, 32, 33, 36];

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// In the double a blit that Metal would not take fails the test.
#[test]
fn fills_write_the_bytes_asked_for_and_no_others() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, buffer) = (device.stream()?, device.buffer(SIZE)?);
    let mut expected = vec![0; at(SIZE)];
    let parts = BEGINS.iter().flat_map(|begin| LENGTHS.map(|length| *begin..begin + length));
    for (byte, part) in (1..).zip(parts) {
        stream.fill(&buffer, part.clone(), byte)?;
        expected[at(part.start)..at(part.end)].fill(byte);
        stream.record()?.synchronize_timeout(LONG)?;
        assert_eq!(buffer.to_vec(0..SIZE)?, expected, "{part:?}");
    }
    // Three begins are multiples of four, and so are three lengths that are more than none.
    assert_eq!((double.calls_of(Call::Fill), double.calls_of(Call::FillBytes)), (9, 33));
    Ok(())
}

#[test]
fn copies_write_the_bytes_asked_for_and_no_others() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, source, target) = (device.stream()?, device.buffer(SIZE)?, device.buffer(SIZE)?);
    let bytes: Vec<u8> = (1..=80).collect();
    source.write(0, &bytes)?;
    let pairs = BEGINS.iter().flat_map(|from| BEGINS.map(|to| (*from, to)));
    for (from, to, length) in pairs.flat_map(|(from, to)| LENGTHS.map(|length| (from, to, length)))
    {
        target.write(0, &[0; 80])?;
        let mut expected = vec![0; at(SIZE)];
        expected[at(to)..at(to + length)].copy_from_slice(&bytes[at(from)..at(from + length)]);
        stream.copy(&source, from..from + length, &target, to..to + length)?;
        stream.record()?.synchronize_timeout(LONG)?;
        assert_eq!(target.to_vec(0..SIZE)?, expected, "{length} bytes from {from} to {to}");
    }
    assert_eq!((double.calls_of(Call::Copy), double.calls_of(Call::CopyBytes)), (27, 225));
    Ok(())
}

#[test]
fn a_device_compiles_each_kernel_once() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, buffer, other) = (device.stream()?, device.buffer(8)?, device.buffer(8)?);
    for _ in 0..3 {
        stream.fill(&buffer, 1..3, 7)?;
        stream.copy(&buffer, 1..3, &other, 4..6)?;
    }
    stream.record()?.synchronize_timeout(LONG)?;
    assert_eq!((double.calls_of(Call::Pipeline), other.to_vec(4..6)?), (2, vec![7, 7]));
    Ok(())
}
