//! Words that the host writes and a stream waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::code::Refusal;
use super::context::Primary;
use super::pinned::Pinned;
use super::types::Address;

/// A block of words that the host and the device share. Dropping it leaks it: a drop calls no driver, and a device may
/// still look.
#[derive(Debug)]
pub(crate) struct Words {
    pinned: Pinned,
    address: Address,
}

/// How many words a block has: a page of them.
pub(crate) const WORDS: usize = 512;

/// One word of a block. Whoever has it is alone with it.
#[derive(Debug)]
pub(crate) struct Word {
    words: Arc<Words>,
    index: usize,
}

impl Words {
    /// A block of words, all zero.
    pub(crate) fn allocate(primary: &Primary) -> Result<Vec<Word>, Refusal> {
        let pinned = Pinned::new(primary, WORDS * size_of::<u64>())?;
        let address = match pinned.address() {
            Ok(address) => address,
            Err(refusal) => {
                // What cannot be used is given back; that it cannot be is said already.
                let _unheard = pinned.free();
                return Err(refusal);
            }
        };
        let words = Arc::new(Self { pinned, address });
        Ok((0..WORDS).map(|index| Word { words: Arc::clone(&words), index }).collect())
    }

    /// Frees the block, unless somebody has a word of it: then it is leaked.
    pub(crate) fn free(words: Vec<Word>) -> Result<(), Refusal> {
        let blocks = words.into_iter().filter_map(|word| Arc::into_inner(word.words));
        blocks.map(|words| words.pinned.free()).fold(Ok(()), Result::and)
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
        let start = self.words.pinned.start().cast::<u64>();
        // SAFETY: the block has so many words.
        let word = unsafe { start.add(self.index) };
        // SAFETY: it is aligned, lives as long as the block, and is used as this atomic alone.
        unsafe { AtomicU64::from_ptr(word) }
    }
}
