//! Buffers: memory of a device that streams fill and copy.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use syncpoint_base::Process;
use syncpoint_trace::Operation;

use crate::contract::RawBuffer;
use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::{id, observe};

/// Memory of a device, or of the host where a device reaches it. A clone is the same memory, which lives until the last
/// clone is dropped and every operation on it is complete. `Send + Sync`.
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
pub struct Buffer {
    memory: Arc<Memory>,
    device: Device,
}

/// What operations keep: they keep no device, which would keep them.
struct Memory {
    raw: Arc<dyn RawBuffer>,
    device: String,
    id: u64,
    bytes: u64,
    /// The process that made it.
    process: Process,
}

impl Buffer {
    pub(crate) fn new(raw: Arc<dyn RawBuffer>, device: Device, bytes: u64) -> Self {
        let (id, name) = (id::next(), device.to_string());
        observe::tell(|| Operation::BufferCreated { buffer: id, device: name.clone(), bytes });
        let process = Process::current();
        let memory = Arc::new(Memory { raw, device: name, id, bytes, process });
        Self { memory, device }
    }

    /// The id: never reused in this process.
    pub fn id(&self) -> u64 {
        self.memory.id
    }

    /// The length in bytes.
    pub fn len(&self) -> u64 {
        self.memory.bytes
    }

    /// Whether the length is zero.
    pub fn is_empty(&self) -> bool {
        self.memory.bytes == 0
    }

    /// The device whose memory it is.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Copies part of the buffer to the host, as it is now: synchronize the work that writes it first. May block for
    /// the device, never for a stream.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`; `Exhausted` where the host has no room; the driver's.
    pub fn to_vec(&self, range: Range<u64>) -> Result<Vec<u8>> {
        self.device.check_process()?;
        let span = self.span(range)?;
        let mut bytes = Vec::new();
        let length = usize::try_from(span.len()).map_err(|_| no_room(&span))?;
        bytes.try_reserve_exact(length).map_err(|_| no_room(&span))?;
        bytes.resize(length, 0);
        self.memory.raw.read(span.offset(), &mut bytes)?;
        Ok(bytes)
    }

    /// Writes bytes of the host into the buffer, now: synchronize the work that uses it first. May block for the
    /// device, never for a stream.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`; the driver's.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.device.check_process()?;
        let end = u64::try_from(bytes.len()).ok().and_then(|length| offset.checked_add(length));
        self.span(offset..end.unwrap_or(u64::MAX))?;
        self.memory.raw.write(offset, bytes)
    }

    /// A part of the buffer, checked.
    pub(crate) fn span(&self, range: Range<u64>) -> Result<Span> {
        if range.start <= range.end && range.end <= self.memory.bytes {
            return Ok(Span { memory: Arc::clone(&self.memory), range });
        }
        let message = format!(
            "bytes {}..{} lie outside {self} of {} bytes; choose a range inside",
            range.start, range.end, self.memory.bytes
        );
        Err(Error::misuse(Reason::OutOfRange, message))
    }
}

fn no_room(span: &Span) -> Error {
    let message =
        format!("the host has no room for {} bytes of {span}; read it in parts", span.len());
    Error::new(crate::Kind::Exhausted, message)
}

impl Drop for Memory {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        observe::tell_of_drop(Operation::BufferDeleted { buffer: self.id });
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.memory.id == other.memory.id
    }
}

impl Eq for Buffer {}

impl fmt::Display for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.memory, formatter)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Buffer({self}, {} bytes)", self.memory.bytes)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "buffer {} of {}", self.id, self.device)
    }
}

/// A part of a buffer that was checked to lie inside it. Keeps the memory alive.
#[doc(hidden)]
#[derive(Clone)]
pub struct Span {
    memory: Arc<Memory>,
    range: Range<u64>,
}

impl Span {
    /// The memory as its backend keeps it, for that backend: a stream is given spans of its own device alone.
    ///
    /// # Panics
    /// When it is another backend's.
    pub fn memory<B: RawBuffer>(&self) -> &B {
        let raw: &dyn Any = self.memory.raw.as_ref();
        raw.downcast_ref()
            .unwrap_or_else(|| unreachable!("a stream is given memory of its own device alone"))
    }

    #[cfg(all(test, not(syncpoint_loom)))]
    pub(crate) fn raw(&self) -> &Arc<dyn RawBuffer> {
        &self.memory.raw
    }

    /// The id of the buffer.
    pub fn buffer_id(&self) -> u64 {
        self.memory.id
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
        self.buffer_id() == other.buffer_id() && !shared.is_empty()
    }
}

/// The name of the buffer.
impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.memory, formatter)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Span({self}, {:?})", self.range)
    }
}
