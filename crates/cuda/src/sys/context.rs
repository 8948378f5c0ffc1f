//! Contexts: the primary ones retained by count, those of others taken in; current for the length of a call.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::Arc;

use crate::sync::{AtomicBool, Ordering};

use super::code::{Meaning, Refusal};
use super::identity::Identity;
use super::library::Library;
use super::types::{
    ATTRIBUTE_MEMORY_POOLS, ATTRIBUTE_WAIT_VALUE_64, CAPTURE_MODE_RELAXED, ContextHandle,
    DeviceHandle,
};
use crate::unheard;

/// The primary context of a device, retained once, or a context of others in its place. Cloning copies the name.
///
/// Dropping the last name leaks the retention: a drop calls no driver. [`release`](Self::release) gives it back, and so does
/// [`release_broken`](Self::release_broken).
#[derive(Clone, Debug)]
pub(crate) struct Primary(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    library: &'static Library,
    device: DeviceHandle,
    handle: ContextHandle,
    whose: Whose,
    /// Whether the retention was given back.
    is_given_back: AtomicBool,
}

/// Who sees to the end of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The driver, once nobody retains it any more.
    Ours,
    /// Those who made it.
    Others,
}

impl Inner {
    fn new(
        library: &'static Library,
        device: DeviceHandle,
        handle: ContextHandle,
        whose: Whose,
    ) -> Arc<Self> {
        Arc::new(Self { library, device, handle, whose, is_given_back: AtomicBool::new(false) })
    }

    /// Once, where nobody asks the driver for anything of it any more.
    fn give_back(&self) -> Result<(), Refusal> {
        // Relaxed: who finds it given back does nothing with what that has ended.
        let is_second = self.is_given_back.swap(true, Ordering::Relaxed);
        if is_second || self.whose == Whose::Others {
            return Ok(());
        }
        // SAFETY: the device is the driver's, and its context was retained once for all names.
        unsafe { self.library.table().release(self.device) }
    }
}

impl Primary {
    /// Retains the primary context of a device, by the driver's number of it. The driver has begun. Makes the context
    /// where nobody has yet, and makes it current nowhere.
    pub(crate) fn retain(library: &'static Library, ordinal: u32) -> Result<Self, Refusal> {
        let ordinal = c_int::try_from(ordinal).unwrap_or(c_int::MAX);
        let (mut device, mut handle) = (DeviceHandle(0), ContextHandle::NULL);
        // SAFETY: the pointer is to a device.
        unsafe { library.table().device(&raw mut device, ordinal) }?;
        // SAFETY: the pointer is to a context, and the device is the driver's.
        unsafe { library.table().retain(&raw mut handle, device) }?;
        Ok(Self(Inner::new(library, device, handle, Whose::Ours)))
    }

    /// A context that others made.
    ///
    /// # Safety
    /// - `address` is a context of the driver's, and lives for as long as a name of this does.
    pub(crate) unsafe fn borrow(
        library: &'static Library,
        address: usize,
    ) -> Result<Self, Refusal> {
        let handle = ContextHandle(ptr::with_exposed_provenance_mut(address));
        let mut device = DeviceHandle(0);
        Self(Inner::new(library, device, handle, Whose::Others)).within(|| {
            // SAFETY: the pointer is to a device.
            unsafe { library.table().context_device(&raw mut device) }
        })?;
        Ok(Self(Inner::new(library, device, handle, Whose::Others)))
    }

    /// The driver's number of the device.
    pub(crate) fn ordinal(&self) -> i32 {
        self.0.device.0
    }

    /// What tells the context from every other.
    pub(crate) fn identity(&self) -> Result<Identity, Refusal> {
        let mut id = 0;
        // SAFETY: the pointer is to a word, and the context lives.
        let asked = unsafe { self.library().table().context_id(self.0.handle, &raw mut id) };
        Identity::told(asked.map(|()| id), self.0.handle.0.addr())
    }

    /// Gives the retention back, unless somebody else has a name of it: then that is leaked.
    pub(crate) fn release(self) -> Result<(), Refusal> {
        Arc::into_inner(self.0).map_or(Ok(()), |last| last.give_back())
    }

    /// The same of a context that is broken, behind its last user, whoever has a name of it still: by none of them the
    /// driver is asked again.
    pub(crate) fn release_broken(self) -> Result<(), Refusal> {
        self.0.give_back()
    }

    /// Whether the retention was given back: nothing of the context can be ended any more. Asked on the reaper, which gives
    /// it back.
    pub(super) fn is_given_back(&self) -> bool {
        // Relaxed: as in `give_back`.
        self.0.is_given_back.load(Ordering::Relaxed)
    }

    /// Whether the context of the driver's at this address is this one.
    pub(crate) fn is_at(&self, address: usize) -> bool {
        self.0.handle.0.addr() == address
    }

    pub(crate) fn library(&self) -> &'static Library {
        self.0.library
    }

    /// Calls with the context current, and leaves the thread's own as it was, *none* included. Where the context is
    /// current already nothing is changed.
    ///
    /// That the thread's own cannot be brought back is an error of this call.
    #[inline(never)]
    pub(crate) fn within<T>(
        &self,
        call: impl FnOnce() -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.making(call, |_nobodys| Ok(()))
    }

    /// The same for a call that makes something, which is ended where the thread's own context cannot be brought back:
    /// nobody is told of it then.
    pub(crate) fn making<T>(
        &self,
        make: impl FnOnce() -> Result<T, Refusal>,
        end: impl FnOnce(T) -> Result<(), Refusal>,
    ) -> Result<T, Refusal> {
        if self.is_current()? {
            return make();
        }
        self.enter()?;
        let made = make();
        match (made, self.leave()) {
            (Ok(made), Err(refusal)) => {
                // That it cannot be ended either is the lesser trouble.
                let _left = end(made);
                Err(refusal)
            }
            (made, _) => made,
        }
    }

    /// Calls where it is enough that any context is current, for most calls that name a stream or an event
    /// (*documented* for the runtime's devices), and with this one current where the driver wants it, or tells of another.
    #[inline]
    pub(crate) fn near(&self, call: impl Fn() -> Result<(), Refusal>) -> Result<(), Refusal> {
        match call() {
            Err(refusal) if !refusal.is_not_ready() => self.nearer(refusal, call),
            outcome => outcome,
        }
    }

    /// The same behind a call that was refused.
    #[cold]
    pub(super) fn nearer(
        &self,
        refusal: Refusal,
        call: impl Fn() -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if refusal.is_of_context() || self.tells_of_another(&refusal) {
            self.within(call)
        } else {
            Err(refusal)
        }
    }

    /// The same of a call that ends something, which is made once where the driver may have carried it out: what it says of a
    /// context it may say of earlier work.
    pub(super) fn end_near(&self, end: impl Fn() -> Result<(), Refusal>) -> Result<(), Refusal> {
        match end() {
            Err(refusal) if refusal.is_of_context() => self.within(end),
            outcome => outcome,
        }
    }

    /// Whether a refusal that says that a context is broken or gone may say so of the one that is current on this thread,
    /// which is not this one. So may one of the question which that is.
    fn tells_of_another(&self, refusal: &Refusal) -> bool {
        let is_another = |current| ![ContextHandle::NULL, self.0.handle].contains(&current);
        refusal.meaning() == Meaning::Lost
            && self.current().map_or_else(|refusal| refusal.meaning() == Meaning::Lost, is_another)
    }

    /// Makes the context current on a thread of ours, until it moves out.
    pub(crate) fn move_in(&self) -> Result<(), Refusal> {
        self.enter()
    }

    /// What was current on the thread before is so again.
    pub(crate) fn move_out(&self) -> Result<(), Refusal> {
        self.leave()
    }

    /// Calls so that nothing of it breaks another thread's capture: for calls that the user did not ask for. That the driver
    /// does not let it, or does not give the thread its own mode back, is counted.
    pub(crate) fn unnoticed<T>(&self, call: impl FnOnce() -> T) -> T {
        let before = self.library().relaxed();
        let outcome = call();
        if let Some(before) = before.filter(|before| *before != CAPTURE_MODE_RELAXED)
            && let Err(refusal) = exchanged(self.library(), before)
        {
            unheard::note(&refusal);
        }
        outcome
    }

    fn is_current(&self) -> Result<bool, Refusal> {
        self.current().map(|current| current == self.0.handle)
    }

    /// The one that is current on this thread.
    fn current(&self) -> Result<ContextHandle, Refusal> {
        let mut current = ContextHandle::NULL;
        // SAFETY: the pointer is to a context.
        unsafe { self.library().table().current(&raw mut current) }?;
        Ok(current)
    }

    fn enter(&self) -> Result<(), Refusal> {
        // SAFETY: the context is retained for as long as this name lives.
        unsafe { self.library().table().push(self.0.handle) }
    }

    /// What was current before is so again. Not everybody who calls can tell that it is not, so where this one is still
    /// current the driver is asked once more.
    fn leave(&self) -> Result<(), Refusal> {
        self.pop().or_else(|refusal| match self.is_current() {
            Ok(true) => self.pop(),
            Ok(false) | Err(_) => Err(refusal),
        })
    }

    fn pop(&self) -> Result<(), Refusal> {
        let mut popped = ContextHandle::NULL;
        // SAFETY: the pointer is to a context.
        unsafe { self.library().table().pop(&raw mut popped) }
    }

    /// The name that the driver has for the device.
    pub(crate) fn device_name(&self) -> Option<String> {
        let mut name = [0_u8; 256];
        let length = c_int::try_from(name.len()).unwrap_or(0);
        let start: *mut c_char = name.as_mut_ptr().cast();
        // SAFETY: the room is as long as is said, and the device is the driver's.
        unsafe { self.library().table().device_name(start, length, self.0.device) }.ok()?;
        let text = name.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// Whether memory can be freed in the order of a stream.
    pub(crate) fn has_memory_pools(&self) -> bool {
        self.attribute(ATTRIBUTE_MEMORY_POOLS) == Some(1)
    }

    /// Whether a stream can wait for a word; not every device that says so can.
    pub(crate) fn says_that_streams_wait_for_words(&self) -> bool {
        self.attribute(ATTRIBUTE_WAIT_VALUE_64) == Some(1)
    }

    fn attribute(&self, attribute: c_int) -> Option<c_int> {
        let mut value = 0;
        let (library, device) = (self.library(), self.0.device);
        // SAFETY: the pointer is to an int, and the device is the driver's.
        unsafe { library.table().attribute(&raw mut value, attribute, device) }.ok()?;
        Some(value)
    }

    /// The priorities of streams: the least urgent, then the most urgent.
    pub(crate) fn priorities(&self) -> Result<(i32, i32), Refusal> {
        let (mut least, mut greatest) = (0, 0);
        self.within(|| {
            // SAFETY: both pointers are to ints.
            unsafe { self.library().table().priorities(&raw mut least, &raw mut greatest) }
        })?;
        Ok((least, greatest))
    }
}

impl Library {
    /// From now on nothing that this thread, one of ours, asks of the driver breaks anybody's capture. Says whether that is so:
    /// not where the driver refuses, which is counted.
    pub(crate) fn never_break_a_capture(&self) -> bool {
        let refused = exchanged(self, CAPTURE_MODE_RELAXED).err().filter(is_of_captures);
        refused.inspect(unheard::note).is_none()
    }

    /// Makes this thread one that breaks nobody's capture; gives the mode of before. `None`, and counted, where the driver
    /// refuses.
    fn relaxed(&self) -> Option<c_int> {
        let mode = exchanged(self, CAPTURE_MODE_RELAXED);
        mode.inspect_err(|refusal| {
            if is_of_captures(refusal) {
                unheard::note(refusal);
            }
        })
        .ok()
    }
}

/// Whether the driver has captures: one without has none to break.
fn is_of_captures(refusal: &Refusal) -> bool {
    refusal.code().is_some()
}

/// Exchanges the capture mode of this thread; gives the one of before. Tried once more where it is refused: a thread of the
/// user's would stay relaxed for ever, and one of ours would break captures.
fn exchanged(library: &Library, mode: c_int) -> Result<c_int, Refusal> {
    exchange(library, mode).or_else(|_once| exchange(library, mode))
}

fn exchange(library: &Library, mode: c_int) -> Result<c_int, Refusal> {
    let mut mode = mode;
    // SAFETY: the pointer is to a mode.
    unsafe { library.table().exchange_capture_mode(&raw mut mode) }?;
    Ok(mode)
}
