//! A word of memory that the host and the device share: pinned, and never freed.

use std::sync::atomic::AtomicU64;

use super::Driver;
use super::handle::Address;
use super::kept::Reached;
use crate::answer::Asked;

/// A word as the host sees it, and where the device finds it.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) host: &'static AtomicU64,
    pub(crate) device: Address,
}

/// Pinned memory that has an address for the device.
const MAPPED: u32 = 2;

impl Driver {
    /// A word that is zero.
    pub(crate) fn word(&self) -> Asked<Word> {
        let (mut pointer, mut device) = (Reached::NONE, Address::NULL);
        self.host_allocate(&mut pointer, size_of::<AtomicU64>(), MAPPED)?.needed()?;
        self.host_device_address(&mut device, pointer, 0)?.needed()?;
        let memory = std::ptr::with_exposed_provenance_mut::<AtomicU64>(pointer.address());
        // SAFETY: the driver has just given out this memory, to nobody else, aligned to a page.
        unsafe { memory.write(AtomicU64::new(0)) };
        // SAFETY: it holds a word, is never freed, and is shared as an atomic only.
        let host = unsafe { &*memory };
        Ok(Word { host, device })
    }
}
