//! Words that the host writes and a stream waits for.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::code::Refusal;
use super::context::Primary;
use super::types::{Address, SHARED_WITH_DEVICES};

/// A block of words that the host and the device share. Dropping it leaks it: a drop calls no driver, and a device may
/// still look.
#[derive(Debug)]
pub(crate) struct Words {
    primary: Primary,
    start: *mut c_void,
    address: Address,
}

/// How many words a block has: a page of them.
pub(crate) const WORDS: usize = 512;

// SAFETY: it is memory that is used by atomics alone, whichever thread has it.
unsafe impl Send for Words {}

// SAFETY: as above.
unsafe impl Sync for Words {}

/// One word of a block. Whoever has it is alone with it.
#[derive(Debug)]
pub(crate) struct Word {
    words: Arc<Words>,
    index: usize,
}

impl Words {
    /// A block of words, all zero.
    pub(crate) fn allocate(primary: &Primary) -> Result<Vec<Word>, Refusal> {
        let bytes = WORDS * size_of::<u64>();
        let (mut start, mut address) = (std::ptr::null_mut(), Address(0));
        let (room, shared) = (&raw mut start, &raw mut address);
        let table = primary.library().table();
        primary.within(|| {
            // SAFETY: the pointer is to a pointer.
            unsafe { table.allocate_shared(room, bytes, SHARED_WITH_DEVICES) }?;
            // SAFETY: as above; the driver has just written it.
            let start = unsafe { room.read() };
            // SAFETY: the driver gave so many bytes, and nobody else has them.
            unsafe { start.cast::<u8>().write_bytes(0, bytes) };
            // SAFETY: the pointer is to an address, and the memory was just given.
            unsafe { table.shared_address(shared, start, 0) }
        })?;
        let words = Arc::new(Self { primary: primary.clone(), start, address });
        Ok((0..WORDS).map(|index| Word { words: Arc::clone(&words), index }).collect())
    }

    /// Frees the block, unless somebody has a word of it: then it is leaked.
    pub(crate) fn free(words: Vec<Word>) -> Result<(), Refusal> {
        let blocks = words.into_iter().filter_map(|word| Arc::into_inner(word.words));
        blocks.map(Self::free_one).fold(Ok(()), Result::and)
    }

    fn free_one(self) -> Result<(), Refusal> {
        self.primary.within(|| {
            // SAFETY: the driver gave it, and nobody has it any more.
            unsafe { self.primary.library().table().free_pinned(self.start) }
        })
    }
}

impl Word {
    /// Where the device finds it.
    pub(super) fn address(&self) -> Address {
        Address(self.words.address.0 + (self.index * size_of::<u64>()) as u64)
    }

    /// What it is.
    pub(crate) fn value(&self) -> u64 {
        // Relaxed: whoever has the word is alone with it, but for a device that reads.
        self.host().load(Ordering::Relaxed)
    }

    /// Raises it, and lets go every stream that waits for that much or less.
    pub(crate) fn raise(&self, value: u64) {
        // Release: what the host wrote before is seen by the device behind the wait.
        self.host().fetch_max(value, Ordering::Release);
    }

    fn host(&self) -> &AtomicU64 {
        let start = self.words.start.cast::<u64>();
        // SAFETY: the block has so many words.
        let word = unsafe { start.add(self.index) };
        // SAFETY: it is aligned, lives as long as the block, and is used as this atomic alone.
        unsafe { AtomicU64::from_ptr(word) }
    }
}
