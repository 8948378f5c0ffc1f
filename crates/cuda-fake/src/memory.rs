//! Memory: blocks at addresses that are never used again, those of a device behind a lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::code::{Code, Result};
use crate::rim::{Pinned, Registered, View};
use crate::sync::lock;
use crate::table::Handle;

/// One block. A program that forgets to order its accesses gets a wrong result, and one that uses an address of old is
/// refused.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) base: u64,
    pub(crate) bytes: u64,
    pub(crate) context: Handle,
    pub(crate) device: i32,
    store: Store,
}

#[derive(Debug)]
enum Store {
    /// Bytes that only the driver reaches.
    Device(RwLock<Box<[u8]>>),
    /// Memory of the process, at the address that is the block's.
    Pinned(Pinned),
    /// The same, made by the program.
    Registered(Registered),
}

impl Store {
    /// Looks at memory of the process. `None`: it is a device's.
    fn with<T>(&self, look: impl FnOnce(&View) -> T) -> Option<T> {
        match self {
            Self::Device(_) => None,
            Self::Pinned(pinned) => Some(look(pinned.view())),
            Self::Registered(registered) => Some(registered.with(look)),
        }
    }
}

/// A part of a block. Keeps the block alive, also after it is freed.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    block: Arc<Block>,
    offset: usize,
    bytes: usize,
}

/// All blocks that are not freed, by their addresses.
#[derive(Debug)]
pub(crate) struct Memory {
    blocks: Mutex<BTreeMap<u64, Arc<Block>>>,
    next: Mutex<u64>,
}

/// Where the addresses of device memory begin: far from where systems put memory of a process.
const FIRST: u64 = 0x0500_0000_0000;

/// How device memory is aligned.
const ALIGNMENT: u64 = 512;

impl Default for Memory {
    fn default() -> Self {
        Self { blocks: Mutex::default(), next: Mutex::new(FIRST) }
    }
}

impl Memory {
    /// Memory of a device, of which a script tells how much there is.
    pub(crate) fn allocate(&self, context: Handle, device: i32, bytes: u64) -> Result<u64> {
        if bytes == 0 {
            return Err(Code::INVALID_VALUE);
        }
        if bytes > self.free(device) {
            return Err(Code::OUT_OF_MEMORY);
        }
        let store = Store::Device(RwLock::new(zeros(bytes)?));
        let base = self.take_address(bytes);
        self.keep(Block { base, bytes, context, device, store });
        Ok(base)
    }

    /// Memory of the process that devices reach.
    pub(crate) fn pin(&self, context: Handle, device: i32, bytes: u64) -> Result<u64> {
        let length = usize::try_from(bytes).map_err(|_| Code::OUT_OF_MEMORY)?;
        let pinned = Pinned::new(length).ok_or(Code::OUT_OF_MEMORY)?;
        let base = pinned.address();
        self.keep(Block { base, bytes, context, device, store: Store::Pinned(pinned) });
        Ok(base)
    }

    /// Lets devices reach memory of the program's own.
    pub(crate) fn register(
        &self,
        (context, device): (Handle, i32),
        base: u64,
        bytes: usize,
    ) -> Result {
        let registered = Registered::new(base, bytes).filter(|_| bytes > 0);
        let registered = registered.ok_or(Code::INVALID_VALUE)?;
        let last = base.checked_add(bytes as u64 - 1).ok_or(Code::INVALID_VALUE)?;
        let mut blocks = lock(&self.blocks);
        let before = blocks.range(..=last).next_back();
        if before.is_some_and(|(_, block)| block.base + block.bytes > base) {
            return Err(Code::HOST_MEMORY_ALREADY_REGISTERED);
        }
        let store = Store::Registered(registered);
        let block = Block { base, bytes: bytes as u64, context, device, store };
        blocks.insert(base, Arc::new(block));
        Ok(())
    }

    /// Gives memory back to the program.
    pub(crate) fn unregister(&self, base: u64) -> Result {
        let block = self.block(base).filter(|block| block.base == base);
        let block = block.ok_or(Code::HOST_MEMORY_NOT_REGISTERED)?;
        let Store::Registered(registered) = &block.store else {
            return Err(Code::HOST_MEMORY_NOT_REGISTERED);
        };
        registered.part();
        drop(lock(&self.blocks).remove(&base));
        Ok(())
    }

    fn keep(&self, block: Block) {
        lock(&self.blocks).insert(block.base, Arc::new(block));
    }

    /// Addresses with a gap behind them, so that an access beyond a block meets no other.
    fn take_address(&self, bytes: u64) -> u64 {
        let mut next = lock(&self.next);
        let base = *next;
        *next = (base + bytes).next_multiple_of(ALIGNMENT) + ALIGNMENT;
        base
    }

    /// Frees the block that begins here. Operations that use it keep it until they are done.
    pub(crate) fn free_at(&self, base: u64, is_meant: impl Fn(&Block) -> bool) -> Result {
        let mut blocks = lock(&self.blocks);
        let block = blocks.get(&base).filter(|block| is_meant(block)).ok_or(Code::INVALID_VALUE)?;
        let base = block.base;
        drop(blocks.remove(&base));
        Ok(())
    }

    /// The block in which an address lies.
    pub(crate) fn block(&self, address: u64) -> Option<Arc<Block>> {
        let blocks = lock(&self.blocks);
        let (_, block) = blocks.range(..=address).next_back()?;
        (address - block.base < block.bytes).then(|| Arc::clone(block))
    }

    /// Some bytes inside one block. `None`: they begin in none. An error: they do not end in it.
    pub(crate) fn region(&self, address: u64, bytes: usize) -> Result<Option<Region>> {
        let Some(block) = self.block(address) else { return Ok(None) };
        let offset = address - block.base;
        let end = u64::try_from(bytes).ok().and_then(|bytes| offset.checked_add(bytes));
        if end.is_none_or(|end| end > block.bytes) {
            return Err(Code::INVALID_VALUE);
        }
        let offset = usize::try_from(offset).map_err(|_| Code::INVALID_VALUE)?;
        Ok(Some(Region { block, offset, bytes }))
    }

    /// So much of a device's memory is left.
    pub(crate) fn free(&self, device: i32) -> u64 {
        let blocks = lock(&self.blocks);
        let own = blocks.values().filter(|block| block.is_of(device));
        let used = own.map(|block| block.bytes).sum();
        crate::device::Device::memory().saturating_sub(used)
    }

    /// Frees what was made in a context.
    pub(crate) fn forget(&self, context: Handle) {
        lock(&self.blocks).retain(|_, block| {
            let is_kept = block.context != context;
            if let (false, Store::Registered(registered)) = (is_kept, &block.store) {
                registered.part();
            }
            is_kept
        });
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.blocks).len()
    }
}

/// The number that some bytes are.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// So many bytes of a number.
fn bytes(word: u64, count: usize) -> Vec<u8> {
    word.to_le_bytes()[..count].to_vec()
}

fn zeros(bytes: u64) -> Result<Box<[u8]>> {
    let length = usize::try_from(bytes).map_err(|_| Code::OUT_OF_MEMORY)?;
    Ok(vec![0; length].into_boxed_slice())
}

impl Block {
    /// Whether it is memory of the process.
    pub(crate) fn is_pinned(&self) -> bool {
        !matches!(self.store, Store::Device(_))
    }

    /// Whether the driver made it, of the process.
    pub(crate) fn is_made_pinned(&self) -> bool {
        matches!(self.store, Store::Pinned(_))
    }

    fn is_of(&self, device: i32) -> bool {
        self.device == device && !self.is_pinned()
    }
}

impl Region {
    /// The bytes as they are now.
    pub(crate) fn read(&self) -> Vec<u8> {
        let (from, upto) = (self.offset, self.offset + self.bytes);
        match &self.block.store {
            Store::Device(bytes) => {
                bytes.read().unwrap_or_else(PoisonError::into_inner)[from..upto].to_vec()
            }
            store => store.with(|view| view.read(from, self.bytes)).unwrap_or_default(),
        }
    }

    /// Writes as many bytes as the region has.
    pub(crate) fn write(&self, source: &[u8]) {
        let source = &source[..self.bytes];
        let (from, upto) = (self.offset, self.offset + self.bytes);
        if let Store::Device(bytes) = &self.block.store {
            let mut bytes = bytes.write().unwrap_or_else(PoisonError::into_inner);
            bytes[from..upto].copy_from_slice(source);
        } else {
            self.block.store.with(|view| view.write(from, source));
        }
    }

    /// The region as a word of 32 or 64 bits, read at once.
    pub(crate) fn load(&self) -> u64 {
        let loaded = self.block.store.with(|view| view.load(self.offset, self.bytes));
        loaded.unwrap_or_else(|| word(&self.read()))
    }

    /// Writes such a word at once.
    pub(crate) fn store(&self, value: u64) {
        let stored = self.block.store.with(|view| view.store(self.offset, self.bytes, value));
        stored.unwrap_or_else(|| self.write(&bytes(value, self.bytes)));
    }

    /// Writes a pattern again and again.
    pub(crate) fn fill(&self, pattern: &[u8]) {
        let bytes: Vec<u8> = pattern.iter().copied().cycle().take(self.bytes).collect();
        self.write(&bytes);
    }
}
