//! Memory of the host for operations of a device, which reaches it by itself.

use std::sync::PoisonError;

use syncpoint_base::{read_bytes, write_bytes};

use crate::sync::{Mutex, lock};

use super::code::Refusal;
use super::context::Primary;
use super::memory::{Part, Side};
use super::pinned::Pinned;
use super::types::Address;

/// Pinned memory and where devices find it. Dropping it leaks it, as all memory here. [`free`](Self::free) ends it.
#[derive(Debug)]
pub(crate) struct HostMemory {
    /// Guards the bytes, where the host itself reads or writes them.
    pinned: Mutex<Pinned>,
    primary: Primary,
    address: Address,
    bytes: u64,
}

impl HostMemory {
    /// So many bytes, all zero.
    pub(crate) fn allocate(primary: &Primary, bytes: u64) -> Result<Self, Refusal> {
        // More than any machine has: refused there.
        let room = usize::try_from(bytes).unwrap_or(usize::MAX);
        let pinned = Pinned::new(primary, room)?;
        match pinned.address() {
            Ok(address) => {
                let primary = primary.clone();
                Ok(Self { pinned: Mutex::new(pinned), primary, address, bytes })
            }
            Err(refusal) => {
                // That it cannot be had is said already.
                let _unheard = pinned.free();
                Err(refusal)
            }
        }
    }

    /// A part of it, no longer than it is.
    pub(crate) fn part(&self, offset: u64, bytes: u64) -> Part<'_> {
        Part::cut(&self.primary, Side::Host, (self.address, self.bytes), (offset, bytes))
    }

    /// Copies from it, as it is now: a device that writes there meanwhile is seen half-way.
    pub(crate) fn read(&self, offset: u64, bytes: &mut [u8]) {
        self.with(offset, bytes.len(), |start, count| {
            // SAFETY: so many bytes lie inside the memory, and no other thread of the host writes there.
            unsafe { read_bytes(start, &mut bytes[..count]) };
        });
    }

    /// Copies into it, now.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) {
        self.with(offset, bytes.len(), |start, count| {
            // SAFETY: so many bytes lie inside the memory, and no other thread of the host is there.
            unsafe { write_bytes(start, &bytes[..count]) };
        });
    }

    /// Uses so many bytes from `offset` on, cut to what there is, while no other thread of the host does.
    fn with(&self, offset: u64, bytes: usize, use_it: impl FnOnce(*mut u8, usize)) {
        let pinned = lock(&self.pinned);
        let Ok(offset) = usize::try_from(offset.min(self.bytes)) else { return };
        let left = usize::try_from(self.bytes).map_or(usize::MAX, |whole| whole - offset);
        use_it(pinned.start().cast::<u8>().wrapping_add(offset), bytes.min(left));
    }

    /// Frees it. No device uses it any more.
    pub(crate) fn free(self) -> Result<(), Refusal> {
        self.pinned.into_inner().unwrap_or_else(PoisonError::into_inner).free()
    }
}
