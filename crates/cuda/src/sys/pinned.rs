//! Pinned memory: memory of our own that devices reach for as long as it is registered with the driver.
//!
//! Ours, and not the driver's: whoever resets a device frees what the driver gave for it, under whoever reads or writes
//! that at the moment. Memory of ours is then merely out of the devices' reach.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use super::code::Refusal;
use super::context::Primary;
use super::table::functions;
use super::types::{Address, SHARED_WITH_DEVICES};

/// Some bytes, all zero at first. Dropping it leaks it: a drop calls no driver, and a device may still reach it.
/// [`free`](Self::free) ends it.
#[derive(Debug)]
pub(super) struct Pinned {
    primary: Primary,
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it is memory that its owner alone has, whichever thread that is.
unsafe impl Send for Pinned {}

// SAFETY: shared, it is read, or used by atomics.
unsafe impl Sync for Pinned {}

/// Pages are not for children of a fork.
#[cfg(target_os = "linux")]
const HIDDEN: c_int = libc::MADV_DONTFORK;
#[cfg(not(target_os = "linux"))]
const HIDDEN: c_int = 0;

/// They are again.
#[cfg(target_os = "linux")]
const SHOWN: c_int = libc::MADV_DOFORK;
#[cfg(not(target_os = "linux"))]
const SHOWN: c_int = 0;

/// As the largest pages are of systems that CUDA runs on: so no page has anything of others.
const PAGE: usize = 1 << 16;

impl Pinned {
    /// At least so many bytes, registered so that every context reaches them.
    pub(super) fn new(primary: &Primary, bytes: usize) -> Result<Self, Refusal> {
        let plain = Self::plain(primary, bytes);
        let pinned = plain.ok_or_else(|| Refusal::no_room(&functions::register))?;
        let (table, start) = (primary.library().table(), pinned.start());
        let mut is_kept = false;
        let register = || {
            // SAFETY: the memory was just made, and is unregistered before it is freed.
            unsafe { table.register(start, pinned.len(), SHARED_WITH_DEVICES) }
        };
        let outcome = primary.unnoticed(|| {
            primary.making(register, |()| {
                // SAFETY: it was just registered, and nobody has it.
                let ended = primary.within(|| unsafe { table.unregister(start) });
                is_kept = ended.is_err();
                ended
            })
        });
        match outcome {
            Ok(()) => Ok(pinned),
            Err(refusal) => {
                if !is_kept {
                    pinned.give_back();
                }
                Err(refusal)
            }
        }
    }

    /// The same, not registered. `None`: there is no memory.
    fn plain(primary: &Primary, bytes: usize) -> Option<Self> {
        let bytes = bytes.checked_next_multiple_of(PAGE)?.max(PAGE);
        let layout = Layout::from_size_align(bytes, PAGE).ok()?;
        // SAFETY: the layout is of more than nothing.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let plain = Self { primary: primary.clone(), start, layout };
        plain.advise(HIDDEN);
        Some(plain)
    }

    fn give_back(self) {
        self.advise(SHOWN);
        // SAFETY: it was made with this layout, and goes once: the value ends here, and has no destructor.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }

    /// A child of a fork does not get the pages. Otherwise, to write to them in the parent could give it other ones than
    /// those that the device has (Linux before 5.12).
    #[cfg(target_os = "linux")]
    fn advise(&self, advice: c_int) {
        // SAFETY: the pages are of this memory alone, and lose nothing by the advice. Refused, they are copied.
        unsafe { libc::madvise(self.start(), self.len(), advice) };
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "as where there are such children")]
    fn advise(&self, _advice: c_int) {}

    pub(super) fn start(&self) -> *mut c_void {
        self.start.as_ptr().cast()
    }

    pub(super) fn len(&self) -> usize {
        self.layout.size()
    }

    /// Where devices find it.
    pub(super) fn address(&self) -> Result<Address, Refusal> {
        let mut address = Address(0);
        let room = &raw mut address;
        self.primary.within(|| {
            // SAFETY: the pointer is to an address, and the memory is registered.
            unsafe { self.primary.library().table().shared_address(room, self.start(), 0) }
        })?;
        Ok(address)
    }

    /// Frees it, unless the driver keeps it registered: then it is leaked. No device reaches it any more.
    pub(super) fn free(self) -> Result<(), Refusal> {
        self.primary.within(|| {
            // SAFETY: it was registered, and nobody has it any more.
            unsafe { self.primary.library().table().unregister(self.start()) }
        })?;
        self.give_back();
        Ok(())
    }
}
