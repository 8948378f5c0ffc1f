//! Pinned memory: memory of the process that devices reach, while the program may use it too.
//!
//! Some the driver made; some is the program's own, which the driver reaches for as long as it is registered.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Some bytes at a fixed address, zero at first.
#[derive(Debug)]
pub(crate) struct Pinned {
    view: View,
    layout: Layout,
}

/// Some bytes of the program's own. Once they are not registered any more they are the program's alone, and what they were
/// last is kept for whoever still looks.
#[derive(Debug)]
pub(crate) struct Registered(RwLock<Source>);

#[derive(Debug)]
enum Source {
    Program(View),
    Kept(Pinned),
}

/// Bytes that live as long as their owner.
#[derive(Debug)]
pub(crate) struct View {
    bytes: NonNull<u8>,
    length: usize,
}

// SAFETY: the bytes are reached by copies only, and who orders those is the program's concern, as on a device.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

/// As pages are.
const ALIGNMENT: usize = 4096;

/// The largest word that programs and devices share.
const WORD: usize = 8;

impl Pinned {
    /// `None` for nothing, or where there is no room.
    pub(crate) fn new(length: usize) -> Option<Self> {
        let layout = Layout::from_size_align(length, ALIGNMENT).ok().filter(|_| length > 0)?;
        // SAFETY: the layout is of more than nothing.
        let bytes = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { view: View { bytes, length }, layout })
    }

    pub(crate) fn address(&self) -> u64 {
        self.view.bytes.as_ptr().expose_provenance() as u64
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }
}

impl Registered {
    /// `None` for nothing. The program promises that the bytes are its own and live until they are unregistered.
    pub(crate) fn new(address: u64, length: usize) -> Option<Self> {
        let address = usize::try_from(address).ok()?;
        let bytes = NonNull::new(std::ptr::with_exposed_provenance_mut(address))?;
        Some(Self(RwLock::new(Source::Program(View { bytes, length }))))
    }

    /// Looks at the bytes, while nobody takes them away.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Source::Program(view) => look(view),
            Source::Kept(kept) => look(kept.view()),
        }
    }

    /// Gives the bytes back to the program.
    pub(crate) fn part(&self) {
        let mut source = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Source::Program(view) = &*source else { return };
        if let Some(kept) = Pinned::new(view.length) {
            kept.view().take(view);
            *source = Source::Kept(kept);
        }
    }
}

impl View {
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

    /// Becomes what another region of this length is. Its program may use words of it meanwhile, so each is taken whole.
    fn take(&self, other: &Self) {
        let is_aligned = other.bytes.as_ptr().addr().is_multiple_of(WORD);
        let words = if is_aligned { other.length - other.length % WORD } else { 0 };
        for offset in (0..words).step_by(WORD) {
            self.store(offset, WORD, other.load(offset, WORD));
        }
        self.write(words, &other.read(words, other.length - words));
    }

    /// A word of four or eight bytes, which the program may write meanwhile.
    pub(crate) fn load(&self, offset: usize, bytes: usize) -> u64 {
        // Acquire: pairs with a release of the program's, so that what it wrote before is seen behind the wait.
        match bytes {
            4 => u64::from(self.narrow(offset).load(Ordering::Acquire)),
            _ => self.wide(offset).load(Ordering::Acquire),
        }
    }

    pub(crate) fn store(&self, offset: usize, bytes: usize, value: u64) {
        // What a narrow word has no room for was never given.
        let low = u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0);
        // Release: pairs with an acquire of the program's, so that it sees what the stream did before.
        match bytes {
            4 => self.narrow(offset).store(low, Ordering::Release),
            _ => self.wide(offset).store(value, Ordering::Release),
        }
    }

    fn narrow(&self, offset: usize) -> &AtomicU32 {
        let word = self.at(offset, 4).cast();
        // SAFETY: `at` has checked that it lies inside, the caller that it is aligned; it lives as long as this does.
        unsafe { AtomicU32::from_ptr(word) }
    }

    fn wide(&self, offset: usize) -> &AtomicU64 {
        let word = self.at(offset, 8).cast();
        // SAFETY: as in `narrow`.
        unsafe { AtomicU64::from_ptr(word) }
    }

    fn at(&self, offset: usize, length: usize) -> *mut u8 {
        assert!(offset <= self.length, "a region begins inside its block");
        assert!(length <= self.length - offset, "a region ends inside its block");
        // SAFETY: the offset was checked above.
        unsafe { self.bytes.as_ptr().add(offset) }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: it was made with this layout, and goes once.
        unsafe { dealloc(self.view.bytes.as_ptr(), self.layout) };
    }
}
