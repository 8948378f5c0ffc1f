//! Buffers of the host: bytes behind a lock.

use std::any::Any;
use std::sync::Arc;

use syncpoint_core::contract::{Copy, Fill, RawBuffer};
use syncpoint_core::{Error, Kind, Result, Span};

use crate::sync::{PoisonError, RwLock};

/// Bytes that operations lock shared to read and exclusive to write: a program that forgets to order its accesses gets
/// a wrong result, never undefined behaviour.
#[derive(Debug)]
pub(crate) struct HostBuffer {
    bytes: RwLock<Box<[u8]>>,
}

impl HostBuffer {
    pub(crate) fn new(bytes: u64) -> Result<Self> {
        let mut zeros = Vec::new();
        let length = usize::try_from(bytes).map_err(|_| no_room(bytes))?;
        zeros.try_reserve_exact(length).map_err(|_| no_room(bytes))?;
        zeros.resize(length, 0);
        Ok(Self { bytes: RwLock::new(zeros.into_boxed_slice()) })
    }

    fn read_at<T>(&self, offset: u64, length: usize, read: impl FnOnce(&[u8]) -> T) -> T {
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        let begin = index(offset);
        read(&bytes[begin..begin + length])
    }

    fn write_at(&self, offset: u64, length: usize, write: impl FnOnce(&mut [u8])) {
        let mut bytes = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        let begin = index(offset);
        write(&mut bytes[begin..begin + length]);
    }
}

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

impl RawBuffer for HostBuffer {
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.read_at(offset, bytes.len(), |source| bytes.copy_from_slice(source));
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.write_at(offset, bytes.len(), |target| target.copy_from_slice(bytes));
        Ok(())
    }
}

/// Does a fill.
pub(crate) fn fill(fill: &Fill) -> Result<()> {
    let target = memory(&fill.target)?;
    target.write_at(fill.target.offset(), index(fill.target.len()), |bytes| bytes.fill(fill.value));
    Ok(())
}

/// Does a copy: inside one buffer under its one lock, between two with the lock of the smaller id taken first.
pub(crate) fn copy(copy: &Copy) -> Result<()> {
    let (source, target) = (&copy.source, &copy.target);
    if source.buffer() == target.buffer() {
        return within(source, target);
    }
    let (from, to) = (memory(source)?, memory(target)?);
    let length = index(source.len());
    if source.buffer().id() < target.buffer().id() {
        from.read_at(source.offset(), length, |bytes| {
            to.write_at(target.offset(), length, |room| room.copy_from_slice(bytes));
        });
    } else {
        to.write_at(target.offset(), length, |room| {
            from.read_at(source.offset(), length, |bytes| room.copy_from_slice(bytes));
        });
    }
    Ok(())
}

fn within(source: &Span, target: &Span) -> Result<()> {
    let buffer = memory(source)?;
    let mut bytes = buffer.bytes.write().unwrap_or_else(PoisonError::into_inner);
    let begin = index(source.offset());
    bytes.copy_within(begin..begin + index(source.len()), index(target.offset()));
    Ok(())
}

fn memory(span: &Span) -> Result<Arc<HostBuffer>> {
    let raw: Arc<dyn RawBuffer> = Arc::clone(span.raw());
    let raw: Arc<dyn Any + Send + Sync> = raw;
    raw.downcast().map_err(|_| {
        let message = format!(
            "{} is not memory of the host; use a buffer of the stream's device",
            span.buffer()
        );
        Error::misuse(syncpoint_core::Reason::WrongDevice, message)
    })
}
