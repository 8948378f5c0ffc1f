//! Operations of streams on words of memory: to write a value, and to wait for one.

use std::ffi::c_uint;
use std::sync::Arc;

use crate::code::{Code, Result};
use crate::driver::driver;
use crate::lane::Op;
use crate::memory::Region;
use crate::table::Handle;

use super::call::exports;
use super::pointer::In;
use super::stream::Target;

exports! { FUNCTIONS:
    since 11070 "cuStreamWriteValue32" own cuStreamWriteValue32_v2_ptsz
    fn cuStreamWriteValue32_v2(stream: Handle, address: u64, value: u32, flags: c_uint) {
        let write = write(Word::narrow(address, value)?, flags)?;
        Target::of(stream)?.put(&write)
    }

    since 11070 "cuStreamWriteValue64" own cuStreamWriteValue64_v2_ptsz
    fn cuStreamWriteValue64_v2(stream: Handle, address: u64, value: u64, flags: c_uint) {
        let write = write(Word::wide(address, value)?, flags)?;
        Target::of(stream)?.put(&write)
    }

    since 11070 "cuStreamWaitValue32" own cuStreamWaitValue32_v2_ptsz
    fn cuStreamWaitValue32_v2(stream: Handle, address: u64, value: u32, flags: c_uint) {
        let wait = wait(Word::narrow(address, value)?, flags)?;
        Target::of(stream)?.put(&wait)
    }

    since 11070 "cuStreamWaitValue64" own cuStreamWaitValue64_v2_ptsz
    fn cuStreamWaitValue64_v2(stream: Handle, address: u64, value: u64, flags: c_uint) {
        let wait = wait(Word::wide(address, value)?, flags)?;
        Target::of(stream)?.put(&wait)
    }

    since 11070 "cuStreamBatchMemOp" own cuStreamBatchMemOp_v2_ptsz
    fn cuStreamBatchMemOp_v2(stream: Handle, count: c_uint, rows: In<Row>, flags: c_uint) {
        let target = Target::of(stream)?;
        if flags != 0 || count > LONGEST_BATCH {
            return Err(Code::INVALID_VALUE);
        }
        let rows = (0..count as usize).map(|index| rows.at(index)?.operation());
        let operations = rows.collect::<Result<Vec<Option<Op>>>>()?;
        operations.iter().flatten().try_for_each(|operation| target.put(operation))
    }
}

/// The manual's own limit.
const LONGEST_BATCH: c_uint = 256;

/// One operation of a batch, as the driver lays it out.
#[repr(C)]
#[derive(Clone, Copy)]
struct Row {
    operation: c_uint,
    /// The flags of an operation without address.
    _flags: c_uint,
    address: u64,
    value: u64,
    flags: c_uint,
    _rest: [u64; 2],
}

impl Row {
    /// What it does; a barrier does nothing where everything is in order.
    fn operation(self) -> Result<Option<Op>> {
        let narrow =
            || Word::narrow(self.address, u32::try_from(self.value & 0xffff_ffff).unwrap_or(0));
        let wide = || Word::wide(self.address, self.value);
        match self.operation {
            1 => wait(narrow()?, self.flags).map(Some),
            2 => write(narrow()?, self.flags).map(Some),
            4 => wait(wide()?, self.flags).map(Some),
            5 => write(wide()?, self.flags).map(Some),
            6 => Ok(None),
            3 => Err(Code::NOT_SUPPORTED),
            _ => Err(Code::INVALID_VALUE),
        }
    }
}

/// A word of memory, and a value for it or to compare it with.
struct Word {
    region: Region,
    value: u64,
    bits: u32,
}

impl Word {
    fn narrow(address: u64, value: u32) -> Result<Self> {
        Self::new(address, u64::from(value), 32)
    }

    fn wide(address: u64, value: u64) -> Result<Self> {
        Self::new(address, value, 64)
    }

    fn new(address: u64, value: u64, bits: u32) -> Result<Self> {
        let bytes = bits / 8;
        if !address.is_multiple_of(u64::from(bytes)) {
            return Err(Code::INVALID_VALUE);
        }
        let region = driver()?.memory.region(address, bytes as usize)?;
        Ok(Self { region: region.ok_or(Code::INVALID_VALUE)?, value, bits })
    }

    /// Whether the difference, taken around the end of the numbers, is not negative.
    fn is_at_least(&self) -> bool {
        let sign = 1 << (self.bits - 1);
        self.region.load().wrapping_sub(self.value) & sign == 0
    }

    /// Whether some bit is neither in the word nor in the value.
    fn has_a_bit_in_neither(&self) -> bool {
        let all = u64::MAX >> (64 - self.bits);
        !(self.region.load() | self.value) & all != 0
    }
}

fn write(word: Word, flags: c_uint) -> Result<Op> {
    const NO_BARRIER: c_uint = 1;
    if flags & !NO_BARRIER != 0 {
        return Err(Code::INVALID_VALUE);
    }
    Ok(Op::work(move || word.region.store(word.value)))
}

fn wait(word: Word, flags: c_uint) -> Result<Op> {
    const FLUSH: c_uint = 1 << 30;
    if flags & FLUSH != 0 {
        return Err(Code::NOT_SUPPORTED);
    }
    Ok(Op::Until(match flags {
        0 => Arc::new(move || word.is_at_least()),
        1 => Arc::new(move || word.region.load() == word.value),
        2 => Arc::new(move || word.region.load() & word.value != 0),
        3 => Arc::new(move || word.has_a_bit_in_neither()),
        _ => return Err(Code::INVALID_VALUE),
    }))
}
