//! Contexts: the primary ones retained by count, those of others taken in; current for the length of a call.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::Arc;

use super::code::Refusal;
use super::library::Library;
use super::types::{
    ATTRIBUTE_MEMORY_POOLS, ATTRIBUTE_WAIT_VALUE_64, CAPTURE_MODE_RELAXED, ContextHandle,
    DeviceHandle,
};

/// The primary context of a device, retained once, or a context of others in its place. Cloning copies the name.
///
/// Dropping the last name leaks the retention: a drop calls no driver. [`release`](Self::release) gives it back.
#[derive(Clone, Debug)]
pub(crate) struct Primary(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    library: &'static Library,
    device: DeviceHandle,
    handle: ContextHandle,
    whose: Whose,
}

/// Who sees to the end of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The driver, once nobody retains it any more.
    Ours,
    /// Those who made it.
    Others,
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
        Ok(Self(Arc::new(Inner { library, device, handle, whose: Whose::Ours })))
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
        let inner = Inner { library, device: DeviceHandle(0), handle, whose: Whose::Others };
        let mut device = DeviceHandle(0);
        Self(Arc::new(inner)).within(|| {
            // SAFETY: the pointer is to a device.
            unsafe { library.table().context_device(&raw mut device) }
        })?;
        Ok(Self(Arc::new(Inner { library, device, handle, whose: Whose::Others })))
    }

    /// The driver's number of the device, and what tells the context from others of it, where the driver says.
    pub(crate) fn number(&self) -> (i32, Option<u64>) {
        let mut id = 0;
        // SAFETY: the pointer is to a word, and the context lives.
        let asked = unsafe { self.library().table().context_id(self.0.handle, &raw mut id) };
        (self.0.device.0, asked.ok().map(|()| id))
    }

    /// Gives the retention back, unless somebody else has a name of it: then that is leaked.
    pub(crate) fn release(self) -> Result<(), Refusal> {
        let Some(inner) = Arc::into_inner(self.0) else { return Ok(()) };
        if inner.whose == Whose::Others {
            return Ok(());
        }
        // SAFETY: the device is the driver's, and its context was retained once for this name, which is the last.
        unsafe { inner.library.table().release(inner.device) }
    }

    /// Whether a context of the driver's is this one.
    pub(super) fn is(&self, handle: ContextHandle) -> bool {
        self.0.handle == handle
    }

    pub(crate) fn library(&self) -> &'static Library {
        self.0.library
    }

    /// Calls with the context current, and leaves the thread's own as it was, *none* included. Where the context is
    /// current already nothing is changed.
    ///
    /// That the thread's own cannot be brought back is an error of this call.
    pub(crate) fn within<T>(
        &self,
        call: impl FnOnce() -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if self.is_current()? {
            return call();
        }
        self.enter()?;
        let outcome = call();
        let restored = self.leave();
        let value = outcome?;
        restored.map(|()| value)
    }

    /// Calls where it is enough that any context is current, for most calls that name a stream or an event
    /// (*documented* for the runtime's devices), and with this one current where the driver wants it.
    #[inline]
    pub(crate) fn near(&self, call: impl Fn() -> Result<(), Refusal>) -> Result<(), Refusal> {
        match call() {
            Err(refusal) if refusal.is_of_context() => self.within(call),
            outcome => outcome,
        }
    }

    /// Makes the context current on a thread of ours, until it moves out.
    pub(crate) fn move_in(&self) -> Result<(), Refusal> {
        self.enter()
    }

    /// What was current on the thread before is so again.
    pub(crate) fn move_out(&self) -> Result<(), Refusal> {
        self.leave()
    }

    /// Calls so that nothing of it breaks another thread's capture: for calls that the user did not ask for.
    pub(crate) fn unnoticed<T>(&self, call: impl FnOnce() -> T) -> T {
        let Ok(before) = relax(self.library(), CAPTURE_MODE_RELAXED) else { return call() };
        let outcome = call();
        // What was exchanged can be exchanged back.
        let _restored = relax(self.library(), before);
        outcome
    }

    fn is_current(&self) -> Result<bool, Refusal> {
        let mut current = ContextHandle::NULL;
        // SAFETY: the pointer is to a context.
        unsafe { self.library().table().current(&raw mut current) }?;
        Ok(current == self.0.handle)
    }

    fn enter(&self) -> Result<(), Refusal> {
        // SAFETY: the context is retained for as long as this name lives.
        unsafe { self.library().table().push(self.0.handle) }
    }

    fn leave(&self) -> Result<(), Refusal> {
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
    /// From now on nothing that this thread, one of ours, asks of the driver breaks anybody's capture.
    pub(crate) fn never_break_a_capture(&self) {
        // Where there are no captures there is nothing to break.
        let _before = relax(self, CAPTURE_MODE_RELAXED);
    }
}

/// Exchanges the capture mode of this thread; gives the one of before.
fn relax(library: &Library, mode: c_int) -> Result<c_int, Refusal> {
    let mut mode = mode;
    // SAFETY: the pointer is to a mode.
    unsafe { library.table().exchange_capture_mode(&raw mut mode) }?;
    Ok(mode)
}
