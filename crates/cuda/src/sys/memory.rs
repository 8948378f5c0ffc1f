//! Memory of a device, and what streams do with it.

use std::ffi::c_void;

use super::code::Refusal;
use super::context::Primary;
use super::event::Event;
use super::room::Room;
use super::stream::Stream;
use super::types::Address;

/// How memory was come by, and so how it is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In the order of a stream: a free waits for nothing else.
    InOrder,
    /// At once: a free waits for the whole device.
    AtOnce,
}

/// Memory of a device. Dropping it leaks it: a drop calls no driver. [`free`](Self::free) ends it.
#[derive(Debug)]
pub(crate) struct Memory {
    primary: Primary,
    address: Address,
    bytes: u64,
    way: Way,
}

/// A part of some memory that lives. Cut to what the memory has, so that no device touches what is another's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    primary: &'a Primary,
    address: Address,
    bytes: u64,
    side: Side,
}

/// Whose memory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Device,
    Host,
}

impl<'a> Part<'a> {
    /// A part of `whole` bytes at `address`.
    pub(super) fn cut(
        primary: &'a Primary,
        side: Side,
        (address, whole): (Address, u64),
        (offset, bytes): (u64, u64),
    ) -> Self {
        let offset = offset.min(whole);
        // Inside the memory, so that it does not wrap.
        let address = Address(address.0.wrapping_add(offset));
        Self { primary, address, bytes: bytes.min(whole - offset), side }
    }
}

impl Memory {
    /// So many bytes, of unknown content; one is the least. With [`Way::InOrder`] it is there for the work that the
    /// stream is given next, and for others once that is complete.
    pub(crate) fn allocate(bytes: u64, way: Way, stream: &Stream) -> Result<Self, Refusal> {
        let primary = stream.primary();
        let make = || {
            let (table, mut address) = (primary.library().table(), Address(0));
            let (room, length) = (&raw mut address, length(bytes.max(1)));
            match way {
                // SAFETY: the pointer is to an address, and the stream lives.
                Way::InOrder => unsafe { table.allocate_in_order(room, length, stream.handle()) },
                // SAFETY: the pointer is to an address.
                Way::AtOnce => unsafe { table.allocate(room, length) },
            }?;
            Ok(Self { primary: primary.clone(), address, bytes, way })
        };
        primary.making(make, |made| made.free(stream))
    }

    /// A part of it, no longer than it is.
    pub(crate) fn part(&self, offset: u64, bytes: u64) -> Part<'_> {
        Part::cut(&self.primary, Side::Device, (self.address, self.bytes), (offset, bytes))
    }

    /// Frees it: in the order of the stream, or at once, where the call may wait for the device.
    pub(crate) fn free(self, stream: &Stream) -> Result<(), Refusal> {
        let table = self.primary.library().table();
        self.primary.within(|| match self.way {
            // SAFETY: it was allocated in this way, nobody has it any more, and the stream lives.
            Way::InOrder => unsafe { table.free_in_order(self.address, stream.handle()) },
            // SAFETY: it was allocated in this way, and nobody has it any more.
            Way::AtOnce => unsafe { table.free(self.address) },
        })
    }
}

impl Part<'_> {
    /// Fills it with a byte, in the order of the stream.
    pub(crate) fn fill(self, value: u8, stream: &Stream) -> Result<(), Refusal> {
        if self.bytes == 0 {
            return Ok(());
        }
        self.primary.within(|| {
            let (table, bytes) = (self.primary.library().table(), length(self.bytes));
            // SAFETY: the part lies inside memory that lives, as does the stream.
            unsafe { table.fill(self.address, value, bytes, stream.handle()) }
        })
    }

    /// Copies it to a part of the same length, in the order of the stream. The shorter length counts.
    pub(crate) fn copy_to(self, target: Part<'_>, stream: &Stream) -> Result<(), Refusal> {
        let bytes = length(self.bytes.min(target.bytes));
        if bytes == 0 {
            return Ok(());
        }
        self.primary.within(|| {
            let (table, to, from) = (self.primary.library().table(), target.address, self.address);
            match (self.side, target.side) {
                // SAFETY: both parts lie inside memory that lives, as does the stream.
                (Side::Device, Side::Device) => unsafe {
                    table.copy(to, from, bytes, stream.handle())
                },
                // SAFETY: as above.
                _ => unsafe { table.copy_anywhere(to, from, bytes, stream.handle()) },
            }
        })
    }

    /// Copies it to the host, through a room, and waits on this thread for the device.
    pub(crate) fn read(
        self,
        bytes: &mut [u8],
        room: &mut Option<Room>,
        (stream, event): (&Stream, &Event),
    ) -> Result<(), Refusal> {
        let (primary, source) = (self.primary, self.address);
        let count = self.through(bytes.len(), room, (stream, event), |start, count| {
            // SAFETY: the room is as long as that and lent until the device is done, and the part lies inside memory
            // that lives, as does the stream.
            unsafe { primary.library().table().copy_out(start, source, count, stream.handle()) }
        })?;
        if let Some(room) = room {
            bytes[..count].copy_from_slice(&room.bytes()[..count]);
        }
        Ok(())
    }

    /// Copies from the host, through a room, and waits on this thread for the device.
    pub(crate) fn write(
        self,
        bytes: &[u8],
        room: &mut Option<Room>,
        (stream, event): (&Stream, &Event),
    ) -> Result<(), Refusal> {
        let (primary, target) = (self.primary, self.address);
        if let Some(room) = room {
            let count = bytes.len().min(room.len());
            room.bytes_mut()[..count].copy_from_slice(&bytes[..count]);
        }
        self.through(bytes.len(), room, (stream, event), |start, count| {
            // SAFETY: as in `read`.
            unsafe { primary.library().table().copy_in(target, start, count, stream.handle()) }
        })
        .map(drop)
    }

    /// Lends the room to a copy, and takes it back once the device is done with it. Where that cannot be found out the
    /// device keeps it for ever. Gives how many bytes were copied.
    fn through(
        self,
        bytes: usize,
        room: &mut Option<Room>,
        (stream, event): (&Stream, &Event),
        copy: impl FnOnce(*mut c_void, usize) -> Result<(), Refusal>,
    ) -> Result<usize, Refusal> {
        let Some(lent) = room.take().map(Room::lend) else { return Ok(0) };
        let count = bytes.min(lent.len()).min(length(self.bytes));
        let started = self.primary.within(|| copy(lent.start(), count));
        // A copy that was refused may have begun all the same, with the error of an earlier one.
        let seen = started.and_then(|()| event.record(stream)).and_then(|()| event.settle());
        if seen.is_ok() || stream.settle().is_ok() {
            *room = Some(lent.take_back());
        }
        seen.map(|()| count)
    }
}

/// A length on a machine whose addresses are as long as the device's.
fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
