//! Buffers: memory of a device that streams fill and copy.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use syncpoint_trace::Operation;

use crate::contract::RawBuffer;
use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::{id, observe};

/// Memory of a device. Cloning copies the name, not the bytes; the memory lives until the last name is gone and every
/// operation on it is complete.
///
/// # Examples
/// Fill, copy, read back:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// let device = syncpoint::open("host:0")?;
/// let stream = device.stream()?;
/// let (a, b) = (device.buffer(16)?, device.buffer(16)?);
/// stream.fill(&a, 0..16, 7)?;
/// stream.copy(&a, 0..8, &b, 8..16)?;
/// stream.synchronize()?;
/// assert_eq!(b.to_vec(0..16)?, [[0; 8], [7; 8]].concat());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Buffer(Arc<Memory>);

struct Memory {
    raw: Arc<dyn RawBuffer>,
    device: Device,
    id: u64,
    bytes: u64,
}

impl Buffer {
    pub(crate) fn new(raw: Arc<dyn RawBuffer>, device: Device, bytes: u64) -> Self {
        let id = id::next();
        observe::tell(|| Operation::BufferCreated {
            buffer: id,
            device: device.to_string(),
            bytes,
        });
        Self(Arc::new(Memory { raw, device, id, bytes }))
    }

    /// The id: never reused in this process.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The length in bytes.
    pub fn len(&self) -> u64 {
        self.0.bytes
    }

    /// Whether the length is zero.
    pub fn is_empty(&self) -> bool {
        self.0.bytes == 0
    }

    /// The device whose memory it is.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// Copies part of the buffer to the host, as it is now: synchronize the work that writes it first. May block for
    /// the device, never for a stream.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`; `Exhausted` where the host has no room; the driver's.
    pub fn to_vec(&self, range: Range<u64>) -> Result<Vec<u8>> {
        self.0.device.check_process()?;
        let span = self.span(range)?;
        let mut bytes = Vec::new();
        let length = usize::try_from(span.len()).map_err(|_| no_room(&span))?;
        bytes.try_reserve_exact(length).map_err(|_| no_room(&span))?;
        bytes.resize(length, 0);
        self.0.raw.read(span.offset(), &mut bytes)?;
        Ok(bytes)
    }

    /// Writes bytes of the host into the buffer, now: synchronize the work that uses it first. May block for the
    /// device, never for a stream.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`; the driver's.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.0.device.check_process()?;
        let end = u64::try_from(bytes.len()).ok().and_then(|length| offset.checked_add(length));
        self.span(offset..end.unwrap_or(u64::MAX))?;
        self.0.raw.write(offset, bytes)
    }

    /// A part of the buffer, checked.
    pub(crate) fn span(&self, range: Range<u64>) -> Result<Span> {
        if range.start <= range.end && range.end <= self.0.bytes {
            return Ok(Span { buffer: self.clone(), range });
        }
        let message = format!(
            "bytes {}..{} lie outside {self} of {} bytes; choose a range inside",
            range.start, range.end, self.0.bytes
        );
        Err(Error::misuse(Reason::OutOfRange, message))
    }
}

fn no_room(span: &Span) -> Error {
    let message = format!(
        "the host has no room for {} bytes of {}; read it in parts",
        span.len(),
        span.buffer
    );
    Error::new(crate::Kind::Exhausted, message)
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.device.check_process().is_err() {
            return;
        }
        observe::tell_of_drop(Operation::BufferDeleted { buffer: self.id });
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Buffer {}

impl fmt::Display for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "buffer {} of {}", self.0.id, self.0.device)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Buffer({self}, {} bytes)", self.0.bytes)
    }
}

/// A part of a buffer that was checked to lie inside it. Keeps the buffer alive.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Span {
    buffer: Buffer,
    range: Range<u64>,
}

impl Span {
    /// The memory.
    pub fn raw(&self) -> &Arc<dyn RawBuffer> {
        &self.buffer.0.raw
    }

    /// The buffer.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Where the part begins.
    pub fn offset(&self) -> u64 {
        self.range.start
    }

    /// How long it is.
    pub fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Whether it is of no length.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let shared = self.range.start.max(other.range.start)..self.range.end.min(other.range.end);
        self.buffer == other.buffer && !shared.is_empty()
    }
}
