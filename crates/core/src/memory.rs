//! Memory in this process, for devices that have none of their own: bytes behind a lock.

use crate::contract::{Copy, Fill, RawBuffer};
use crate::error::{Error, Kind, Result};
use crate::sync::process::{RwLock, read, write};

/// Bytes that operations lock shared to read and exclusive to write: a program that forgets to order its accesses gets
/// a wrong result, never undefined behaviour.
#[derive(Debug)]
pub struct Memory {
    bytes: RwLock<Box<[u8]>>,
}

impl Memory {
    /// So many bytes, all zero.
    ///
    /// # Errors
    /// `Exhausted` when there is no room.
    pub fn new(bytes: u64) -> Result<Self> {
        let mut zeros = Vec::new();
        let length = usize::try_from(bytes).map_err(|_| no_room(bytes))?;
        zeros.try_reserve_exact(length).map_err(|_| no_room(bytes))?;
        zeros.resize(length, 0);
        Ok(Self { bytes: RwLock::new(zeros.into_boxed_slice()) })
    }

    fn read_at<T>(&self, offset: u64, length: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let bytes = read(&self.bytes);
        let begin = index(offset);
        look(&bytes[begin..begin + length])
    }

    fn write_at(&self, offset: u64, length: usize, change: impl FnOnce(&mut [u8])) {
        let mut bytes = write(&self.bytes);
        let begin = index(offset);
        change(&mut bytes[begin..begin + length]);
    }
}

#[cold]
fn no_room(bytes: u64) -> Error {
    Error::new(
        Kind::Exhausted,
        format!("the host has no room for a buffer of {bytes} bytes; ask for less"),
    )
}

/// An offset or length that was checked to lie inside a buffer, and buffers fit in memory.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl RawBuffer for Memory {
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.read_at(offset, bytes.len(), |source| bytes.copy_from_slice(source));
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write_at(offset, bytes.len(), |target| target.copy_from_slice(bytes));
        Ok(())
    }
}

impl Fill {
    /// Does the fill here and now, in [`Memory`].
    ///
    /// # Panics
    /// When its target is other memory.
    pub fn run(&self) {
        let (offset, length) = (self.target.offset(), index(self.target.len()));
        let memory: &Memory = self.target.memory();
        memory.write_at(offset, length, |bytes| bytes.fill(self.value));
    }
}

impl Copy {
    /// Does the copy here and now, in [`Memory`]: inside one buffer under its one lock, between two with the lock of
    /// the smaller id taken first.
    ///
    /// # Panics
    /// When one of them is other memory.
    pub fn run(&self) {
        let (source, target) = (&self.source, &self.target);
        if source.buffer_id() == target.buffer_id() {
            return self.run_within();
        }
        let (from, to): (&Memory, &Memory) = (source.memory(), target.memory());
        let length = index(source.len());
        if source.buffer_id() < target.buffer_id() {
            from.read_at(source.offset(), length, |bytes| {
                to.write_at(target.offset(), length, |room| room.copy_from_slice(bytes));
            });
        } else {
            to.write_at(target.offset(), length, |room| {
                from.read_at(source.offset(), length, |bytes| room.copy_from_slice(bytes));
            });
        }
    }

    fn run_within(&self) {
        let memory: &Memory = self.source.memory();
        let begin = index(self.source.offset());
        let source = begin..begin + index(self.source.len());
        write(&memory.bytes).copy_within(source, index(self.target.offset()));
    }
}
