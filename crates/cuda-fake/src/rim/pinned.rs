//! Pinned memory: memory of the process that devices reach, while the program may use it too.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Some bytes at a fixed address, zero at first.
#[derive(Debug)]
pub(crate) struct Pinned {
    bytes: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the bytes are reached by copies only, and who orders those is the program's concern, as on a device.
unsafe impl Send for Pinned {}
// SAFETY: as above.
unsafe impl Sync for Pinned {}

/// As pages are.
const ALIGNMENT: usize = 4096;

impl Pinned {
    /// `None` for nothing, or where there is no room.
    pub(crate) fn new(length: usize) -> Option<Self> {
        let layout = Layout::from_size_align(length, ALIGNMENT).ok().filter(|_| length > 0)?;
        // SAFETY: the layout is of more than nothing.
        let bytes = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { bytes, layout })
    }

    pub(crate) fn address(&self) -> u64 {
        self.bytes.as_ptr().expose_provenance() as u64
    }

    /// A copy of some bytes inside.
    pub(crate) fn read(&self, offset: usize, length: usize) -> Vec<u8> {
        let mut copy = vec![0; length];
        let source = self.at(offset, length);
        // SAFETY: `at` has checked that the bytes lie inside; the copy is ours alone. A program that writes them
        // meanwhile has forgotten to order its accesses, and gets bytes of before and after.
        unsafe { source.copy_to_nonoverlapping(copy.as_mut_ptr(), length) };
        copy
    }

    pub(crate) fn write(&self, offset: usize, source: &[u8]) {
        let target = self.at(offset, source.len());
        // SAFETY: as in `read`.
        unsafe { target.copy_from_nonoverlapping(source.as_ptr(), source.len()) };
    }

    fn at(&self, offset: usize, length: usize) -> *mut u8 {
        assert!(offset <= self.layout.size(), "a region begins inside its block");
        assert!(length <= self.layout.size() - offset, "a region ends inside its block");
        // SAFETY: the offset was checked above.
        unsafe { self.bytes.as_ptr().add(offset) }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: it was made with this layout, and goes once.
        unsafe { dealloc(self.bytes.as_ptr(), self.layout) };
    }
}
