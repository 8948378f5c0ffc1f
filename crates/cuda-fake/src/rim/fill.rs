//! Fills of device memory, in the order of a stream.

use crate::code::{Code, Result};
use crate::driver::driver;
use crate::lane::Op;
use crate::table::Handle;

use super::call::exports;
use super::stream::Target;

exports! { FUNCTIONS:
    since 3020 "cuMemsetD8" own cuMemsetD8_v2_ptds fn cuMemsetD8_v2(
        target: u64,
        value: u8,
        count: usize,
    ) {
        fill(target, &value.to_ne_bytes(), count, DEFAULT)
    }

    since 3020 "cuMemsetD16" own cuMemsetD16_v2_ptds fn cuMemsetD16_v2(
        target: u64,
        value: u16,
        count: usize,
    ) {
        fill(target, &value.to_ne_bytes(), count, DEFAULT)
    }

    since 3020 "cuMemsetD32" own cuMemsetD32_v2_ptds fn cuMemsetD32_v2(
        target: u64,
        value: u32,
        count: usize,
    ) {
        fill(target, &value.to_ne_bytes(), count, DEFAULT)
    }

    since 3020 "cuMemsetD8Async" own cuMemsetD8Async_ptsz fn cuMemsetD8Async(
        target: u64,
        value: u8,
        count: usize,
        stream: Handle,
    ) {
        fill(target, &value.to_ne_bytes(), count, stream)
    }

    since 3020 "cuMemsetD16Async" own cuMemsetD16Async_ptsz fn cuMemsetD16Async(
        target: u64,
        value: u16,
        count: usize,
        stream: Handle,
    ) {
        fill(target, &value.to_ne_bytes(), count, stream)
    }

    since 3020 "cuMemsetD32Async" own cuMemsetD32Async_ptsz fn cuMemsetD32Async(
        target: u64,
        value: u32,
        count: usize,
        stream: Handle,
    ) {
        fill(target, &value.to_ne_bytes(), count, stream)
    }
}

const DEFAULT: Handle = 0;

/// Writes a value so many times. The host does not wait, on whichever stream.
fn fill(address: u64, value: &[u8], count: usize, stream: Handle) -> Result {
    let target = Target::of(stream)?;
    let bytes = count.checked_mul(value.len()).ok_or(Code::INVALID_VALUE)?;
    if bytes == 0 {
        return Ok(());
    }
    if !address.is_multiple_of(value.len() as u64) {
        return Err(Code::INVALID_VALUE);
    }
    let region = driver()?.memory.region(address, bytes)?.ok_or(Code::INVALID_VALUE)?;
    let value = value.to_vec();
    target.put(&Op::work(move || region.fill(&value)))
}
